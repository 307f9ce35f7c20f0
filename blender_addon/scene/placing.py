"""Where a new dancer stands: on the floor under the 3D cursor, beside whatever stands there already."""

from __future__ import annotations

import math
from collections.abc import Iterator

import bpy
import numpy as np
from mathutils import Vector

ROOM = 0.95
"""Half of the square that a dancer needs, arms out, metres."""

BODY = (0.1, 1.8)
"""From where to where above the floor something is in the way, metres: over the former one walks."""

SURROUNDINGS = 6.0
"""Metres: what is wider than this in both directions is a floor or a room, not a thing that stands in the way."""

# Between places that are tried, how far away the last one is, and how many there are around the cursor.
STEP = 0.25
FARTHEST = 20.0
DIRECTIONS = 16

SOLID = {"MESH", "CURVE", "CURVES", "SURFACE", "META", "FONT", "ARMATURE", "VOLUME", "POINTCLOUD"}
"""Types of objects that may be in the way."""

LEVEL = 0.5
"""How much a surface looks up (the cosine) that one can stand on."""


def free_spot(context: bpy.types.Context) -> tuple[float, float, float]:
    """The place for a new dancer's feet that is nearest to the 3D cursor; the cursor's own where none is free."""
    cursor = np.array(context.scene.cursor.location)
    graph = context.evaluated_depsgraph_get()
    height = _floor(context.scene, graph, cursor)
    boxes = _in_the_way(graph, height)
    for x, y in _around(cursor[:2]):
        low, high = np.array((x - ROOM, y - ROOM)), np.array((x + ROOM, y + ROOM))
        if not ((boxes[:, 0] < high) & (boxes[:, 1] > low)).all(axis=1).any():
            return float(x), float(y), height
    return float(cursor[0]), float(cursor[1]), height


def _floor(scene: bpy.types.Scene, graph: bpy.types.Depsgraph, cursor: np.ndarray) -> float:
    """The height of what one can stand on under the cursor; the world's floor where there is nothing, or the cursor's
    own where that is lower."""
    origin = Vector(cursor) + Vector((0.0, 0.0, 1e-3))
    while True:
        hit, place, normal, *_ = scene.ray_cast(graph, origin, (0.0, 0.0, -1.0))
        if not hit:
            return min(float(cursor[2]), 0.0)
        if normal.z > LEVEL:
            return float(place.z)
        origin = place - Vector((0.0, 0.0, 1e-3))


def _in_the_way(graph: bpy.types.Depsgraph, height: float) -> np.ndarray:
    """The lowest and the highest corner (n, 2, 2) along x and y of what stands on the floor at ``height``."""
    found = []
    for instance in graph.object_instances:
        if instance.object.type not in SOLID:
            continue
        corners = np.array(instance.object.bound_box) @ np.array(instance.matrix_world)[:3, :3].T
        corners += np.array(instance.matrix_world)[:3, 3]
        low, high = corners.min(axis=0), corners.max(axis=0)
        over = low[2] < height + BODY[1] and high[2] > height + BODY[0]
        if over and min(high[0] - low[0], high[1] - low[1]) < SURROUNDINGS:
            found.append((low[:2], high[:2]))
    return np.array(found).reshape(-1, 2, 2)


def _around(middle: np.ndarray) -> Iterator[np.ndarray]:
    """The middle, and places around it, the nearest first; of those that are as near the one on the right."""
    yield middle
    turns = np.arange(DIRECTIONS) / DIRECTIONS * 2 * math.pi
    turns = sorted(turns, key=lambda turn: (abs(math.sin(turn)) > 1e-6, turn))
    for away in np.arange(STEP, FARTHEST, STEP):
        for turn in turns:
            yield middle + away * np.array((math.cos(turn), math.sin(turn)))
