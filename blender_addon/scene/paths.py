"""Curves on the floor that a dancer follows."""

from __future__ import annotations

import bpy
import numpy as np

from ..errors import UserError
from ..shared import FootlightError, path_file, proportions
from . import staging, standing

CLOSEST = 1e-3
"""Metres: a point of a curve that is closer to the one before is left out."""


def of(
    scene: bpy.types.Scene, armature: bpy.types.Object, curve: bpy.types.Object, facing: str, first: int
) -> path_file.FloorPath:
    """The way of ``curve`` over the floor, as a dance on ``armature`` takes it.

    facing: as of ``FloorPath``.
    first: the first frame of the dance, whose middle is where the armature then stands.

    Raises UserError when the curve is no way, and as ``standing.rest_of``.
    """
    rest = standing.rest_of(scene, armature)
    with staging.evaluated(scene, armature) as on:
        world = np.array(on(first).matrix_world)
    points = (line(curve) - world[:3, 3]) @ np.linalg.inv(world[:3, :3]).T @ rest.turn.T
    places = proportions.on_floor(points, rest.bones)
    apart = np.linalg.norm(np.diff(places, axis=0), axis=1) > CLOSEST
    try:
        return path_file.FloorPath(tuple(map(tuple, places[np.append(True, apart)].tolist())), facing)
    except FootlightError as error:
        raise UserError(f"{curve.name!r} is no way to follow: {error}.") from None


def line(curve: bpy.types.Object) -> np.ndarray:
    """The points (n, 3) of a curve in the world, from its start to its end. Its thickness does not count.

    Raises UserError for an object with none or several curves in it.
    """
    splines = curve.data.splines
    if len(splines) != 1:
        raise UserError(f"{curve.name!r} has {len(splines)} curves in it. Choose an object with one.")
    bare = curve.copy()
    data = bare.data = curve.data.copy()
    try:
        data.dimensions = "3D"  # a flat one may be filled
        data.bevel_depth = data.extrude = data.offset = 0.0
        data.bevel_object = None
        points = np.array([vertex.co for vertex in bare.to_mesh().vertices])
    finally:
        bpy.data.objects.remove(bare)
        bpy.data.curves.remove(data)
    if splines[0].use_cyclic_u:
        points = np.concatenate((points, points[:1]))
    world = np.array(curve.matrix_world)
    return points @ world[:3, :3].T + world[:3, 3]
