"""Read how an armature is animated, frame by frame, and leave the scene as it is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from pathlib import Path

import bpy
import numpy as np

from ..errors import UserError
from ..shared import protocol, retarget
from . import ground, residuals, rigs, staging, standing, strips

SLICE = 0.05
"""Seconds of reading between two looks at the user."""

STILL = 1e-3
"""Metres, and components of quaternions: what moves less all the time stands still."""

FARTHEST = 1e9
"""Scene units: Blender turns an infinite key into the largest number there is, which is no place either."""


class StandsStill(UserError):
    """There is no movement to read."""


def animated_range(armature: bpy.types.Object) -> tuple[int, int]:
    """The first and the last frame that the action and the NLA strips of ``armature`` speak of, whole frames around
    them.

    Raises UserError when it has neither, or none that plays.
    """
    found = staging.animated_spans(armature)
    if not found:
        raise UserError(
            f"{armature.name!r} has no action and no NLA strip that plays. Animate it, unmute its tracks, or choose "
            "Scene Range."
        )
    return math.floor(min(start for start, _ in found)), math.ceil(max(end for _, end in found))


def check_length(first: int, last: int, fps: float) -> None:
    """Raises UserError when the frames from ``first`` to ``last``, both included, are too short for music."""
    seconds = (last - first + 1) / fps
    if seconds < protocol.SHORTEST_SECONDS:
        raise UserError(
            f"The frames {first} to {last} last {max(seconds, 0.0):.2g} s; music needs "
            f"{protocol.SHORTEST_SECONDS:g} s or more. Choose a longer range."
        )


def motion(
    find: Callable[[], tuple[bpy.types.Scene, bpy.types.Object]], first: int, last: int
) -> Generator[float, None, tuple[np.ndarray, np.ndarray]]:
    """The armature's motion from ``first`` to ``last``, both included: rotations (t, 22, 4) wxyz and root (t, 3)
    metres, y-up, as the engine takes them. Yields the fraction that is done, every now and then, and 1 when nothing is
    asked of the scene any more.

    find: the scene and the armature, asked for again after every pause, in which anything may have become of them.
    Where the armature's object stands at the beginning is the middle of the stage; what it does then is motion.
    Raises UserError when the rig cannot be read, stands still, or has invalid transforms.
    """
    frames = range(first, last + 1)
    worlds, stances = [], []
    scene, armature = find()
    rest = standing.rest_of(scene, armature)
    names = [bone.name for bone in rest.bones]
    fps = 0.0
    while len(worlds) < len(frames):
        scene, armature = find()
        rigs.check_moving(armature)
        fps = strips.frame_rate(scene)
        if lost := set(names) - set(armature.data.bones.keys()):
            raise UserError(f"{armature.name!r} lost its bone {min(lost)} while it was read. Do it again.")
        until = time.monotonic() + SLICE
        with staging.evaluated(scene, armature) as on:
            for frame in frames[len(worlds) :]:
                world, bones = staging.stance(on(frame), names)
                worlds.append(world)
                stances.append(bones)
                if time.monotonic() > until:
                    break
        if len(worlds) < len(frames):
            yield len(worlds) / len(frames)
    rotations, root = _recovered(np.array(worlds), np.array(stances), rest, fps, first, armature)
    if max(np.ptp(rotations, axis=0).max(), np.ptp(root, axis=0).max()) < STILL:
        raise StandsStill(
            f"{armature.name!r} does not move from frame {first} to {last}. Give it an action, unmute its NLA tracks, "
            "or choose another range."
        )
    yield 1.0
    return rotations, root


def saving(
    path: Path, find: Callable[[], tuple[bpy.types.Scene, bpy.types.Object]], first: int, last: int, fps: float
) -> Generator[float, None, None]:
    """``motion``, written to an .npz file for the engine: rotations, root and fps.

    Raises UserError as ``motion`` and when it cannot be written.
    """
    rotations, root = yield from motion(find, first, last)
    try:
        np.savez(path, rotations=rotations, root=root, fps=fps)
    except OSError as error:
        raise UserError(
            f"The animation cannot be written to {path.parent} ({error.strerror}). Free some space there."
        ) from None


def _recovered(
    worlds: np.ndarray,
    stances: np.ndarray,
    rest: rigs.Rest,
    fps: float,
    first: int,
    armature: bpy.types.Object,
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations and root from the armature's places (t, 4, 4) and its bones' (t, n, 4, 4)."""
    valid = (np.abs(worlds) < FARTHEST).all(axis=(1, 2)) & (np.abs(stances) < FARTHEST).all(axis=(1, 2, 3))
    valid &= np.abs(np.linalg.det(np.where(valid[:, None, None], worlds, 0.0))) > 0
    if not valid.all():
        raise UserError(
            f"{armature.name!r} has an invalid transform on frame {first + int(np.argmin(valid))}: a number that is "
            "none, or a scale of 0. Correct its animation there."
        )
    turn = np.eye(4)
    turn[:3, :3] = rest.turn
    moved = turn @ np.linalg.inv(worlds[0]) @ worlds
    stood = moved[:, None] @ stances
    floor = ground.shown(armature, rest, stood, worlds[0])
    residual = residuals.of(armature, rest, range(first, first + len(stances)))
    return retarget.motion(stood, rest.bones, fps, floor, residual=residual)
