"""The camera that follows a dance."""

from __future__ import annotations

import math

import bpy
import numpy as np
from mathutils import Vector

from ..scene import actions

EYE, CHEST = 2.0, 0.98
"""Heights of the camera and of what it looks at, metres: high enough that the feet are seen on the floor."""
LENS, SENSOR_HEIGHT = 50.0, 20.25  # mm
HALF_VIEW = math.atan(0.5 * SENSOR_HEIGHT / LENS)
TALL, WIDE = 1.2, 1.0
"""Half of what the picture must hold around the dancer, upright and across, metres."""
FOLLOW_SECONDS = 0.5
"""How lazily the camera follows: steps stay visible as steps, a walk across the stage does not leave the picture."""


def dancer_path(armature: bpy.types.Object, frames: tuple[int, int]) -> np.ndarray:
    """Where the dancer's root stands (frames, 2), metres in the world, read from its curves."""
    root = armature.data.bones[0]
    data = armature.animation_data
    curves = data.action.layers[0].strips[0].channelbag(data.action_slot).fcurves
    location = f'pose.bones["{bpy.utils.escape_identifier(root.name)}"].location'
    x, y, z = (curves.find(location, index=axis) for axis in range(3))
    place = armature.matrix_world @ root.matrix_local
    numbers = range(frames[0], frames[1] + 1)
    return np.array([(place @ Vector((x.evaluate(n), y.evaluate(n), z.evaluate(n)))).xy for n in numbers])


def following_camera(path: np.ndarray, first: int, fps: float, aspect: float) -> bpy.types.Object:
    """A camera with a curve for each coordinate, at a distance from which the whole body is always seen."""
    data = bpy.data.cameras.new("Stage camera")
    data.sensor_fit, data.sensor_height, data.lens = "VERTICAL", SENSOR_HEIGHT, LENS
    camera = bpy.data.objects.new("Stage camera", data)
    followed = _smooth(path, FOLLOW_SECONDS * fps)
    aside, nearer = np.abs(path - followed)[:, 0].max(), (followed - path)[:, 1].max()
    distance = max(TALL, (WIDE + aside) / aspect) / math.tan(HALF_VIEW) + max(0.0, nearer)
    places = np.stack([followed[:, 0], followed[:, 1] - distance, np.full(len(path), EYE)], axis=1)
    camera.location = places[0]
    look_at(camera, (*followed[0], CHEST))
    curves = (actions.Curve("location", axis, places[:, axis], "Stage camera") for axis in range(3))
    actions.new_action(camera, "Stage camera", curves, first)
    return camera


def _smooth(path: np.ndarray, width: float) -> np.ndarray:
    """A path (n, c) under a Gaussian of ``width`` frames, its ends held."""
    reach = math.ceil(3 * width)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    held = np.pad(path, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel / kernel.sum(), mode="valid") for column in held.T], axis=1)


def look_at(ob: bpy.types.Object, target: tuple[float, float, float]) -> None:
    ob.rotation_euler = (Vector(target) - ob.location).to_track_quat("-Z", "Y").to_euler()
