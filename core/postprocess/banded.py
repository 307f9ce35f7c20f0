"""A weighted smoothing spline on frames, by a banded linear system."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.linalg import cholesky, solve_triangular
from torch.nn import functional

BLOCK = 32  # frames that are worked on at once


def smoothest(values: Tensor, weights: Tensor, span: float, order: int = 2, rest: float = 1.0) -> Tensor:
    """The curve c (t, n) that minimises  sum w |c - values|^2 + r sum |c|^2 + span^(2k) sum |k-th difference of c|^2.

    values: (t, n).
    weights: (t,), w >= 0.
    span: frames over which c rises from zero and falls back to it.
    rest: r. With 0, c is drawn to ``values`` alone, and some weights have to be above zero.
    order: k. With 2, c has no sudden change of velocity beside what is held; with 3, none of acceleration either.

    This is Whittaker's smoother (1923). Its banded system is factored as L L^T in one pass over blocks of frames.
    """
    frames = values.shape[0]
    if frames <= order:
        return weights[:, None] / (weights[:, None] + rest) * values
    bands = [span ** (2 * order) * band for band in _normal(frames, order)]
    bands[0] = bands[0] + rest + weights
    return _solved(bands, (values * weights[:, None]).double()).to(values)


def _normal(frames: int, order: int) -> list[Tensor]:
    """The main diagonal of D^T D for differences D of an order, and the diagonals below it."""
    row = [(-1) ** i * math.comb(order, i) for i in range(order + 1)]
    bands = [torch.zeros(frames - k, dtype=torch.float64) for k in range(order + 1)]
    for k, band in enumerate(bands):
        for i in range(order + 1 - k):
            band[i : i + frames - order] += row[i] * row[i + k]
    return bands


def _solved(bands: list[Tensor], right: Tensor) -> Tensor:
    """The solution x (t, n) of A x = ``right`` for a symmetric positive definite A.

    bands: the main diagonal of A and those below it, no more than ``BLOCK``.
    right: (t, n).
    """
    frames, columns = right.shape
    rest = -frames % BLOCK  # rows of the identity, which fill the last block
    strips = right.new_zeros((frames + rest) // BLOCK, BLOCK, 2 * BLOCK)
    for k, band in enumerate(bands):
        row = functional.pad(band, (k, rest), value=float(k == 0))
        strips.diagonal(BLOCK - k, 1, 2).copy_(row.unflatten(0, (-1, BLOCK)))
    beside, own = strips.split(BLOCK, dim=2)  # each block of rows, where it meets the frames before it and its own
    own = own + own.tril(-1).mT
    factor, half, done = torch.eye(BLOCK).to(right), right.new_zeros(BLOCK, columns), []
    for block, left, side in zip(own, beside, functional.pad(right, (0, 0, 0, rest)).split(BLOCK), strict=True):
        link = solve_triangular(factor, left.mT, upper=False)
        factor = cholesky(block - link.mT @ link)
        half = solve_triangular(factor, side - link.mT @ half, upper=False)
        done.append((factor, link, half))
    link, part, parts = torch.zeros_like(factor), torch.zeros_like(half), []
    for factor, before, half in reversed(done):
        part = solve_triangular(factor.mT, half - link @ part, upper=True)
        link = before
        parts.append(part)
    return torch.cat(parts[::-1])[:frames]
