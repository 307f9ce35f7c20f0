"""Hips of rigs that are built otherwise than ours.

Where feet stand, legs of another build do not point as the dancer's do, unless the hips give way: they move with a leg
that is too long or too short, and turn less, the wider they are.

``steadied`` turns wide hips less beforehand: the line through them does, while they bend to the front and back as the
dancer's do. The slow turn of the body about which they go stays. ``Way.further`` then finds, frame by frame, where the
hips let both legs point best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import quaternion as quat
from .feet import Foot, Leg, smooth

WIDE = 1.05
"""Times our hips, in the rig's size: those of a rig that are wider turn less."""

_SLOW = 60  # frames, the standard deviation of the mean that is the slow part of a turn
_LIMIT = 0.8  # radians by which hips turn less at most
_FARTHEST = 0.05  # metres on our body by which hips move at most for the sake of legs, times their width
_MOST = 0.8  # radians by which they turn at most for the sake of legs, besides
_QUICK = 1.0  # frames, the standard deviation of the mean of how hips give way
_BROAD = 1.4  # times our hips, in the rig's size: wider ones may be the farther off their path, the wider they are
_MOVED = 2.0  # weight of a hip that is off its path against an ankle that is off its place
_TURNED = 0.02  # weight of the hips' turn against that of thighs and shins
_LEG = 0.8  # metres, of our thigh and shin
_BENT = 0.35  # sine of a knee's bend below which it gives way no less
_LEFT = np.array((1.0, 0.0, 0.0))


@dataclass(frozen=True)
class Way:
    """How hips give way to the legs.

    moved: (t, 3) metres on our body, in the rig's upright space.
    turned: (t, 3) axis times radians, about the middle between the hips.
    """

    moved: np.ndarray
    turned: np.ndarray

    @classmethod
    def none(cls, frames: int) -> Way:
        """Hips that stay where they are."""
        return cls(np.zeros((frames, 3)), np.zeros((frames, 3)))

    def further(self, legs: Sequence[tuple[Foot, Leg]], size: float, wide: float) -> Way:
        """How hips give way that have given way so far: a step of Gauss and Newton.

        Of the smallest sum of squares: the angles by which thighs and shins are turned so that held feet stand, and
        how far hips move and turn.

        legs: as they are with the hips so far.
        size: the rig's units per metre of our body.
        wide: how many times wider its hips are than ours, in its size.
        """
        now = np.concatenate((self.moved, self.turned), axis=-1)
        least = np.repeat((_MOVED / (_LEG * max(1.0, wide / _BROAD)) ** 2, _TURNED), 3)
        normal, wanted = np.tile(np.diag(least), (len(now), 1, 1)), -least * now
        middle = np.mean([leg.hip for _, leg in legs], axis=0)
        for foot, leg in legs:
            held = np.sqrt(foot.held)
            angles = held[:, :, None] * stiffness(leg, size) * held[:, None, :]
            moves = np.concatenate((np.tile(np.eye(3), (len(now), 1, 1)), _about((leg.hip - middle) / size)), axis=-1)
            by_moves = moves.swapaxes(1, 2) @ angles
            normal = normal + by_moves @ moves
            wanted = wanted + (by_moves @ (foot.correction() / size)[..., None])[..., 0]
        now = smooth(now + np.linalg.solve(normal, wanted[..., None])[..., 0], _QUICK)
        return Way(_within(now[:, :3], _FARTHEST * max(1.0, wide)), _within(now[:, 3:], _MOST))


def stiffness(leg: Leg, size: float) -> np.ndarray:
    """How much thigh and shin are turned when the ankle is moved: the matrices (t, 3, 3) of a quadratic form in radians
    squared, by metres on our body. A straight leg gives way little along its line.

    size: the rig's units per metre of our body.
    """
    upper, lower, line = leg.knee - leg.hip, leg.ankle - leg.knee, leg.ankle - leg.hip
    a, b, far = (np.linalg.norm(bone, axis=-1) / size for bone in (upper, lower, line))
    line = quat.unit(line)
    bend = np.linalg.norm(np.cross(quat.unit(upper), quat.unit(lower)), axis=-1)
    across = 1.0 / far**2
    along = (far / (2.0 * a * b)) ** 2 / (bend**2 + _BENT**2)  # half of the knee's turn, by the law of cosines
    more = np.clip(along - across, 0.0, None)[:, None, None]
    return across[:, None, None] * np.eye(3) + more * line[:, :, None] * line[:, None, :]


def _about(arm: np.ndarray) -> np.ndarray:
    """Matrices (t, 3, 3) that take a small turn to how the end of an arm (t, 3) moves."""
    return np.cross(np.eye(3), arm[:, None, :]).swapaxes(1, 2)


def _within(vectors: np.ndarray, longest: float) -> np.ndarray:
    """Vectors (t, 3), the long ones shortened smoothly."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return longest * np.tanh(length / longest) * quat.unit(vectors)


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
