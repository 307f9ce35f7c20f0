"""Rotations as the channels of a bone take them: quaternions, Euler angles, or an angle and an axis.

Angles are radians. ``XYZ`` and its like turn about x first, then about y, then about z, as Blender does. Channels run
on from one frame to the next, so that a curve through some of them goes where the others are.
"""

from __future__ import annotations

import numpy as np

from . import quaternion as quat

QUATERNION = "QUATERNION"
AXIS_ANGLE = "AXIS_ANGLE"
ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")

_LOCKED = 1e-6  # cosine of the middle angle below which the first and the last turn about one axis
_STILL = 1e-9  # sine of half an angle below which a rotation has no axis


def of(rotations: np.ndarray, mode: str) -> np.ndarray:
    """The channels (t, 4 or 3) of rotations (t, 4).

    mode: QUATERNION, AXIS_ANGLE or one of ORDERS.
    """
    if mode == QUATERNION:
        return quat.continuous(rotations)
    return _axis_angles(quat.continuous(rotations)) if mode == AXIS_ANGLE else _eulers(rotations, mode)


def rotations(channels: np.ndarray, mode: str) -> np.ndarray:
    """The rotations (t, 4) that channels (t, 4 or 3) stand for, as Blender reads them: lengths do not count."""
    if mode == QUATERNION:
        return quat.unit(channels)
    if mode == AXIS_ANGLE:
        return _about(channels[:, 0], quat.unit(channels[:, 1:]))
    first, second, third = (_about(channels[:, i], np.eye(3)[i]) for i in _axes(mode))
    return quat.mul(third, quat.mul(second, first))


def _about(angle: np.ndarray, axis: np.ndarray) -> np.ndarray:
    half = angle[:, None] / 2
    return np.concatenate((np.cos(half), np.sin(half) * axis), axis=-1)


def _axes(order: str) -> tuple[int, ...]:
    return tuple("XYZ".index(letter) for letter in order)


def _axis_angles(turns: np.ndarray) -> np.ndarray:
    # Signs are continuous, so half the angle is taken over the full circle: no jump where the axis turns over.
    sine = np.linalg.norm(turns[:, 1:], axis=1, keepdims=True)
    axis = np.where(sine > _STILL, turns[:, 1:] / np.maximum(sine, _STILL), (0.0, 1.0, 0.0))
    return np.concatenate((2.0 * np.arctan2(sine, turns[:, :1]), axis), axis=1)


def _eulers(turns: np.ndarray, order: str) -> np.ndarray:
    """Euler angles (t, 3), by their axes: of the two that every rotation has those nearer to the frame before.

    Where the middle angle locks the other two, only their sum or difference is known: the last one goes on evenly.
    """
    i, j, k = _axes(order)
    even = 1.0 if (j - i) % 3 == 1 else -1.0
    matrix = np.stack([quat.rotate(turns, axis) for axis in np.eye(3)], axis=-1)
    cosine = np.hypot(matrix[:, k, k], matrix[:, k, j])
    first = np.arctan2(even * matrix[:, k, j], matrix[:, k, k])
    middle = np.arctan2(-even * matrix[:, k, i], cosine)
    last = np.arctan2(even * matrix[:, j, i], matrix[:, i, i])
    free = np.flatnonzero(cosine > _LOCKED)
    found = np.zeros((len(turns), 3))
    found[:, 1] = middle
    if len(free):
        found[free] = _nearest(np.stack((first, middle, last), axis=-1)[free])
        found[:, 2] = np.interp(np.arange(len(turns)), free, found[free, 2])
    locked = np.flatnonzero(cosine <= _LOCKED)
    left = quat.mul(_about(-found[locked, 2], np.eye(3)[k]), turns[locked])
    y, z = (quat.rotate(left, np.eye(3)[axis])[:, j] for axis in (j, k))
    found[locked, 0] = np.arctan2(-even * z, y)
    found = np.unwrap(found, axis=0)
    channels = np.empty_like(found)
    channels[:, [i, j, k]] = found
    return channels


def _nearest(angles: np.ndarray) -> np.ndarray:
    """Of each frame's two solutions (first, middle, last) the one that is nearer to that of the frame before, without
    full turns between them; of the first frame the one with the smaller angles."""
    other = np.stack((angles[:, 0] + np.pi, np.pi - angles[:, 1], angles[:, 2] + np.pi), axis=-1)
    stays, turns = (_off(now[1:] - angles[:-1]) for now in (angles, other))
    begins = _off(other[:1]) < _off(angles[:1])
    turned = np.cumsum(np.concatenate((begins, turns < stays))) % 2 == 1
    return np.unwrap(np.where(turned[:, None], other, angles), axis=0)


def _off(angles: np.ndarray) -> np.ndarray:
    """How far angles (t, 3) are from none, full turns aside (t,)."""
    return np.abs((angles + np.pi) % (2 * np.pi) - np.pi).sum(axis=-1)
