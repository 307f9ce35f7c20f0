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
    """One rotation matrix (3, 3) as a quaternion (4,) (Shepperd 1978: the largest component first)."""
    m = np.asarray(m, dtype=float)
    squares = 1.0 + np.array(
        (np.trace(m), 2 * m[0, 0] - np.trace(m), 2 * m[1, 1] - np.trace(m), 2 * m[2, 2] - np.trace(m))
    )
    sums = np.array(
        (
            (squares[0], m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]),
            (m[2, 1] - m[1, 2], squares[1], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]),
            (m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], squares[2], m[1, 2] + m[2, 1]),
            (m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], squares[3]),
        )
    )
    q = sums[np.argmax(squares)]
    return q / np.linalg.norm(q)


def continuous(q: np.ndarray) -> np.ndarray:
    """The same rotations (t, ..., 4) with signs chosen so that no frame jumps to the other half of the sphere."""
    flips = np.sum(q[1:] * q[:-1], axis=-1) < 0
    signs = np.where(np.cumsum(flips, axis=0) % 2, -1.0, 1.0)
    return np.concatenate((q[:1], q[1:] * signs[..., None]))
