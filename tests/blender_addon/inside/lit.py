"""Runs inside a Blender: what a drawn picture has of each role's light, when that role alone is on."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).parent))

from pictures import add_sliding_dancer, empty_scene, in_picture

from blender_addon.shared import Show, colour
from blender_addon.shared import show_channels as channels
from blender_addon.stage import drawn, lights

SIZE = WIDTH, HEIGHT = 160, 90
PLACES = {
    "chest": (0.0, -0.1, 1.25),
    "cloth": (1.2, lights.BEHIND, 1.8),
    "floor": (0.7, -0.4, 0.0),
    "corner": (1.7, -0.4, 0.0),
}
HUES = {"front": 0.0, "top": 120.0, "follow": 60.0, "backdrop": 240.0}


def alone(role, spread=1.0, across=0.0):
    values = np.zeros((2, channels.CHANNELS), np.float32)
    for name in channels.HUES:
        values[:, channels.SLICES[name]] = colour.hue_vector(HUES[role])
    for name in channels.MIXTURES:
        values[:, channels.SLICES[name].start] = 1.0
    for name, value in (("level", 1.0), ("saturation", 1.0), ("spread", spread), ("across", across)):
        values[:, channels.SLICES[f"{role}_{name}"]] = value
    for surface in channels.SURFACES:
        values[:, channels.SLICES[f"{surface}_base_value"]] = 0.8
    return Show(values)


def observe(show):
    """The stage in the light of a show, and a moment of it."""
    scene.camera = lights.set_lit_stage(scene, [dancer], (1, 10), show, WIDTH / HEIGHT)
    stage = drawn.read_stage(scene)
    return stage, drawn.observe(stage, 5, SIZE)


def pixel(place):
    across, up = in_picture(scene, place)
    return int(up), int(across)


def on_the_floor(lamp, place):
    """Where the shadow of a place falls."""
    return lamp + (place - lamp) * lamp[2] / (lamp[2] - place[2])


scene = empty_scene(SIZE)
dancer = add_sliding_dancer(np.zeros((10, 3)))
found = {}
for role in HUES:
    picture = drawn.draw(*observe(alone(role, spread=0.0 if role == "follow" else 1.0)), SIZE)
    found[role] = {name: picture[pixel(place)].round(4).tolist() for name, place in PLACES.items()}
stage, moment = observe(alone("front", spread=0.0, across=-1.0))
empty = dataclasses.replace(stage, bodies=[]), dataclasses.replace(moment, shapes=[])
shadow = pixel(on_the_floor(np.array(scene.objects["Stage front 1"].location), np.array((0.0, 0.0, 0.95))))
bright = {name: drawn.draw(*seen, SIZE)[shadow].max() for name, seen in (("with", (stage, moment)), ("without", empty))}
found["shadow"] = {name: float(value) for name, value in bright.items()}
print("FOUND", json.dumps(found), flush=True)
