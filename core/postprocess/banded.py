"""A weighted smoothing spline on frames, by a banded linear system."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def smoothest(values: Tensor, weights: Tensor, span: float, order: int = 2) -> Tensor:
    """The curve c (t, n) that minimises  sum w |c - values|^2 + sum |c|^2 + span^(2k) sum |k-th difference of c|^2.

    values: (t, n).
    weights: (t,), w >= 0.
    span: frames over which c rises from zero and falls back to it.
    order: k. With 2, c has no sudden change of velocity beside what is held; with 3, none of acceleration either.

    This is Whittaker's smoother (1923). Its banded system is factored as L D L^T in one pass over the frames.
    """
    frames = values.shape[0]
    if frames <= order:
        return weights[:, None] / (weights[:, None] + 1) * values
    bands = [(span ** (2 * order) * band).tolist() for band in _normal(frames, order)]
    bands[0] = [main + 1.0 + pull for main, pull in zip(bands[0], weights.tolist(), strict=True)]
    pivots, below = _factored(bands)
    columns = [_solve(pivots, below, column) for column in (values * weights[:, None]).T.tolist()]
    return torch.tensor(columns, dtype=values.dtype, device=values.device).T


def _normal(frames: int, order: int) -> list[Tensor]:
    """The main diagonal of D^T D for differences D of an order, and the diagonals below it."""
    row = [(-1) ** i * math.comb(order, i) for i in range(order + 1)]
    bands = [torch.zeros(frames - k, dtype=torch.float64) for k in range(order + 1)]
    for k, band in enumerate(bands):
        for i in range(order + 1 - k):
            band[i : i + frames - order] += row[i] * row[i + k]
    return bands


def _factored(bands: list[list[float]]) -> tuple[list[float], list[list[float]]]:
    """D, and the diagonals below that of L, of a matrix whose ``bands`` are its main diagonal and those below."""
    frames, order = len(bands[0]), len(bands) - 1
    pivots, below = [0.0] * frames, [[0.0] * frames for _ in range(order)]
    for i in range(frames):
        pivot = bands[0][i]
        for k in range(1, min(order, i) + 1):
            pivot -= below[k - 1][i - k] ** 2 * pivots[i - k]
        pivots[i] = pivot
        for k in range(1, min(order, frames - 1 - i) + 1):
            rest = bands[k][i]
            for j in range(1, min(order - k, i) + 1):
                rest -= below[k + j - 1][i - j] * below[j - 1][i - j] * pivots[i - j]
            below[k - 1][i] = rest / pivot
    return pivots, below


def _solve(pivots: list[float], below: list[list[float]], x: list[float]) -> list[float]:
    diagonals = list(enumerate(below, 1))
    for i in range(len(x)):
        for k, diagonal in diagonals[:i]:
            x[i] -= diagonal[i - k] * x[i - k]
    for i, pivot in enumerate(pivots):
        x[i] /= pivot
    for i in range(len(x) - 2, -1, -1):
        for k, diagonal in diagonals[: len(x) - 1 - i]:
            x[i] -= diagonal[i] * x[i + k]
    return x
