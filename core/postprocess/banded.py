"""A weighted smoothing spline on frames, by a banded linear system."""

from __future__ import annotations

import torch
from torch import Tensor


def smoothest(values: Tensor, weights: Tensor, span: float) -> Tensor:
    """The curve c (t, n) that minimises  sum w |c - values|^2 + sum |c|^2 + span^4 sum |second difference of c|^2.

    values: (t, n).
    weights: (t,), w >= 0.
    span: frames over which c rises from zero and falls back to it.

    This is Whittaker's smoother (1923). Its pentadiagonal system is factored as L D L^T in one pass over the frames.
    """
    frames = values.shape[0]
    if frames < 3:
        return weights[:, None] / (weights[:, None] + 1) * values
    main, next_, after = _second_differences(frames, span**4)
    pull = weights.tolist()
    d, e, f = [0.0] * frames, [0.0] * frames, [0.0] * frames  # D, and the two diagonals below that of L
    for i in range(frames):
        d[i] = main[i] + 1.0 + pull[i]
        if i > 0:
            d[i] -= e[i - 1] ** 2 * d[i - 1]
        if i > 1:
            d[i] -= f[i - 2] ** 2 * d[i - 2]
        if i + 1 < frames:
            e[i] = (next_[i] - (f[i - 1] * d[i - 1] * e[i - 1] if i > 0 else 0.0)) / d[i]
        if i + 2 < frames:
            f[i] = after / d[i]
    columns = [_solve(d, e, f, column) for column in (values * weights[:, None]).T.tolist()]
    return torch.tensor(columns, dtype=values.dtype, device=values.device).T


def _second_differences(frames: int, stiffness: float) -> tuple[list[float], list[float], float]:
    """The main diagonal of D^T D for second differences D, the first off-diagonal, and the constant second one."""
    main, next_ = [6 * stiffness] * frames, [-4 * stiffness] * frames
    for i, value in ((0, 1.0), (1, 5.0 if frames > 3 else 4.0)):
        main[i] = main[frames - 1 - i] = value * stiffness
    next_[0] = next_[frames - 2] = -2 * stiffness
    return main, next_, stiffness


def _solve(d: list[float], e: list[float], f: list[float], x: list[float]) -> list[float]:
    frames = len(x)
    for i in range(1, frames):
        x[i] -= e[i - 1] * x[i - 1] + (f[i - 2] * x[i - 2] if i > 1 else 0.0)
    for i in range(frames):
        x[i] /= d[i]
    for i in range(frames - 2, -1, -1):
        x[i] -= e[i] * x[i + 1] + (f[i] * x[i + 2] if i + 2 < frames else 0.0)
    return x
