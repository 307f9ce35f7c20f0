"""Add the bundled dancer."""

from __future__ import annotations

import bpy

from .. import names
from ..scene import dancer


class FOOTLIGHT_OT_add_dancer(bpy.types.Operator):
    """Add the Footlight dancer, an armature with a mannequin, at the 3D cursor"""

    bl_idname = names.ADD_DANCER
    bl_label = "Add Dancer"
    bl_options = frozenset({"REGISTER", "UNDO"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        if context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        armature = dancer.add_dancer(context, tuple(context.scene.cursor.location))
        getattr(context.scene, names.SCENE_PROPERTY).dancer = armature
        return {"FINISHED"}
