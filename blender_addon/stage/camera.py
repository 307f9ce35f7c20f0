"""The camera that follows a dance."""

from __future__ import annotations

import math

import bpy
import numpy as np
from mathutils import Matrix

from ..scene import actions
from .watched import Watched

LENS, SENSOR_HEIGHT = 50.0, 20.25  # mm
HALF_VIEW = math.atan(0.5 * SENSOR_HEIGHT / LENS)
DOWN = math.radians(11.0)
"""How far the camera looks down: enough that the feet are seen on the floor."""
FLESH = 0.12
"""What a body has around the ends of its bones, in units."""
FULL = 0.92
"""How much of the picture the dance may fill."""
FOLLOW_SECONDS = 0.5
"""How lazily the camera follows: steps stay visible as steps, a walk across the stage does not leave the picture."""
NEAREST, FARTHEST = 0.1, 200.0
"""Between these distances the camera sees, in units."""


def following_camera(watched: Watched, fps: float, aspect: float) -> bpy.types.Object:
    """A camera with a curve for each coordinate, at a distance from which all bodies are always seen. It never turns.

    fps: frames a second of the scene.  aspect: width of the picture by its height.
    """
    data = bpy.data.cameras.new("Stage camera")
    data.sensor_fit, data.sensor_height, data.lens = "VERTICAL", SENSOR_HEIGHT, LENS
    data.clip_start, data.clip_end = NEAREST * watched.unit, FARTHEST * watched.unit
    camera = bpy.data.objects.new("Stage camera", data)
    frames = np.arange(watched.frames[0], watched.frames[-1] + 1)
    path = np.stack([np.interp(frames, watched.frames, watched.middle[:, axis]) for axis in range(2)], axis=1)
    followed = np.concatenate([_smooth(path, FOLLOW_SECONDS * fps), np.full((len(path), 1), watched.floor)], axis=1)

    front = np.array((*watched.front, 0.0))
    ahead = -math.cos(DOWN) * front - np.array((0.0, 0.0, math.sin(DOWN)))
    right = np.cross(ahead, (0.0, 0.0, 1.0)) / math.cos(DOWN)
    up = np.cross(right, ahead)
    apart = watched.points - followed[watched.frames - frames[0]][:, None]
    aside, height, nearer = apart @ right, apart @ up, -(apart @ ahead)
    flesh = FLESH * watched.unit
    middle = (height.min() + height.max()) / 2
    half = FULL * math.tan(HALF_VIEW)
    needed = np.maximum((np.abs(aside) + flesh) / aspect, np.abs(height - middle) + flesh) / half + nearer + flesh
    distance = float(needed.max())
    data.clip_end = max(data.clip_end, 10 * distance)

    places = followed + middle * up - distance * ahead
    camera.matrix_world = Matrix.Translation(places[0]) @ Matrix(np.stack([right, up, -ahead], axis=1)).to_4x4()
    curves = (actions.Curve("location", axis, places[:, axis], "Stage camera") for axis in range(3))
    actions.new_action(camera, "Stage camera", curves, int(frames[0]))
    return camera


def _smooth(path: np.ndarray, width: float) -> np.ndarray:
    """A path (n, c) under a Gaussian of ``width`` frames, its ends held."""
    reach = math.ceil(3 * width)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    held = np.pad(path, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel / kernel.sum(), mode="valid") for column in held.T], axis=1)
