"""The floor that a rig stands on.

It is the object that the user picked, or else the one under the feet of its rest pose. Some rigs, though, have their
origin in their hips, as BVH files are imported: at rest their feet are below the floor, and their animation lifts them
onto it. Then the floor is where they stand in their animation.
"""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np

from ..shared import proportions, retarget, skeleton
from . import floors, rigs, staging

NEAR = 0.25
"""Of the length of a leg: what is nearer to a floor stands on it."""

SAMPLES = 24
"""Frames of an animation that are looked at."""

LOW = 5.0
"""Percentile of the heights of the feet at which they stand: a foot may go below the floor for a moment."""

_ANKLES = (skeleton.JOINTS.index("left_ankle"), skeleton.JOINTS.index("right_ankle"))


def of(scene: bpy.types.Scene, armature: bpy.types.Object, rest: rigs.Rest) -> retarget.Ground:
    """The floor of ``armature``, as ``retarget.keys`` takes it.

    rest: its body.

    Raises UserError when a picked one has no faces.
    """
    return _picked(armature, rest, floors.home(armature)) or retarget.Ground(_height(scene, armature, rest))


def shown(armature: bpy.types.Object, rest: rigs.Rest, stood: np.ndarray, world: np.ndarray) -> retarget.Ground:
    """The floor of ``armature`` while it is read. Parameters are those of ``level``. Raises as ``of``."""
    return _picked(armature, rest, world) or retarget.Ground(level(rest, stood, world))


def _picked(armature: bpy.types.Object, rest: rigs.Rest, world: np.ndarray) -> retarget.Ground | None:
    """The floor that the user picked, under soles that are as thick as at rest, where the rest pose stands on one."""
    floor = floors.picked(armature)
    if floor is None:
        return None
    ground, base = floors.under(floor, rest, world), proportions.floor(rest.bones)
    thick = min((base.height - floor for floor in _floors(rest, world)), key=abs)
    return replace(ground, height=(ground.height or 0.0) + (thick if abs(thick) < NEAR * base.leg else 0.0))


def _height(scene: bpy.types.Scene, armature: bpy.types.Object, rest: rigs.Rest) -> float | None:
    if _stands_at_rest(rest, np.array(armature.matrix_world)):
        return None
    frames = staging.sampled(scene, armature, SAMPLES)
    names = [bone.name for bone in rest.bones]
    with staging.evaluated(scene, armature) as on:
        worlds, stances = zip(*(staging.stance(on(frame), names) for frame in frames), strict=True)
    turn = np.eye(4)
    turn[:3, :3] = rest.turn
    return level(rest, turn @ np.array(stances), worlds[0])


def level(rest: rigs.Rest, stood: np.ndarray, world: np.ndarray) -> float | None:
    """The height of the floor in the upright space of ``rest``; None where it is that of the rest pose.

    stood: (t, n, 4, 4) the bones of ``rest`` in upright space, while they are animated.
    world: (4, 4) the armature's place.
    """
    if _stands_at_rest(rest, world):
        return None
    feet = [i for i, bone in enumerate(rest.bones) if bone.joint in _ANKLES]
    base = proportions.floor(rest.bones)
    lowest = float(np.percentile(stood[:, feet, 2, 3].min(axis=1), LOW)) - base.ankle
    near = [floor for floor in _floors(rest, world) if abs(lowest - floor) < NEAR * base.leg]
    return min(near, key=lambda floor: abs(lowest - floor), default=None)


def _stands_at_rest(rest: rigs.Rest, world: np.ndarray) -> bool:
    """Whether the feet of the rest pose are on the floor of the armature's space or of the world."""
    base = proportions.floor(rest.bones)
    return any(abs(base.height - floor) < NEAR * base.leg for floor in _floors(rest, world))


def _floors(rest: rigs.Rest, world: np.ndarray) -> set[float]:
    return {0.0} | _world_floor(world, rest.turn)


def _world_floor(world: np.ndarray, turn: np.ndarray) -> set[float]:
    """The height of the world's floor in the upright space of a rig that stands upright in the world; else nothing."""
    up = world[:3, :3] @ turn.T @ np.array((0.0, 0.0, 1.0))
    scale = np.linalg.norm(up)
    if not scale > 0 or up[2] < 0.99 * scale:
        return set()
    return {-world[2, 3] / scale}
