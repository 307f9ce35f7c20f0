"""Runs inside a Blender: what a drawn picture has of each role's light, when that role alone is on."""

import json
import sys
from pathlib import Path

import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).parent))

from pictures import add_sliding_dancer, empty_scene

from blender_addon.shared import Show, colour
from blender_addon.shared import show_channels as channels
from blender_addon.stage import drawn, lights

SIZE = WIDTH, HEIGHT = 160, 90
PLACES = {
    "chest": Vector((0.0, -0.1, 1.25)),
    "cloth": Vector((1.2, lights.BEHIND, 1.8)),
    "floor": Vector((0.7, -0.4, 0.0)),
    "corner": Vector((1.7, -0.4, 0.0)),
}
HUES = {"front": 0.0, "top": 120.0, "follow": 60.0, "backdrop": 240.0}


def alone(role):
    values = np.zeros((2, channels.CHANNELS), np.float32)
    for name in channels.HUES:
        values[:, channels.SLICES[name]] = colour.hue_vector(HUES[role])
    for name in channels.MIXTURES:
        values[:, channels.SLICES[name].start] = 1.0
    for name, value in (("level", 1.0), ("saturation", 1.0), ("spread", 0.0 if role == "follow" else 1.0)):
        values[:, channels.SLICES[f"{role}_{name}"]] = value
    for surface in channels.SURFACES:
        values[:, channels.SLICES[f"{surface}_base_value"]] = 0.8
    return Show(values)


scene = empty_scene(SIZE)
dancer = add_sliding_dancer(np.zeros((10, 3)))
found = {}
for role in HUES:
    scene.camera = lights.set_lit_stage(scene, [dancer], (1, 10), alone(role), WIDTH / HEIGHT)
    stage = drawn.read_stage(scene)
    picture = drawn.draw(stage, drawn.observe(stage, 5, SIZE), SIZE)
    seen = {name: world_to_camera_view(scene, scene.camera, place) for name, place in PLACES.items()}
    pixels = {name: (int(place.y * HEIGHT), int(place.x * WIDTH)) for name, place in seen.items()}
    found[role] = {name: picture[pixel].round(4).tolist() for name, pixel in pixels.items()}
print("FOUND", json.dumps(found), flush=True)
