"""Hips of rigs that are much wider than ours.

Where feet stand, a quick turn of such hips would take the legs far from where the dancer's point. So hips turn less,
the wider they are: the line through them does, while they bend to the front and back as the dancer's do. The slow turn
of the body about which they go stays.
"""

from __future__ import annotations

import numpy as np

from . import quaternion as quat
from .feet import smooth

WIDE = 1.05
"""Times our hips, in the rig's size: those of a rig that are wider turn less."""

_SLOW = 60  # frames, the standard deviation of the mean that is the slow part of a turn
_LIMIT = 0.7  # radians by which hips turn less at most
_LEFT = np.array((1.0, 0.0, 0.0))


def steadied(turns: np.ndarray, wide: float) -> np.ndarray:
    """How the pelvis of a rig is turned (t, 4) whose hips are ``wide`` times as wide as ours.

    turns: (t, 4) how ours is turned, in the rig's upright space.
    """
    if wide <= WIDE:
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
    return smooth(angle[:, None], _SLOW)[:, 0]


def _taken(angle: np.ndarray, wide: float) -> np.ndarray:
    """How much of an angle (t,) is taken away."""
    return _LIMIT * np.tanh((1.0 - WIDE / wide) * angle / _LIMIT)
