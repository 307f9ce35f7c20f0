"""Runs inside a Blender: says as JSON what is heard and who dances in the .blend that is named on the command line."""

import json
import sys

import bpy

bpy.ops.wm.open_mainfile(filepath=sys.argv[-1])
scene = bpy.context.scene
new = bpy.app.version >= (5, 2, 0)
found = {
    "strips": [
        [strip.sound.filepath, *((strip.left_handle, strip.right_handle) if new else
                                 (strip.frame_final_start, strip.frame_final_end))]
        for strip in scene.sequence_editor.strips
    ],
    "frames": [scene.frame_start, scene.frame_end],
    "actions": [ob.animation_data.action.name for ob in scene.objects if ob.type == "ARMATURE" and ob.animation_data],
}  # fmt: skip
print("FOUND", json.dumps(found), flush=True)
