"""Beats as the best path through instants and periods: a dynamic programme over a reward for a beat at every frame.

This is Ellis (2007) with the period as a state, i.e. the beat model of Krebs, Böck & Widmer (ISMIR 2015): the path
follows a tempo that drifts or ramps, because changes of period have a cost that grows with them, and it keeps its
metrical level.
"""

from __future__ import annotations

import math

import numpy as np

from core import progress
from core.grid.beat_grid import beyond

USUAL_BPM = 112.0  # where there are no beats to go by
STEP_COST = 0.2  # for any change of period
CHANGE_COST = 5000.0  # for what exceeds one frame, times the square of the relative change
AROUND = 8  # beats to either side of a gap that say how fast it goes on
REACH = 4  # frames around a beat that say where it is exactly
_REACH = 6  # frames by which a period changes at most from one beat to the next


def best_path(reward: np.ndarray, periods: np.ndarray, change_cost: float = CHANGE_COST) -> np.ndarray:
    """Frames (n,) of the beats whose rewards add up to the most.

    reward: (t, p) for a beat on each frame that comes a period after the one before it. Frames before the first and
        after the last beat cost nothing.
    periods: (p,) frames, consecutive whole numbers.
    change_cost: for a change of period by more than a frame, times the square of the relative change.
    """
    length, count = reward.shape
    shortest, longest = int(periods[0]), int(periods[-1])
    if length == 0:
        return np.zeros(0)
    shifts = np.arange(-_REACH, _REACH + 1)[:, None]
    # A period between two whole frames alternates by one frame, so only larger steps are changes of tempo.
    excess = (np.abs(shifts) - 1).clip(0)
    cost = (STEP_COST * (shifts != 0) + change_cost * excess**2 / periods**2.0).astype(np.float32)  # s p
    # The rows before the song cost nothing: it may start at any phase. The columns at the sides are no periods.
    score = np.full((longest + length, count + 2 * _REACH), -np.inf, np.float32)
    score[:, _REACH:-_REACH] = 0
    # What a beat adds to that comes a period later: the best score of any period here, less the cost of the change.
    base = np.zeros((longest + length, count), np.float32)
    came_from = (longest - periods) * count + np.arange(count)  # in the flat base, of a beat on the first frame
    shifted = np.lib.stride_tricks.sliding_window_view(score, count, axis=1).transpose(1, 0, 2)  # s t p
    room = np.empty((len(cost), shortest, count), np.float32)
    # No beat depends on another that is closer than the shortest period, so as many frames are worked out at once.
    for first in range(0, length, shortest):
        frames = np.arange(first, min(first + shortest, length))
        rows = slice(first + longest, first + longest + len(frames))
        score[rows, _REACH:-_REACH] = base.take(frames[:, None] * count + came_from) + reward[frames]
        np.subtract(shifted[:, rows], cost[:, None], out=room[:, : len(frames)]).max(axis=0, out=base[rows])
        progress.report(first / length)
    tail = score[-longest:].max(axis=1)
    frame = length - longest + int(tail.argmax())
    state = int(score[frame + longest].argmax()) - _REACH if frame >= 0 else 0
    found = []
    while frame >= 0:
        found.append(frame)
        frame -= int(periods[state])
        before = score[frame + longest, state : state + len(cost)] - cost[:, state]
        state += int(before.argmax()) - _REACH
    return np.array(found[::-1], dtype=float)


def refined(frames: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """The frames (n,) of beats, moved by fractions to where the probabilities (t,) around them are centred."""
    if len(frames) == 0:
        return frames
    weight = weights_around(frames, likely)
    return frames + (weight * np.arange(-REACH, REACH + 1)).sum(axis=1) / (weight.sum(axis=1) + 1e-3)


def weights_around(frames: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """The probabilities (n, 2 ``REACH`` + 1) around the frames (n,) of beats among those of all frames (t,)."""
    around = frames.astype(int)[:, None] + np.arange(-REACH, REACH + 1)
    return likely[around.clip(0, len(likely) - 1)]


def periods_within(slowest: float, fastest: float, fps: float) -> np.ndarray:
    """The periods (p,) of tempi in beats per minute, both ends included, as whole frames at ``fps``."""
    return np.arange(math.floor(60 * fps / fastest), math.ceil(60 * fps / slowest) + 1)


def tempo_prior(tempi: np.ndarray, usual: float, octaves: float) -> np.ndarray:
    """Log of a log-normal prior over tempi (p,) in beats per minute, in nats; 0 at the usual tempo.

    octaves: its standard deviation.
    """
    return -0.5 * (np.log2(tempi / usual) / octaves) ** 2


def bridged(frames: np.ndarray, longest: float, usual: float) -> np.ndarray:
    """The beats (n,), increasing, with gaps longer than ``longest`` filled evenly, at the spacing of the beats around.

    usual: the spacing of beats without others around them.
    """
    steps = np.diff(frames)
    counts = np.ones(len(steps), int)
    for gap in np.flatnonzero(steps > longest):
        around = steps[max(0, gap - AROUND) : gap + AROUND + 1]
        near = around[around <= longest]
        counts[gap] = max(1, round(float(steps[gap] / (np.median(near) if len(near) else usual))))
    index = np.append(0, np.cumsum(counts))
    return np.interp(np.arange(index[-1] + 1), index, frames) if len(frames) else frames


def fill(times: np.ndarray, seconds: float, early: float = 0.0) -> np.ndarray:
    """Extend beats (n,) to all of ``[0, seconds)`` at their own spacing.

    early: a beat that is so little before 0 is at 0, seconds.
    """
    if len(times) < 2:
        period = 60 / USUAL_BPM
        return np.arange((times[0] if len(times) else 0.0) % period, seconds, period)
    before, after = beyond(times, -early, seconds)
    whole = np.concatenate([before.clip(-early), times, after])
    return whole[(whole >= -early) & (whole < seconds)].clip(0)


def smoothed(frames: np.ndarray) -> np.ndarray:
    """Smooth beats (n,), frames, by a triangle over five beats. A steady drift of tempo stays."""
    if len(frames) < 5:
        return frames
    return np.convolve(np.pad(frames, 2, mode="reflect", reflect_type="odd"), np.array([1, 2, 3, 2, 1]) / 9, "valid")
