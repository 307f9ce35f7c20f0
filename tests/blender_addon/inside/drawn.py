"""Runs inside a Blender: where the dancer is in a drawn picture, and where Blender's own projection has it."""

import dataclasses
import json
import sys
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).parent))

from pictures import add_sliding_dancer, empty_scene, in_picture

from blender_addon.stage import drawn, scenery

SIZE = WIDTH, HEIGHT = 480, 270
scene = empty_scene(SIZE)
dancer = add_sliding_dancer(np.linspace((0.0, 0.0, 0.0), (0.5, 0.0, 0.0), 40))
scene.camera = scenery.set_stage(scene, [dancer], (1, 40), WIDTH / HEIGHT)
stage = drawn.read_stage(scene)
moment = drawn.observe(stage, 30, SIZE)
picture = drawn.draw(stage, moment, SIZE)
empty = drawn.draw(dataclasses.replace(stage, bodies=[]), dataclasses.replace(moment, shapes=[]), SIZE)
brighter = (picture - empty).max(axis=2) > 0.1  # the dancer; its shadow is darker
rows, columns = np.flatnonzero(brighter.any(axis=1)), np.flatnonzero(brighter.any(axis=0))
body = dancer.children[0].evaluated_get(bpy.context.evaluated_depsgraph_get())
across, up = np.array([in_picture(scene, body.matrix_world @ v.co) for v in body.data.vertices]).T
found = {
    "drawn": [int(columns[0]), int(columns[-1] + 1), int(rows[0]), int(rows[-1] + 1)],
    "projected": [float(across.min()), float(across.max()), float(up.min()), float(up.max())],
    "darker": float(((empty - picture).min(axis=2) > 0.05).mean()),
    "range": [float(picture.min()), float(picture.max())],
}
print("FOUND", json.dumps(found), flush=True)
