"""The camera that follows a dance."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..names import STAGE
from ..scene import actions
from .watched import Watched, belongs

LENS = 50.0  # mm
SENSOR_HEIGHT = 20.25  # mm
HALF_VIEW = math.atan(0.5 * SENSOR_HEIGHT / LENS)
DOWN = math.radians(11.0)
"""How far the camera looks down: enough that the feet are seen on the floor."""
FLESH = 0.12
"""What a body has around the ends of its bones, in units."""
FULL = 0.92
"""How much of the picture the dance may fill."""
FOLLOW_SECONDS = 0.5
"""How lazily the camera follows: steps stay visible as steps, a walk across the stage does not leave the picture."""
# Between these distances the camera sees, in units.
NEAREST = 0.1
FARTHEST = 200.0
# Frames, and about as many points on each, that are looked at for what stands in the way.
LOOKS = 6
POINTS = 12
BEYOND = 1e-5
"""How far behind what is looked through one looks on, of the way and in metres."""
CLEAR = 0.25
"""How far before a body that ends, in units: the floor under its feet is not in the way."""


@dataclass(frozen=True)
class Shot:
    """How a dance is filmed.

    first: the first frame.
    places: (n, 3) where the camera is on it and those that follow.
    right, up, ahead: (3,) its axes in the world.
    distance: from what it follows.
    """

    first: int
    places: np.ndarray
    right: np.ndarray
    up: np.ndarray
    ahead: np.ndarray
    distance: float


def shot(watched: Watched, fps: float, aspect: float) -> Shot:
    """From the front, at a distance from which all bodies are always seen. The camera never turns.

    fps: frames a second of the scene.
    aspect: width of the picture by its height.
    """
    path = followed(watched, fps)
    front = np.array((*watched.front, 0.0))
    ahead = -math.cos(DOWN) * front - np.array((0.0, 0.0, math.sin(DOWN)))
    right = np.cross(ahead, (0.0, 0.0, 1.0)) / math.cos(DOWN)
    up = np.cross(right, ahead)
    first = int(watched.frames[0])
    apart = watched.points - path[watched.frames - first][:, None]
    aside, height, nearer = apart @ right, apart @ up, -(apart @ ahead)
    flesh = FLESH * watched.unit
    middle = (height.min() + height.max()) / 2
    half = FULL * math.tan(HALF_VIEW)
    needed = np.maximum((np.abs(aside) + flesh) / aspect, np.abs(height - middle) + flesh) / half + nearer + flesh
    distance = float(needed.max())
    return Shot(first, path + middle * up - distance * ahead, right, up, ahead, distance)


def followed(watched: Watched, fps: float) -> np.ndarray:
    """Where the bodies are on the floor on every frame (t, 3), as whoever follows them with ease sees it."""
    frames = np.arange(watched.frames[0], watched.frames[-1] + 1)
    path = np.stack([np.interp(frames, watched.frames, watched.middle[:, axis]) for axis in range(2)], axis=1)
    return np.concatenate([_smooth(path, FOLLOW_SECONDS * fps), np.full((len(path), 1), watched.floor)], axis=1)


def following_camera(filmed: Shot, unit: float) -> bpy.types.Object:
    """A camera with a curve for each coordinate.

    unit: of the bodies.
    """
    data = bpy.data.cameras.new("Stage camera")
    data.sensor_fit, data.sensor_height, data.lens = "VERTICAL", SENSOR_HEIGHT, LENS
    data.clip_start, data.clip_end = NEAREST * unit, max(FARTHEST * unit, 10 * filmed.distance)
    camera = bpy.data.objects.new("Stage camera", data)
    axes = Matrix(np.stack([filmed.right, filmed.up, -filmed.ahead], axis=1)).to_4x4()
    camera.matrix_world = Matrix.Translation(filmed.places[0]) @ axes
    curves = (actions.Curve("location", axis, filmed.places[:, axis], "Stage camera") for axis in range(3))
    actions.new_action(camera, "Stage camera", curves, filmed.first)
    return camera


def hidden(scene: bpy.types.Scene, watched: Watched, filmed: Shot, bodies: Collection[bpy.types.Object]) -> float:
    """Which part of the bodies (0 to 1) something else hides from the camera, as the scene is now.

    bodies: armatures; what follows them hides nothing, and nor does a stage.
    """
    graph = bpy.context.evaluated_depsgraph_get()
    blocked = total = 0
    for i in np.linspace(0, len(watched.frames) - 1, LOOKS).round().astype(int):
        eye = Vector(filmed.places[watched.frames[i] - filmed.first])
        for point in watched.points[i][:: max(1, len(watched.points[i]) // POINTS)]:
            way = Vector(point) - eye
            first = _first_seen(scene, graph, eye, way.normalized(), way.length - CLEAR * watched.unit)
            blocked += first is not None and not belongs(first, bodies)
            total += 1
    return blocked / total


def _first_seen(
    scene: bpy.types.Scene, graph: bpy.types.Depsgraph, eye: Vector, ahead: Vector, far: float
) -> bpy.types.Object | None:
    """What is first on a way that is so long, but for stages."""
    gone = 0.0
    while gone < far:
        hit, place, _, _, ob, _ = scene.ray_cast(graph, eye + gone * ahead, ahead, distance=far - gone)
        if not hit or STAGE not in ob.original:
            return ob.original if hit else None
        gone = (place - eye).length * (1 + BEYOND) + BEYOND
    return None


def _smooth(path: np.ndarray, width: float) -> np.ndarray:
    """A path (n, c) under a Gaussian of ``width`` frames, its ends held."""
    reach = math.ceil(3 * width)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    held = np.pad(path, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel / kernel.sum(), mode="valid") for column in held.T], axis=1)
