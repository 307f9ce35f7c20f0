"""Runs inside a Blender: where in the picture a dancer is who walks across the stage with raised arms."""

import json
import sys
from pathlib import Path

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from blender_addon.scene import actions
from blender_addon.scene.dancer import add_dancer
from blender_addon.stage.scenery import set_stage

FRAMES = 240
aspect = float(sys.argv[-1])
bpy.ops.wm.read_homefile(use_empty=True)
scene = bpy.context.scene
scene.render.resolution_x, scene.render.resolution_y = round(1000 * aspect), 1000
dancer = add_dancer(bpy.context, location=(1.0, 2.0, 0.0))
seconds = np.arange(FRAMES) / 24
root = dancer.data.bones[0]
walk = np.stack([2 * np.sin(seconds), 1.5 * np.cos(1.3 * seconds), np.zeros(FRAMES)], axis=1)
local = walk @ np.array(root.matrix_local.to_3x3())  # of the world's axes onto the bone's
path = f'pose.bones["{root.name}"].location'
curves = [actions.Curve(path, axis, local[:, axis], root.name) for axis in range(3)]
for side, turn in (("L", 1.4), ("R", -1.4)):
    arm = dancer.data.bones[f"upper_arm.{side}"]
    axis = np.array((0.0, -1.0, 0.0)) @ np.array(arm.matrix_local.to_3x3())
    raised = (np.cos(turn / 2), *(np.sin(turn / 2) * axis))
    curves += [
        actions.Curve(f'pose.bones["{arm.name}"].rotation_quaternion', i, np.full(FRAMES, raised[i]), arm.name)
        for i in range(4)
    ]
actions.new_action(dancer, "Walk", curves, 1)
camera = set_stage(scene, [dancer], (1, FRAMES), aspect)
seen, still = [], []
for frame in range(1, FRAMES + 1, 8):
    scene.frame_set(frame)
    points = [dancer.matrix_world @ end for bone in dancer.pose.bones for end in (bone.head, bone.tail)]
    seen += [tuple(world_to_camera_view(scene, camera, point)) for point in points]
    still.append(tuple(camera.rotation_euler))
seen = np.array(seen)
top = max((dancer.matrix_world @ bone.tail).z for bone in dancer.pose.bones)
found = {
    "low": seen.min(axis=0).tolist(),
    "high": seen.max(axis=0).tolist(),
    "turns": float(np.ptp(still, axis=0).max()),
    "top": top,
}
print("FOUND", json.dumps(found), flush=True)
