"""Rotations as unit quaternions in numpy: functions over the last axis. ``core.motion.rotation`` has them for tensors.

Quaternions are ``(..., 4)`` in wxyz order, vectors ``(..., 3)``, matrices ``(..., 3, 3)``. Everything but ``between``
broadcasts. ``mul(a, b)`` rotates first by ``b``, then by ``a``, as matrices do.
"""

from __future__ import annotations

import numpy as np

IDENTITY = (1.0, 0.0, 0.0, 0.0)


def mul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Hamilton product (..., 4): the rotation ``b`` followed by ``a``."""
    aw, ax, ay, az = np.moveaxis(np.asarray(a), -1, 0)
    bw, bx, by, bz = np.moveaxis(np.asarray(b), -1, 0)
    return np.stack(
        (
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ),
        axis=-1,
    )


def conjugate(q: np.ndarray) -> np.ndarray:
    """The inverse (..., 4) of a unit quaternion."""
    return np.asarray(q) * np.array([1.0, -1.0, -1.0, -1.0])


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Rotate the vectors ``v`` (..., 3) by ``q`` (..., 4)."""
    q, v = np.asarray(q), np.asarray(v)
    twice = 2.0 * np.cross(q[..., 1:], v)
    return v + q[..., :1] * twice + np.cross(q[..., 1:], twice)


def between(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The shortest rotation (4,) that turns ``u`` (3,) towards ``v`` (3,).

    Opposite vectors turn about an arbitrary normal. A zero vector has no direction and gives the identity.
    """
    lengths = np.linalg.norm(u), np.linalg.norm(v)
    if not min(lengths) > 0:
        return np.array(IDENTITY)
    u, v = u / lengths[0], v / lengths[1]
    q = np.concatenate(([1.0 + u @ v], np.cross(u, v)))
    if q[0] < 1e-9:
        axis = np.cross(u, np.eye(3)[np.argmin(np.abs(u))])
        q = np.concatenate(([0.0], axis))
    return q / np.linalg.norm(q)


def swing(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The shortest rotations (..., 4) that turn vectors ``u`` (..., 3) towards ``v`` (..., 3); none for opposite ones
    and for those without a length."""
    u, v = unit(np.asarray(u)), unit(np.asarray(v))
    q = np.concatenate((1.0 + (u * v).sum(-1, keepdims=True), np.cross(u, v)), axis=-1)
    q[q[..., 0] < 1e-9] = IDENTITY
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def twist(q: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """The part of rotations (..., 4) that is about an axis (3,) of length 1; none of those by half a turn about another
    one."""
    found = np.concatenate((q[..., :1], (q[..., 1:] @ axis)[..., None] * axis), axis=-1)
    length = np.linalg.norm(found, axis=-1, keepdims=True)
    return np.where(length > 1e-9, found / np.maximum(length, 1e-9), np.array(IDENTITY))


def mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """Rotations (..., 4) at a share of the way from ``a`` to ``b``, which lie near each other."""
    signs = np.where((a * b).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    return unit((1 - share) * a + share * signs * b)


def from_matrix(m: np.ndarray) -> np.ndarray:
    """Quaternions (..., 4) of rotation matrices (..., 3, 3), solved from the largest component (Shepperd 1978)."""
    m = np.asarray(m, dtype=float)
    (a, b, c), (d, e, f), (g, h, i) = np.moveaxis(m, (-2, -1), (0, 1))
    squares = 1.0 + np.stack((a + e + i, a - e - i, e - a - i, i - a - e), axis=-1)
    rows = (
        (squares[..., 0], h - f, c - g, d - b),
        (h - f, squares[..., 1], b + d, c + g),
        (c - g, b + d, squares[..., 2], f + h),
        (d - b, c + g, f + h, squares[..., 3]),
    )
    candidates = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    largest = np.argmax(squares, axis=-1)[..., None, None]
    q = np.take_along_axis(candidates, largest, axis=-2)[..., 0, :]
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def to_vector(q: np.ndarray) -> np.ndarray:
    """The axes times radians (..., 3) of unit quaternions (..., 4), of at most half a turn."""
    q = np.where(q[..., :1] < 0, -np.asarray(q), q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    return 2.0 * np.arctan2(sine, q[..., :1]) * q[..., 1:] / np.maximum(sine, 1e-12)


def from_vector(v: np.ndarray) -> np.ndarray:
    """The rotations (..., 4) about axes times radians (..., 3)."""
    angle = np.linalg.norm(v, axis=-1, keepdims=True)
    return np.concatenate((np.cos(angle / 2), np.sin(angle / 2) * unit(v)), axis=-1)


def orientation(m: np.ndarray) -> np.ndarray:
    """The rotations (..., 4) nearest to matrices (..., 3, 3) that may also scale and shear (orthogonal Procrustes)."""
    u, _, v = np.linalg.svd(np.asarray(m, dtype=float))
    u[..., -1] *= np.linalg.det(u @ v)[..., None]
    return from_matrix(u @ v)


def continuous(q: np.ndarray) -> np.ndarray:
    """Choose the signs of quaternions (t, ..., 4) so that no frame jumps to the opposite hemisphere."""
    flips = np.sum(q[1:] * q[:-1], axis=-1) < 0
    signs = np.where(np.cumsum(flips, axis=0) % 2, -1.0, 1.0)
    return np.concatenate((q[:1], q[1:] * signs[..., None]))


def unit(v: np.ndarray) -> np.ndarray:
    """Vectors (..., n) with length 1. A vector without a length stays 0."""
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)
