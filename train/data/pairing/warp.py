"""Warps a motion in time so that its kinematic beats fall on musical beats, within a stated limit.

There are two steps. Dynamic programming pairs kinematic beats with beats and half-beats (``align``). Then a smooth
clock is fitted through the pairs (``Clock.through``). It is a quadratic B-spline. Its rate is the polygon of its
coefficients' differences, so bounds on those bound the rate everywhere. A monotone cubic would overshoot.

``slowed_on_beats`` is separate: it slows the body on every beat of any motion. The final rate is the product of both.
All clocks map music seconds to motion seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded

LIMIT = 0.25  # the rate stays within 1 +- this
HALF_BEAT_WEIGHT = 0.5  # of a beat's
LATEST_START = 0.5  # seconds of the motion that may be skipped at its start
FURTHEST = 8.0  # seconds between neighbouring pairs
DRIFT = 4.0  # seconds between a kinematic beat and its grid point
_KNOT_SECONDS = 0.125
# The fit weighs misses against bending. A pair that is missed by _ANCHOR_SECONDS costs as much as a rate that changes
# by _RATE_CHANGE a second for one second.
_ANCHOR_SECONDS = 0.01
_RATE_CHANGE = 1.5
_ROUNDS = 400  # of ADMM


@dataclass(frozen=True)
class Grid:
    """Where kinematic beats may fall.

    times: (k,) seconds, increasing.
    weights: (k,), 1 on beats and less on half-beats.
    """

    times: np.ndarray
    weights: np.ndarray

    def until(self, seconds: float) -> Grid:
        """The grid up to ``seconds``."""
        return Grid(self.times[self.times <= seconds], self.weights[self.times <= seconds])


@dataclass(frozen=True)
class Alignment:
    """Pairs of a kinematic beat and its grid point.

    kinematic_beats: (p,) motion seconds, increasing.
    grid: (p,) music seconds, increasing.
    score: the matched weights less the cost of warping.
    on_beat: how many of the pairs lie on full beats.
    """

    kinematic_beats: np.ndarray
    grid: np.ndarray
    score: float
    on_beat: int


def beat_grid(beats: np.ndarray) -> Grid:
    """The beats (n,), n >= 2, and the points half way between them."""
    times = np.empty(2 * len(beats) - 1)
    times[::2], times[1::2] = beats, (beats[1:] + beats[:-1]) / 2
    weights = np.full(len(times), HALF_BEAT_WEIGHT)
    weights[::2] = 1.0
    return Grid(times, weights)


def extended(beats: np.ndarray, end: float) -> np.ndarray:
    """The beats, continued at their outermost intervals to before 0 and beyond ``end`` seconds."""
    first, last = beats[1] - beats[0], beats[-1] - beats[-2]
    before = beats[0] - first * np.arange(max(0, int(np.ceil(beats[0] / first)) + 1), 0, -1)
    after = beats[-1] + last * np.arange(1, max(0, int(np.ceil((end - beats[-1]) / last)) + 1) + 1)
    return np.concatenate((before, beats, after))


def align(
    kinematic_beats: np.ndarray,
    weights: np.ndarray,
    grid: Grid,
    limit: float = LIMIT,
    stiffness: float = 0.35,
) -> Alignment:
    """Pair kinematic beats with grid points so that they match the most weight for the least warp.

    Neighbouring pairs are at most ``FURTHEST`` apart, and a kinematic beat at most ``DRIFT`` from its grid point: what
    was chosen to go together stays together. The motion may skip up to ``LATEST_START`` at its start.

    kinematic_beats: (n,) motion seconds.
    weights: (n,), about 1.
    limit: between neighbouring pairs the motion's rate stays within 1 +- this.
    stiffness: the cost of a second at the limit.
    """
    ahead = kinematic_beats[:, None] - grid.times[None, :]
    reward = weights[:, None] * grid.weights[None, :]
    best = reward - _opening_cost(ahead, grid, limit, stiffness)
    origin = np.full((*best.shape, 2), -1, dtype=int)
    for i in range(1, len(best)):
        earlier = np.flatnonzero(kinematic_beats[:i] >= kinematic_beats[i] - FURTHEST)
        if not len(earlier):
            continue
        moved = kinematic_beats[i] - kinematic_beats[earlier]  # (e,)
        for g in np.flatnonzero(np.abs(ahead[i]) <= DRIFT):
            since = max(0, int(np.searchsorted(grid.times, grid.times[g] - FURTHEST / (1 - limit))))
            if since == g:
                continue
            played = grid.times[g] - grid.times[since:g]  # (g',)
            rate = moved[:, None] / played[None, :]
            strain = (rate - 1) / limit
            total = best[earlier][:, since:g] - stiffness * played[None, :] * strain**2
            total = np.where(np.abs(strain) <= 1, total, -np.inf)
            at = int(total.argmax())
            value = total.flat[at] + reward[i, g]
            if value > best[i, g]:
                best[i, g] = value
                origin[i, g] = earlier[at // total.shape[1]], since + at % total.shape[1]
    if not np.isfinite(best).any():
        return Alignment(np.zeros(0), np.zeros(0), 0.0, 0)
    chosen = _traced(best, origin)
    on_beat = int((grid.weights[chosen[:, 1]] >= 1).sum())
    return Alignment(kinematic_beats[chosen[:, 0]], grid.times[chosen[:, 1]], float(best.max()), on_beat)


def _opening_cost(ahead: np.ndarray, grid: Grid, limit: float, stiffness: float) -> np.ndarray:
    """What each pair (n, k) costs as the first one, inf where it cannot be: up to it the motion may skip
    ``LATEST_START`` seconds and run faster or slower.

    ahead: (n, k) seconds that each kinematic beat is later than each grid point.
    """
    skipped = np.clip(ahead, 0, LATEST_START)
    strain = (ahead - skipped) / np.maximum(grid.times, 1e-3)[None, :] / limit
    cost = stiffness * grid.times[None, :] * strain**2 + 0.2 * skipped
    return np.where((np.abs(strain) <= 1) & (grid.times >= 0)[None, :], cost, np.inf)


def _traced(best: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """The pairs (p, 2) of indices that lead to the best of all, in order.

    origin: (n, k, 2) the pair before each pair; -1 for none.
    """
    i, g = np.unravel_index(int(best.argmax()), best.shape)
    pairs = []
    while i >= 0:
        pairs.append((i, g))
        i, g = origin[i, g]
    return np.array(pairs[::-1])


@dataclass(frozen=True)
class Clock:
    """A smooth increasing map from music seconds to motion seconds: a quadratic B-spline.

    coefficients: (m,).
    step: seconds between knots. The first knot is at 0. Beyond the ends the rate stays constant.
    """

    coefficients: np.ndarray
    step: float

    @property
    def end(self) -> float:
        """The last knot, in music seconds."""
        return (len(self.coefficients) - 2) * self.step

    def __call__(self, times: np.ndarray) -> np.ndarray:
        """Motion seconds (n,) of music seconds (n,)."""
        times = np.asarray(times, dtype=np.float64)
        inside = np.clip(times, 0, self.end)
        index, weights = _basis(inside, self.step, len(self.coefficients))
        value = (self.coefficients[index] * weights).sum(axis=-1)
        return value + (times - inside) * self.rate(inside)

    def rate(self, times: np.ndarray) -> np.ndarray:
        """Motion seconds that pass in a music second, (n,). The extremes are among ``rates``."""
        knots = np.arange(len(self.coefficients) - 1) * self.step
        return np.interp(times, knots, self.rates)

    @property
    def rates(self) -> np.ndarray:
        """The rate at every knot, (m - 1,). It is linear between them."""
        return np.diff(self.coefficients) / self.step

    @classmethod
    def steady(cls, seconds: float) -> Clock:
        """A clock on which music and motion run together."""
        knots = int(np.ceil(seconds / _KNOT_SECONDS)) + 2
        return cls((np.arange(knots) - 0.5) * _KNOT_SECONDS, _KNOT_SECONDS)

    @classmethod
    def through(cls, music: np.ndarray, motion: np.ndarray, seconds: float, limit: float = LIMIT) -> Clock:
        """The smoothest clock near the pairs of music and motion seconds, both (p,), over ``seconds`` of music.

        Least squares of the pairs' misses, of changes of the rate and of its distance from 1. Every rate stays in [1 -
        limit, 1 + limit], and the motion starts between 0 and ``LATEST_START``. ADMM keeps these bounds exactly (Boyd
        et al. 2011).
        """
        step, count = _KNOT_SECONDS, int(np.ceil(seconds / _KNOT_SECONDS)) + 2
        banded, right = _least_squares(music, motion, step, count)
        low, high = np.full(count, 1 - limit), np.full(count, 1 + limit)
        low[0], high[0] = 0.0, LATEST_START
        bounded = _within(banded, right, low, high, step, _ROUNDS)
        coefficients = bounded[0] + step * (np.concatenate(([0.0], np.cumsum(bounded[1:]))) - bounded[1] / 2)
        return cls(coefficients, step)


def _least_squares(music: np.ndarray, motion: np.ndarray, step: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The normal equations of ``Clock.through``: their matrix (3, m) in LAPACK's lower banded form, and the right side
    (m,). There are three diagonals, because a pair touches three coefficients.

    music, motion: (p,) seconds.
    step: seconds between knots.
    count: m, the number of coefficients.
    """
    index, weights = _basis(np.clip(music, 0, (count - 2) * step), step, count)
    banded, right = np.zeros((3, count)), np.zeros(count)
    for row, w, target in zip(index, weights, motion, strict=True):
        scaled = w / _ANCHOR_SECONDS
        for a in range(3):
            right[row[a]] += scaled[a] * target / _ANCHOR_SECONDS
            for b in range(a + 1):
                banded[a - b, row[b]] += scaled[a] * scaled[b]
    second = np.array([1.0, -2.0, 1.0]) / step**2 / _RATE_CHANGE * np.sqrt(step)
    first = np.array([-1.0, 1.0]) / step * 0.5 * np.sqrt(step)
    for stencil, target in ((second, 0.0), (first, 0.5 * np.sqrt(step))):
        width = len(stencil)
        for a in range(width):
            right[a : count - width + 1 + a] += stencil[a] * target
            for b in range(a + 1):
                banded[a - b, b : count - width + 1 + b] += stencil[a] * stencil[b]
    return banded, right


def _within(
    banded: np.ndarray, right: np.ndarray, low: np.ndarray, high: np.ndarray, step: float, rounds: int
) -> np.ndarray:
    """The start of the motion and the rates of the clock (m,) that solve normal equations within bounds, by ADMM.

    With coefficients c, v = (start, rates) = D c, where start = (c_0 + c_1) / 2.

    banded, right: as of ``_least_squares``.
    low, high: (m,) bounds of v.
    """
    rho, count = 20.0, len(right)
    with_bounds = banded.copy()
    with_bounds[0, :2] += rho / 4
    with_bounds[1, 0] += rho / 4
    with_bounds[0, :-1] += rho / step**2
    with_bounds[0, 1:] += rho / step**2
    with_bounds[1, :-1] -= rho / step**2
    factor = cholesky_banded(with_bounds, lower=True)
    bounded, dual = np.ones(count), np.zeros(count)
    bounded[0] = 0.0
    for _ in range(rounds):
        pull = rho * (bounded - dual)
        force = right.copy()
        force[:2] += pull[0] / 2
        force[:-1] -= pull[1:] / step
        force[1:] += pull[1:] / step
        c = cho_solve_banded((factor, True), force)
        free = np.concatenate(([(c[0] + c[1]) / 2], np.diff(c) / step))
        bounded = np.clip(free + dual, low, high)
        dual += free - bounded
    return bounded


def _basis(times: np.ndarray, step: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices and weights (n, 3) of the uniform quadratic B-splines that are not zero at ``times``."""
    place = np.asarray(times, dtype=np.float64) / step
    base = np.clip(np.floor(place).astype(int), 0, count - 3)
    f = place - base
    weights = np.stack(((1 - f) ** 2 / 2, 0.5 + f - f**2, f**2 / 2), axis=-1)
    return base[:, None] + np.arange(3), weights


def slowed_on_beats(times: np.ndarray, beats: np.ndarray, amount: float) -> np.ndarray:
    """The times (n,) of a clock that runs at 1 - amount * cos(2 pi beat phase).

    The body slows on every beat and hurries between. Beats and half-beats stay in place. The rate lies in [1 - amount,
    1 + amount].

    times: (n,) seconds.
    beats: (k,) seconds that enclose them.
    amount: 0 <= amount < 1.
    """
    times = np.asarray(times, dtype=np.float64)
    at = np.clip(np.searchsorted(beats, times, side="right") - 1, 0, len(beats) - 2)
    length = beats[at + 1] - beats[at]
    phase = (times - beats[at]) / length
    return times - amount * length / (2 * np.pi) * np.sin(2 * np.pi * phase)


def play(
    clock: Callable[[np.ndarray], np.ndarray], beats: np.ndarray, amount: float, seconds: float, fps: float
) -> np.ndarray:
    """The motion seconds (t,) of every output frame until the motion's end: first the slowing, then the clock.

    clock: a ``Clock``, or another map from music seconds to motion seconds.
    beats: (k,) music seconds that enclose what is played.
    seconds: the motion's length.
    """
    longest = int(np.ceil(seconds / (1 - LIMIT) * fps)) + 2
    times = np.arange(longest) / fps
    played = clock(slowed_on_beats(times, extended(beats, times[-1]), amount))
    return played[played <= seconds + 1e-9]
