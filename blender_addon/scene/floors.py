"""A floor that the user picked: an object that a dancer stands on, level, sloped or with steps."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree

from ..errors import UserError
from ..names import BONES_PROPERTY, PREFIX
from ..shared import proportions, retarget
from . import rigs, staging

ORIGIN = f"{PREFIX}origin"
"""The property of an action whose dance moves the object: where it stood before."""

DOWN = (0.0, 0.0, -1.0)

APART = 1e-3
"""Of a leg: how far below one face the next one is looked for."""


def picked(armature: bpy.types.Object) -> bpy.types.Object | None:
    """The object that ``armature`` is to stand on; None for the floor of its own."""
    return getattr(getattr(armature, BONES_PROPERTY, None), "floor", None)


def home(armature: bpy.types.Object) -> np.ndarray:
    """The place (4, 4) of ``armature`` in the world, before any dance moved it."""
    world = armature.matrix_world
    action = staging.dance_of(armature)
    if action is not None and ORIGIN in action:
        basis = armature.matrix_basis
        own = basis.copy()
        own.translation = action[ORIGIN]
        world = world @ basis.inverted_safe() @ own
    return np.array(world)


def under(floor: bpy.types.Object, rest: rigs.Rest, world: np.ndarray) -> retarget.Ground:
    """A floor as a rig dances on it, as it is on the current frame.

    rest: the body of the rig.
    world: (4, 4) where it stands. Of several floors above each other it is the one nearest to where the rig stands at
        rest, of faces those that look up. Where there is none, it is as high as its nearest point.

    Raises UserError for one that was deleted or has no faces.
    """
    if not floor.users_scene:
        raise UserError(f"{floor.name!r} is in no scene any more. Choose another object under Floor, or empty it.")
    base = proportions.floor(rest.bones)
    points, faces = _shown(floor, world, rest.turn)
    tree, highest = BVHTree.FromPolygons(points.tolist(), faces), points[:, 2].max()

    def height(place: np.ndarray, near: float) -> float:
        """The height that is nearest to another one of what one can stand on."""
        found, above = [], highest + base.leg
        while (hit := tree.ray_cast((*place, above), DOWN))[0] is not None:
            found.append((hit[1].z < 0.0, abs(hit[0].z - near), hit[0].z))
            above = hit[0].z - APART * base.leg
        return min(found)[2] if found else tree.find_nearest((*place, near))[0].z

    level = height(base.middle, base.height)
    return retarget.Ground(level, lambda places: np.array([height(place, level) for place in places]) - level)


def _shown(floor: bpy.types.Object, world: np.ndarray, turn: np.ndarray) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """The vertices (n, 3) of an object as it is shown, in a rig's upright space, and its faces.

    world, turn: as of ``under`` and ``rigs.Rest``.
    """
    shown = floor.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = shown.to_mesh()
    try:
        points = np.empty(3 * len(mesh.vertices), dtype=np.float32)
        mesh.vertices.foreach_get("co", points)
        faces = [tuple(face.vertices) for face in mesh.polygons]
    finally:
        shown.to_mesh_clear()
    if not faces:
        raise UserError(f"{floor.name!r} has no faces to stand on. Choose another object under Floor.")
    matrix = np.linalg.inv(world) @ np.array(shown.matrix_world)
    return (points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]) @ turn.T, faces
