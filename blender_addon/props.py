"""What the user chooses, kept in the scene."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import environment, styles
from .scene import strips, versions

STEPS = {"DRAFT": 6, "NORMAL": None, "FINE": 30}
"""Denoising steps of each quality; None: as many as the model was tuned for."""


def _strip_names(_self, context: bpy.types.Context, _typed: str) -> list[str]:
    return [strip.name for strip in strips.sound_strips(versions.sequencer_scene(context))]


OWN_CHOICE = "OWN"
"""The identifier that stands for no style."""

_styles_shown: dict[tuple[str, ...], list[tuple[str, str, str, str, int]]] = {}
"""Blender draws a menu from strings that it does not keep: here they stay."""


def _style_items(_self, _context: bpy.types.Context) -> list[tuple[str, str, str, str, int]]:
    names = styles.of_model(environment.model_folder())
    if names not in _styles_shown:
        own = (OWN_CHOICE, "Its Own Choice", "The seed draws a dance's style; a music goes by its motion", "NONE", 0)
        known = [(name, name.title(), "", "NONE", i + 1) for i, name in enumerate(names)]
        _styles_shown[names] = [own, *known]
    return _styles_shown[names]


def _style_menu(stored: str, name: str, description: str) -> EnumProperty:
    """A menu of the model's styles. The choice is kept by name in ``stored``: another model has others, or the same
    ones in another order, and one that it does not have is its own choice."""

    def get(self) -> int:
        return next((item[4] for item in _style_items(self, None) if item[0] == getattr(self, stored)), 0)

    def set(self, number: int) -> None:
        setattr(self, stored, _style_items(self, None)[number][0] if number else "")

    return EnumProperty(name=name, description=description, items=_style_items, get=get, set=set)


def _is_armature(_self, ob: bpy.types.Object) -> bool:
    return ob.type == "ARMATURE"


class FootlightSettings(bpy.types.PropertyGroup):
    source: EnumProperty(
        name="Song",
        description="Which sound the dance is for",
        items=(
            ("STRIP", "Strip", "One sound strip of the sequencer, as long as it is visible"),
            ("MIX", "Whole Mix", "Everything that is heard in the scene's frame range"),
        ),
    )
    strip: StringProperty(
        name="Strip",
        description="The sound strip to dance to; may stay empty when there is only one",
        search=_strip_names,
    )
    dancer: PointerProperty(
        name="Dancer",
        description="The armature that dances or is scored; when empty, the active armature or the scene's only dancer",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    seed: IntProperty(
        name="Seed",
        description="Another seed gives another dance to a song, another music to a dance",
        min=0,
        max=2**31 - 1,
        default=0,
    )
    style_name: StringProperty(options={"HIDDEN"})
    style_second_name: StringProperty(options={"HIDDEN"})
    style: _style_menu("style_name", "Style", "Which of the model's styles the dance or the music has")
    style_second: _style_menu("style_second_name", "Mixed With", "A second style that is mixed in")
    style_mix: FloatProperty(
        name="Mix",
        description="How much of the second style there is: 0 is all the first, 1 all the second",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )
    score_range: EnumProperty(
        name="Range",
        description="Which frames the music is for",
        items=(
            ("SCENE", "Scene Range", "From the scene's first frame to its last"),
            ("ACTION", "Action Range", "As long as the dancer's action and NLA strips"),
        ),
    )
    duet_seconds: FloatProperty(
        name="Length",
        description="How long the dance and its music are, from the scene's first frame on",
        min=5.0,
        max=240.0,
        default=30.0,
        step=100,
        precision=1,
        subtype="TIME_ABSOLUTE",
    )
    quality: EnumProperty(
        name="Quality",
        description="How finely the dance or the music is worked out",
        items=(
            ("DRAFT", "Draft", "Fastest; for a first look"),
            ("NORMAL", "Normal", "What the model was tuned for"),
            ("FINE", "Fine", "Slower, with more steps"),
        ),
        default="NORMAL",
    )
    guidance: FloatProperty(
        name="Guidance",
        description="How strictly the one follows the other, 1 or more; 0: as the model was tuned",
        min=0.0,
        max=10.0,
        default=0.0,
    )
    beat_snap: FloatProperty(
        name="Beat Snap",
        description="How strongly a dance's accents are moved onto the beats",
        min=0.0,
        max=1.0,
        default=0.25,
        subtype="FACTOR",
    )
    markers: BoolProperty(
        name="Mark Beats",
        description="Show the beats as timeline markers with every result",
        default=False,
    )
