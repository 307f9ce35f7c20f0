"""Hips of rigs that are much wider than ours.

Where feet stand, a quick turn of such hips would take the legs far from where the dancer's point. So hips turn less,
the wider they are: the line through them does, while they bend to the front and back as the dancer's do. The slow turn
of the body about which they go stays.
"""

from __future__ import annotations

import numpy as np

from . import quaternion as quat

WIDE = 1.25
"""Times our hips, in the rig's size: those of a rig that are wider turn less."""

_SLOW = 30  # frames, the standard deviation of the mean that is the slow part of a turn
_LIMIT = 0.45  # radians by which hips turn less at most
_ROUNDS = 30  # of finding the turns that were made smaller: each leaves at most 1 - WIDE / wide of the error
_LEFT = np.array((1.0, 0.0, 0.0))


def are_steadied(wide: float) -> bool:
    """Whether hips that are ``wide`` times as wide as ours turn less than ours."""
    return wide > WIDE


def steadied(turns: np.ndarray, wide: float) -> np.ndarray:
    """How the pelvis of a rig is turned (t, 4) whose hips are ``wide`` times as wide as ours.

    turns: (t, 4) how ours is turned, in the rig's upright space.
    """
    if not are_steadied(wide):
        return turns
    x, y, z = (line := quat.rotate(turns, _LEFT)).T
    level = np.hypot(x, y)  # no heading where the line is upright
    heading, tilt = np.unwrap(np.arctan2(y, x)), np.arctan2(z, level)
    heading = heading - level * _taken(heading - _slow(heading), wide)
    tilt = tilt - level * _taken(tilt, wide)
    wanted = np.stack((np.cos(heading) * np.cos(tilt), np.sin(heading) * np.cos(tilt), np.sin(tilt)), axis=-1)
    return quat.mul(quat.swing(line, wanted), turns)


def _slow(angle: np.ndarray) -> np.ndarray:
    """The slow part of an angle (t,)."""
    reach = 3 * _SLOW
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SLOW) ** 2)
    return np.convolve(np.pad(angle, reach, mode="edge"), weights / weights.sum(), "valid")


def _taken(angle: np.ndarray, wide: float) -> np.ndarray:
    """How much of an angle (t,) is taken away."""
    return _LIMIT * np.tanh((1.0 - WIDE / wide) * angle / _LIMIT)


def recovered(turns: np.ndarray, wide: float) -> np.ndarray:
    """The inverse of ``steadied``: how our pelvis was turned (t, 4), by fixed-point iteration."""
    found = turns
    for _ in range(_ROUNDS if are_steadied(wide) else 0):
        found = quat.unit(quat.mul(quat.mul(turns, quat.conjugate(steadied(found, wide))), found))
    return found
