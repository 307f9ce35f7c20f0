"""Bars: which beats are downbeats, for bars of two to eight beats.

A hidden Markov model counts through each bar. Its states are the metres and the positions in their bars (Krebs, Böck &
Widmer 2013).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from core.audio.beat_network import FPS

HARMONY_WEIGHT = 0.1  # nats for a change of harmony that is a standard deviation above the mean one
ACCENT_WEIGHT = 2.0  # nats for a neper that a stroke is louder than the usual one in the bands in which it sounds
LARGEST_ACCENT = 2.0  # nats
SILENT_BETWEEN = 0.02  # times a stroke's level: where less sounds between the beats, the music is a count of strokes
METRES = {2: 0.1, 3: 0.14, 4: 0.7, 5: 0.02, 6: 0.02, 7: 0.01, 8: 0.01}
"""Beats in a bar, and how often songs have them."""
BAR_COST = {2: 0.18, 3: 0.0, 4: 0.0, 5: 0.6, 6: 1.8, 7: 0.6, 8: 2.0}
"""Nats that every bar of a metre costs: what music in four is easily taken for needs more evidence."""
FIRST = 0.3  # nats for a song whose first beat begins a bar, as most do; it decides where nothing else does
SWITCH_COST = 12.0  # nats, for another metre from the next bar on
SKIP_COST = 15.0  # nats, for a bar that ends early
# Mean probability of downbeats. Music has more than the first. A metronome has less, for no beat of it sounds like a
# downbeat, and would be given the longest bars. Its probabilities are raised to the second.
RARE = 0.2
USUAL = 0.25
_QUIETEST = 1e-3  # of the loudest: what is fainter counts as that loud
_STROKE = (-3, 7)  # frames around a beat in which its stroke is
_BETWEEN = (0.3, 0.8)  # of the way to the next beat


def signs(fine: Tensor, mel: Tensor, times: np.ndarray) -> np.ndarray:
    """The nats that speak for a bar's beginning on each of the beats (n,): changes of harmony, or accents where nothing
    sounds between the beats.

    fine, times: as ``harmony`` takes them.
    mel: (t, m) magnitudes, as ``beat_network.spectrogram`` returns them.
    """
    if len(times) >= 4 and _silent_between(mel.mean(dim=1).numpy(), times):
        return accents(mel, times)
    return HARMONY_WEIGHT * harmony(fine, times)


def accents(mel: Tensor, times: np.ndarray) -> np.ndarray:
    """The nats (n,) that the stroke on each of the beats (n,) has over the usual one, by its level in every band.

    A stroke that is louder has more in the same bands, one that is higher in others.

    mel: (t, m) magnitudes at ``FPS``.
    times: (n,) seconds.
    """
    floor = _QUIETEST * mel.amax().clamp_min(1e-9)
    strokes = (_at_beats(mel.numpy(), times).max(axis=1) + floor.item()).clip(1e-12)  # n m
    level = np.log(strokes)
    more = ((level - np.median(level, axis=0)).clip(0) * strokes).sum(axis=1) / strokes.sum(axis=1)
    return (ACCENT_WEIGHT * (more - more.mean())).clip(-LARGEST_ACCENT, LARGEST_ACCENT)


def _silent_between(level: np.ndarray, times: np.ndarray) -> bool:
    """Whether next to nothing sounds between the beats (n,), by the level (t,) of each frame."""
    strokes = _at_beats(level, times[:-1]).max(axis=1)
    total = np.append(0.0, np.cumsum(level))
    gaps = np.diff(times)
    first, last = (np.round((times[:-1] + place * gaps) * FPS).astype(int).clip(0, len(level)) for place in _BETWEEN)
    between = (total[last] - total[first]) / (last - first).clip(1)
    return bool(np.median(between / strokes.clip(1e-9)) < SILENT_BETWEEN)


def _at_beats(curve: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The frames (n, k, ...) around each of the beats (n,) of a curve (t, ...)."""
    frames = np.round(times * FPS).astype(int)[:, None] + np.arange(*_STROKE)
    return curve[frames.clip(0, len(curve) - 1)]


def harmony(fine: Tensor, times: np.ndarray) -> np.ndarray:
    """How much more the harmony changes on each of the beats (n,) than usual, in standard deviations.

    It changes from one beat to the next, and from two beats to the next two. Bars mostly start there.

    fine: (t, c) compressed spectrum up to some 2 kHz, at ``FPS`` frames per second.
    times: (n,) seconds.
    """
    count = len(times)
    change, wide = np.zeros(count), np.zeros(count)
    if count >= 4:
        edges = np.append(times, 2 * times[-1] - times[-2])
        chords, pairs = means(fine, edges[:-1], edges[1:]), means(fine, edges[:-2], edges[2:])
        change[1:] = 1 - _cosine(chords[1:], chords[:-1])
        wide[2:-1] = 1 - _cosine(pairs[2:], pairs[:-2])
    return (_standard(change) + _standard(wide)).clip(-4, 4)


def means(fine: Tensor, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Means (n, c) of frames (t, c) over spans of time (n,), seconds; the nearest frame for spans beyond the song."""
    frames = len(fine)
    first = np.round(starts * FPS).astype(int).clip(0, frames - 1)
    last = np.maximum(np.round(ends * FPS).astype(int).clip(0, frames), first + 1)
    before, through = np.split(_sums(fine, np.concatenate((first, last))), 2)
    return (through - before) / (last - first)[:, None]


def _sums(fine: Tensor, ends: np.ndarray) -> np.ndarray:
    """Sums (n, c) of all frames (t, c) before each of ``ends`` (n,)."""
    knots, which = np.unique(ends, return_inverse=True)
    pieces = [fine[start:end].sum(dim=0, dtype=torch.float64) for start, end in pairwise([0, *knots.tolist()])]
    return torch.stack(pieces).cumsum(dim=0).numpy()[which]


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(axis=1) / norms.clip(1e-6)


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / max(values.std(), 1e-6)


def downbeats(likely: np.ndarray, costs: Mapping[int, float] | None = None, begins: int = 0) -> np.ndarray:
    """Which beats are downbeats, (n,) bool.

    likely: (n,) probability that each beat is a downbeat, in (0, 1).
    costs: nats that each beat costs in bars of a metre, as ``metre.costs`` returns them.
    begins: the beat on which the song begins.
    """
    if len(likely) == 0:
        return np.zeros(0, bool)
    if likely.mean() < RARE and likely.max() < 0.5:
        likely = raised(likely)
    metre = np.concatenate([np.full(m, m) for m in METRES])
    place = np.concatenate([np.arange(m) for m in METRES])
    firsts, lasts = np.flatnonzero(place == 0), np.flatnonzero(place == metre - 1)
    counted = np.arange(len(metre)) - 1  # the state before each one
    counted[firsts] = lasts
    cost = np.array([BAR_COST[m] for m in metre])
    evidence = np.where(place == 0, np.log(likely[:, None]) - cost, np.log(1 - likely[:, None]))
    evidence -= np.array([(costs or {}).get(m, 0.0) for m in metre])
    evidence[min(begins, len(likely) - 1)] += FIRST * (place == 0)
    score = np.log([METRES[m] / m for m in metre]) + evidence[0]
    came_from = np.zeros((len(likely), len(metre)), int)
    for i in range(1, len(likely)):
        whole, any_state = lasts[score[lasts].argmax()], int(score.argmax())
        switched, skipped = score[whole] - SWITCH_COST, score[any_state] - SKIP_COST
        source, value = (whole, switched) if switched >= skipped else (any_state, skipped)
        came_from[i], best = counted, score[counted]
        turned = firsts[value > best[firsts]]
        came_from[i, turned], best[turned] = source, value
        score = best + evidence[i]
    state = int(score.argmax())
    found = np.zeros(len(likely), bool)
    for i in range(len(likely) - 1, -1, -1):
        found[i] = place[state] == 0
        state = came_from[i, state]
    return found


def raised(likely: np.ndarray) -> np.ndarray:
    """Probabilities (n,) in (0, 1) with as much added to the log-odds of each as makes their mean ``USUAL``."""
    odds = np.log(likely / (1 - likely))
    low, high = -odds.max() - 10.0, -odds.min() + 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if (1 / (1 + np.exp(-odds - middle))).mean() > USUAL else (middle, high)
    return 1 / (1 + np.exp(-odds - low))
