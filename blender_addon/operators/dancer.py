"""Add the bundled dancer."""

from __future__ import annotations

import bpy

from .. import names
from ..scene import dancer, placing, versions
from .polling import SaysWhy
from .settings import check_editable, settings_of


class FOOTLIGHT_OT_add_dancer(SaysWhy, bpy.types.Operator):
    """Add the Footlight dancer, an armature with a mannequin, at the 3D cursor or beside what stands there"""

    bl_idname = names.ADD_DANCER
    bl_label = "Add Dancer"
    bl_options = frozenset({"REGISTER", "UNDO"})

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        check_editable(context.scene)
        return ""

    def execute(self, context: bpy.types.Context) -> set[str]:
        add(context)
        return {"FINISHED"}


def add(context: bpy.types.Context) -> bpy.types.Object:
    """A new dancer where there is room, selected, active and chosen in the panel. Returns its armature."""
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    armature = dancer.add_dancer(context, placing.free_spot(context))
    settings_of(context.scene).dancer = armature
    if context.window is not None:
        versions.offer_to_sequencer(context.window, context.scene)
    return armature
