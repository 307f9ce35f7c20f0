"""Which frames of a dance are keyed, as the user chooses it, kept in the scene."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty

from .shared import thinning

EVERY = "EVERY"
NTH = "NTH"
THINNED = "THINNED"
BEZIER = "BEZIER"


class FootlightKeys(bpy.types.PropertyGroup):
    frames: EnumProperty(
        name="Keys",
        description="Which frames of the next dance are keyed",
        items=(
            (EVERY, "Every Frame", "The dance exactly"),
            (NTH, "Every Nth", "One frame of so many"),
            (THINNED, "Thinned", "As few frames as the tolerance allows, measured on hips, hands and feet"),
        ),
    )
    step: IntProperty(name="Every", description="One frame of so many is keyed", min=2, max=60, soft_max=12, default=2)
    degrees: FloatProperty(
        name="Degrees",
        description="How much a bone may be turned otherwise than in the dance, in degrees",
        min=0.05,
        max=45.0,
        soft_max=10.0,
        default=thinning.Tolerance.degrees,
        precision=1,
        step=10,
    )
    millimetres: FloatProperty(
        name="Millimetres",
        description="How far hips, hands and feet may be off, in millimetres on a body of 1.70 m",
        min=0.1,
        max=500.0,
        soft_max=50.0,
        default=thinning.Tolerance.millimetres,
        precision=1,
        step=50,
    )
    curves: EnumProperty(
        name="Curves",
        description="What the curves between the keys are",
        items=(
            (BEZIER, "Bezier", "Smooth, with handles. They need far fewer keys"),
            ("LINEAR", "Linear", "Straight from key to key"),
        ),
    )


def spacing(keys: FootlightKeys) -> thinning.Spacing:
    """What the user's choice is to the writing of a dance."""
    if keys.frames == EVERY:
        return thinning.EVERY_FRAME
    smooth = keys.curves == BEZIER
    if keys.frames == NTH:
        return thinning.Spacing(every=keys.step, smooth=smooth)
    return thinning.Spacing(tolerance=thinning.Tolerance(keys.degrees, keys.millimetres), smooth=smooth)
