"""What the user chooses, kept in the scene."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import environment, styles
from .scene import songs, strips
from .shared import protocol

STEPS = {"DRAFT": 6, "NORMAL": None, "FINE": 30}
"""Denoising steps of each quality; None: as many as the model was tuned for."""


def _strip_names(self, _context: bpy.types.Context, _typed: str) -> list[str]:
    return [strip.name for strip in strips.sound_strips(self.id_data)]


def _follow_strip(self, _context: bpy.types.Context) -> None:
    songs.mark(self.id_data, self.strip)


UNSET = 0
"""What stands in a number's field for a choice that is left to the model."""

LARGEST_INT = 2**31 - 1
"""Blender's fields for whole numbers hold no larger one."""

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


def _number(kind: type, field: str, name: str, **further):
    """A property with the help, the bounds and the default of a request's field. further: for its widget."""
    rule, default = protocol.rule(kind, field), protocol.default(kind, field)
    assert rule.least is not None and rule.most is not None, "a field's slider has two ends"
    description = rule.help[0].upper() + rule.help[1:]
    if default is None:
        default, description = UNSET, f"{description}. {UNSET}: {rule.unset}"
    whole = protocol.plain_type(kind, field) is int
    return (IntProperty if whole else FloatProperty)(
        name=name,
        description=description,
        min=rule.least,
        max=min(rule.most, LARGEST_INT) if whole else rule.most,
        default=default,
        **further,
    )


def _is_armature(_self, ob: bpy.types.Object) -> bool:
    return ob.type == "ARMATURE"


class FootlightSettings(bpy.types.PropertyGroup):
    source: EnumProperty(
        name="Song",
        description="Which sound the dance is for",
        items=(
            ("STRIP", "Strip", "One sound strip of the sequencer, as long as it is visible"),
            ("MIX", "Whole Mix", "Everything that is heard in the scene's frame range, from scene strips too"),
        ),
    )
    strip: StringProperty(
        name="Strip",
        description="The sound strip to dance to; may stay empty when only one is heard",
        search=_strip_names,
        update=_follow_strip,
    )
    dancer: PointerProperty(
        name="Dancer",
        description="The armature that dances or is scored; when empty, the active armature or the scene's only dancer",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    seed: _number(protocol.Sampling, "seed", "Seed")
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
    duet_seconds: _number(protocol.DuetOptions, "seconds", "Length", step=100, precision=1, subtype="TIME_ABSOLUTE")
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
    guidance: _number(protocol.Sampling, "guidance", "Guidance")
    beat_snap: _number(protocol.DanceOptions, "beat_snap", "Beat Snap", subtype="FACTOR")
    markers: BoolProperty(
        name="Mark Beats",
        description="Show the beats as timeline markers with every result",
        default=False,
    )
