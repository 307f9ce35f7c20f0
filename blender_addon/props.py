"""What the user chooses, kept in the scene."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from .scene import strips, versions

STEPS = {"DRAFT": 6, "NORMAL": None, "FINE": 30}
"""Denoising steps of each quality; None: as many as the model was tuned for."""


def _strip_names(_self, context: bpy.types.Context, _typed: str) -> list[str]:
    return [strip.name for strip in strips.sound_strips(versions.sequencer_scene(context))]


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
        description="The armature that dances; when empty, the active armature or the scene's only dancer",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    seed: IntProperty(
        name="Seed", description="Another seed gives another dance to the same song", min=0, max=2**31 - 1, default=0
    )
    quality: EnumProperty(
        name="Quality",
        description="How finely the dance is worked out",
        items=(
            ("DRAFT", "Draft", "Fastest; for a first look"),
            ("NORMAL", "Normal", "What the model was tuned for"),
            ("FINE", "Fine", "Slower, with more steps"),
        ),
        default="NORMAL",
    )
    guidance: FloatProperty(
        name="Guidance",
        description="How strictly the dance follows the music, 1 or more; 0: as the model was tuned",
        min=0.0,
        max=10.0,
        default=0.0,
    )
    beat_snap: FloatProperty(
        name="Beat Snap",
        description="How strongly accents are moved onto the beats of the song",
        min=0.0,
        max=1.0,
        default=0.25,
        subtype="FACTOR",
    )
    markers: BoolProperty(
        name="Mark Beats", description="Show the song's beats as timeline markers with every dance", default=False
    )
