"""Rotations as unit quaternions: functions over the last axis.

Quaternions are ``(..., 4)`` in wxyz order, vectors ``(..., 3)``, matrices ``(..., 3, 3)``, angles in radians.
Everything broadcasts, runs on any device, and has finite gradients everywhere, the identity included. ``mul(a, b)``
rotates first by ``b``, then by ``a``, as matrices do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

_AXES = {"X": 0, "Y": 1, "Z": 2}


def identity(*shape: int, like: Tensor | None = None) -> Tensor:
    """Identity quaternions of shape ``(*shape, 4)``, with dtype and device of ``like``."""
    q = torch.zeros(*shape, 4) if like is None else like.new_zeros(*shape, 4)
    q[..., 0] = 1
    return q


def normalise(q: Tensor) -> Tensor:
    """Normalise ``q`` to a unit quaternion. A zero quaternion becomes the identity."""
    square = (q * q).sum(-1, keepdim=True)
    zero = square < torch.finfo(q.dtype).tiny
    return torch.where(zero, identity(like=q), q * torch.rsqrt(torch.where(zero, torch.ones_like(square), square)))


def product(a: Iterable[Tensor], b: Iterable[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The components (w, x, y, z) of the Hamilton product of quaternions that are given by their components."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def mul(a: Tensor, b: Tensor) -> Tensor:
    """Hamilton product: the rotation ``b`` followed by ``a``."""
    return torch.stack(product(a.unbind(-1), b.unbind(-1)), -1)


def conjugate(q: Tensor) -> Tensor:
    """The inverse of a unit quaternion."""
    return torch.cat((q[..., :1], -q[..., 1:]), -1)


def rotated(q: Iterable[Tensor], v: Iterable[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """The components (x, y, z) of vectors, rotated by quaternions; both are given by their components."""
    w, x, y, z = q
    a, b, c = v
    side_x, side_y, side_z = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return (
        a + w * side_x + y * side_z - z * side_y,
        b + w * side_y + z * side_x - x * side_z,
        c + w * side_z + x * side_y - y * side_x,
    )


def rotate(q: Tensor, v: Tensor) -> Tensor:
    """Rotate the vectors ``v`` by ``q``."""
    return torch.stack(rotated(q.unbind(-1), v.unbind(-1)), -1)


def from_axis_angle(v: Tensor) -> Tensor:
    """The exponential map: rotation by ``|v|`` radians about ``v``."""
    square = (v * v).sum(-1, keepdim=True)
    small = square < 1e-8
    angle = torch.where(small, torch.ones_like(square), square).sqrt()
    # sin(x / 2) / x and cos(x / 2) by their series where the quotient would be 0 / 0
    scale = torch.where(small, 0.5 - square / 48, torch.sin(angle / 2) / angle)
    w = torch.where(small, 1 - square / 8, torch.cos(angle / 2))
    return torch.cat((w, v * scale), -1)


def to_axis_angle(q: Tensor) -> Tensor:
    """The logarithm map: the axis times the angle, which is in [0, pi]."""
    q = torch.where(q[..., :1] < 0, -q, q)
    w, u = q[..., :1], q[..., 1:]
    square = (u * u).sum(-1, keepdim=True)
    small = square < 1e-10
    sine = torch.where(small, torch.ones_like(square), square).sqrt()
    # angle / sin(angle / 2): 2 / w (1 - s^2 / 3w^2) near the identity, where w is near 1
    safe = torch.where(small, w, torch.ones_like(w))
    scale = torch.where(small, 2 / safe - 2 * square / (3 * safe**3), 2 * torch.atan2(sine, w) / sine)
    return u * scale


def angle(a: Tensor, b: Tensor) -> Tensor:
    """The angle (...,) between two rotations, in [0, pi]. It is accurate for small angles too."""
    return torch.linalg.vector_norm(to_axis_angle(mul(conjugate(a), b)), dim=-1)


def to_matrix(q: Tensor) -> Tensor:
    """The rotation matrix. Its columns are the rotated axes."""
    w, x, y, z = q.unbind(-1)
    rows = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def from_matrix(m: Tensor) -> Tensor:
    """The quaternion, with w >= 0, of a rotation matrix.

    There are four ways to solve for it; each matrix takes the best conditioned one (Shepperd 1978).
    """
    (a, b, c), (d, e, f), (g, h, i) = (row.unbind(-1) for row in m.unbind(-2))
    # each row is 4 * component * q, so its own diagonal entry is 4 * component^2
    candidates = torch.stack(
        (
            torch.stack((1 + a + e + i, h - f, c - g, d - b), -1),
            torch.stack((h - f, 1 + a - e - i, b + d, c + g), -1),
            torch.stack((c - g, b + d, 1 - a + e - i, f + h), -1),
            torch.stack((d - b, c + g, f + h, 1 - a - e + i), -1),
        ),
        -2,
    )
    best = candidates.diagonal(dim1=-2, dim2=-1).argmax(-1)[..., None, None]
    q = normalise(candidates.gather(-2, best.expand(*m.shape[:-2], 1, 4)).squeeze(-2))
    return torch.where(q[..., :1] < 0, -q, q)


def unit(v: Tensor, fallback: Tensor, dim: int = -1) -> Tensor:
    """Normalise ``v`` along ``dim``. Zero vectors become ``fallback``, with a gradient of zero and not NaN."""
    square = (v * v).sum(dim, keepdim=True)
    zero = square < 1e-12
    return torch.where(zero, fallback, v * torch.rsqrt(torch.where(zero, torch.ones_like(square), square)))


def _perpendicular(u: Tensor, dim: int = -1) -> Tensor:
    """A unit vector orthogonal to the unit vector ``u``: the coordinate axis least along ``u``, orthogonalised."""
    axis = torch.zeros_like(u).scatter_(dim, u.abs().argmin(dim, keepdim=True), 1)
    return unit(axis - (axis * u).sum(dim, keepdim=True) * u, axis, dim)


def matrix_from_6d(d: Tensor) -> Tensor:
    """Rotation matrices ``(..., 3, 3)`` from ``(..., 6)`` by Gram-Schmidt (Zhou et al. 2019).

    Any six numbers give a rotation. A column that is zero, or parallel to the first one, is replaced by a fixed choice.
    """
    # coordinates are the leading dimension inside: long contiguous sums instead of many sums of three
    first, second = d.movedim(-1, 0).split(3)
    x_axis = torch.zeros_like(first)
    x_axis[0] = 1
    first = unit(first, x_axis, 0)
    second = unit(second - (first * second).sum(0) * first, _perpendicular(first.detach(), 0), 0)
    third = torch.linalg.cross(first, second, dim=0)
    return torch.stack((first, second, third), 1).movedim((0, 1), (-2, -1))


def from_6d(d: Tensor) -> Tensor:
    """Quaternions from the 6-D representation; see ``matrix_from_6d``."""
    return from_matrix(matrix_from_6d(d))


def to_6d(q: Tensor) -> Tensor:
    """The 6-D representation ``(..., 6)``: the first two columns of the rotation matrix (Zhou et al. 2019)."""
    return to_matrix(q)[..., :2].transpose(-1, -2).flatten(-2)


def slerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """Spherical interpolation from ``a`` (t = 0) to ``b`` (t = 1) by the shortest way. ``t`` is a number or (...,)."""
    t = torch.as_tensor(t, dtype=a.dtype, device=a.device)[..., None]
    return mul(a, from_axis_angle(t * to_axis_angle(mul(conjugate(a), b))))


def between(u: Tensor, v: Tensor) -> Tensor:
    """The shortest rotation that turns ``u`` towards ``v``. Opposite vectors turn about an arbitrary normal."""
    u, v = torch.broadcast_tensors(u, v)
    x_axis = torch.zeros_like(u)
    x_axis[..., 0] = 1
    u, v = unit(u, x_axis), unit(v, x_axis)
    cosine = (u * v).sum(-1, keepdim=True)
    opposite = cosine < -1 + 1e-7
    half_turn = torch.cat((torch.zeros_like(cosine), _perpendicular(u.detach())), -1)
    direct = torch.cat((1 + cosine, torch.linalg.cross(u, v)), -1)
    return torch.where(opposite, half_turn, normalise(torch.where(opposite, half_turn, direct)))


def about(axis: str, angles: Tensor) -> Tensor:
    """Rotations by ``angles`` (...,) about the axis "x", "y" or "z"."""
    parts = [torch.zeros_like(angles) for _ in range(4)]
    parts[0] = torch.cos(angles / 2)
    parts[1 + _AXES[axis.upper()]] = torch.sin(angles / 2)
    return torch.stack(parts, -1)


def from_euler(angles: Tensor, order: str) -> Tensor:
    """Quaternions of intrinsic Euler angles, as BVH channels and scipy's upper-case ``Rotation.from_euler`` have them.

    angles: ``(..., len(order))`` in the order of the letters.
    order: axes, any number of them; "ZXY" is Rz Rx Ry.
    """
    q = identity(*angles.shape[:-1], like=angles)
    for i, axis in enumerate(order):
        q = mul(q, about(axis, angles[..., i]))
    return q


def to_euler(q: Tensor, order: str) -> Tensor:
    """Intrinsic Euler angles ``(..., 3)`` for three different letters, the middle one in [-pi/2, pi/2].

    They are exact in gimbal lock too: the first angle is then arbitrary, and the last one makes up for it
    (Shuster & Markley 2006).
    """
    i, j, k = (_AXES[axis] for axis in order.upper())
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    m = to_matrix(q)
    first = torch.atan2(-sign * m[..., j, k], m[..., k, k])
    sine, cosine = torch.sin(first), torch.cos(first)
    middle = torch.atan2(sign * m[..., i, k], cosine * m[..., k, k] - sign * sine * m[..., j, k])
    last = torch.atan2(
        sign * cosine * m[..., j, i] + sine * m[..., k, i],
        cosine * m[..., j, j] + sign * sine * m[..., k, j],
    )
    return torch.stack((first, middle, last), -1)


def unwrap_euler(angles: Tensor) -> Tensor:
    """Unwrap Euler angles (t, ..., 3) of three different letters over time: the same rotations without jumps.

    (a, b, c) and (a + pi, pi - b, c + pi) are the same rotation. Each frame takes the one nearer to the frame before,
    then whole turns are added. Whether to switch does not depend on which of the two the frame before took, so no loop
    is needed.
    """
    if angles.shape[0] < 2:
        return angles
    other = torch.stack((angles[..., 0] + math.pi, math.pi - angles[..., 1], angles[..., 2] + math.pi), -1)
    stay = _wrap(angles[1:] - angles[:-1]).abs().sum(-1)
    change = _wrap(other[1:] - angles[:-1]).abs().sum(-1)
    side = torch.cumsum((change < stay).long(), 0) % 2
    side = torch.cat((torch.zeros_like(side[:1]), side))[..., None]
    chosen = torch.where(side == 1, other, angles)
    steps = _wrap(chosen[1:] - chosen[:-1])
    turns = torch.round((chosen[:-1] + steps - chosen[1:]) / (2 * math.pi)).cumsum(0)
    return torch.cat((chosen[:1], chosen[1:] + 2 * math.pi * turns))


def unwrap(angles: Tensor, dim: int = 0) -> Tensor:
    """Unwrap angles along ``dim``: remove jumps of whole turns. Differentiable."""
    turns = torch.round(torch.diff(angles.detach(), dim=dim) / (2 * math.pi)).cumsum(dim)
    first = torch.zeros_like(angles.narrow(dim, 0, 1))
    return angles - 2 * math.pi * torch.cat((first, turns), dim)


def _wrap(angles: Tensor) -> Tensor:
    return torch.remainder(angles + math.pi, 2 * math.pi) - math.pi


def continuous(q: Tensor, dim: int = 0) -> Tensor:
    """Choose the signs of quaternions so that neighbours along ``dim`` lie in the same hemisphere."""
    q = q.movedim(dim, 0)
    dots = (q[1:] * q[:-1]).sum(-1, keepdim=True)
    signs = torch.where(dots < 0, -1.0, 1.0).to(q.dtype).cumprod(0)
    return torch.cat((q[:1], q[1:] * signs)).movedim(0, dim)


def yaw(q: Tensor) -> Tensor:
    """The angle (...,) of the twist about y: ``q = about("y", yaw) * (a rotation about a horizontal axis)``.

    It is undefined, and returned as zero, only for a body that is upside down.
    """
    w, y = q[..., 0], q[..., 2]
    undefined = w * w + y * y < 1e-12
    y = torch.where(undefined, torch.zeros_like(y), y)
    w = torch.where(undefined, torch.ones_like(w), w)
    return _wrap(2 * torch.atan2(y, w))
