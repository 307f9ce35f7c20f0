"""The bars of a song as stretches of time, and what sounds in each of them on average."""

from __future__ import annotations

import numpy as np

from core.types import Beats

BARS_WITHOUT_BEATS = 2.0  # seconds


def bar_edges(beats: Beats, seconds: float) -> np.ndarray:
    """Seconds (n + 1,) at which n bars start and the last one ends, from 0 to the end of the song.

    Without downbeats four beats are a bar, without beats two seconds.
    """
    times = beats.times.double().numpy()
    if beats.downbeats is not None and int(beats.downbeats.sum()) >= 2:
        starts = times[beats.downbeats.numpy()]
    elif len(times) >= 8:
        starts = times[::4]
    else:
        starts = np.arange(BARS_WITHOUT_BEATS, seconds, BARS_WITHOUT_BEATS)
    usual = float(np.median(np.diff(starts))) if len(starts) > 1 else BARS_WITHOUT_BEATS
    inside = starts[(starts > usual / 2) & (starts < seconds - usual / 2)]
    return np.concatenate(([0.0], inside, [max(seconds, 1e-3)]))


def means_between(values: np.ndarray, fps: float, edges: np.ndarray) -> np.ndarray:
    """The means (n, c) of values (t, c) between edges (n + 1,) in seconds; the nearest frame where there is none.

    fps: frames per second of the values.
    """
    if not len(values):
        return np.zeros((len(edges) - 1, values.shape[1]))
    frames = np.round(edges * fps).astype(int)
    first = frames[:-1].clip(0, len(values) - 1)
    end = max(min(int(frames[-1]), len(values)), int(first[-1]) + 1)
    sums = np.add.reduceat(values[:end], first, axis=0, dtype=np.float64)
    return sums / np.diff(np.append(first, end)).clip(1)[:, None]
