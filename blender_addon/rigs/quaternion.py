"""Quaternions wxyz over the last axis, in numpy: what retargeting needs and no more."""

from __future__ import annotations

import numpy as np


def mul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rotation that does ``b`` first, then ``a``."""
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
    return np.asarray(q) * np.array([1.0, -1.0, -1.0, -1.0])


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Vectors ``v`` (..., 3) turned by ``q`` (..., 4)."""
    q, v = np.asarray(q), np.asarray(v)
    twice = 2.0 * np.cross(q[..., 1:], v)
    return v + q[..., :1] * twice + np.cross(q[..., 1:], twice)


def between(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The shortest rotation that takes the direction of ``u`` (3,) to that of ``v`` (3,)."""
    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
    q = np.concatenate(([1.0 + u @ v], np.cross(u, v)))
    if q[0] < 1e-9:  # opposite directions: half a turn about any axis across
        axis = np.cross(u, np.eye(3)[np.argmin(np.abs(u))])
        q = np.concatenate(([0.0], axis))
    return q / np.linalg.norm(q)


def from_matrix(m: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) as quaternions (..., 4) (Shepperd 1978: the largest component first)."""
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


def orientation(m: np.ndarray) -> np.ndarray:
    """The rotations nearest to matrices (..., 3, 3) that may also scale and shear, as quaternions (..., 4)."""
    u, _, v = np.linalg.svd(np.asarray(m, dtype=float))
    u[..., -1] *= np.linalg.det(u @ v)[..., None]
    return from_matrix(u @ v)


def continuous(q: np.ndarray) -> np.ndarray:
    """The same rotations (t, ..., 4) with signs chosen so that no frame jumps to the other half of the sphere."""
    flips = np.sum(q[1:] * q[:-1], axis=-1) < 0
    signs = np.where(np.cumsum(flips, axis=0) % 2, -1.0, 1.0)
    return np.concatenate((q[:1], q[1:] * signs[..., None]))
