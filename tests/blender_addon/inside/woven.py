"""Runs inside a Blender: a cloth of two colours that glows, by Cycles and by numpy."""

import json
import sys
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).parent))

from pictures import empty_scene, seen_from_above

from blender_addon.shared import show_channels
from blender_addon.stage import paint
from blender_addon.stage.animation import Animation
from blender_addon.stage.lighting import Coat
from blender_addon.stage.tracks import steady
from blender_addon.stage.weave import Weave

SIDE, METRES = 128, 3.6  # pixels and metres of the cloth
BASE, ACCENT = (0.1, 0.0, 0.2), (0.8, 0.5, 0.4)
WEAVE = Weave("UV", (METRES, METRES, 0.0), 0, 0.9)


def photograph(pattern):
    """The cloth (h, w, 3) as Cycles sees it, and what ``paint.woven`` says of its material."""
    scene = empty_scene((SIDE, SIDE))
    bpy.ops.mesh.primitive_plane_add(size=METRES)
    weights = [float(name == pattern) for name in show_channels.PATTERNS]
    coat = Coat(steady(*BASE), steady(*ACCENT), steady(1.0), steady(*weights), steady(1.0))
    material = paint.material("Cloth", coat, 2, WEAVE, 1.0, Animation(1, 2))
    bpy.context.object.data.materials.append(material)
    return seen_from_above(scene, METRES, 16), paint.woven(material)


found = {}
at = (np.arange(SIDE) + 0.5) / SIDE
places = np.array([(u, v, 0.0) for v in at for u in at])
for pattern in show_channels.PATTERNS:
    seen, woven = photograph(pattern)
    off = np.abs(seen - woven.at(places).reshape(seen.shape)).max(axis=2)
    means = seen.mean(axis=(0, 1)).tolist(), woven.mean.tolist()
    found[pattern] = {"differs": float((off > 0.05).mean()), "cycles": means[0], "numpy": means[1]}
print("FOUND", json.dumps(found), flush=True)
