"""Rigify's rigs, as Blender's own add-on makes them."""

import bpy
from scenes import FOLDER


def generated():
    """Rigify's rig, made by Blender's own add-on, and its file."""
    path = FOLDER / "rigify.blend"
    if not path.exists():
        bpy.ops.preferences.addon_enable(module="rigify")
        try:
            bpy.ops.object.armature_human_metarig_add()
            bpy.ops.pose.rigify_generate()
            bpy.ops.wm.save_as_mainfile(filepath=str(path))
        finally:
            bpy.ops.preferences.addon_disable(module="rigify")  # an add-on left enabled hangs Blender's end
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return bpy.data.objects["rig"]
