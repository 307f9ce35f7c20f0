"""How much a body steps, told by its ankles: for what Blender shows of a dance and for ``core.metrics.footwork``."""

from __future__ import annotations

import numpy as np

from .runs import runs

STEP_SPEED = 0.5  # metres per second; an ankle that stays faster takes a step
STEP_SECONDS = 0.1  # for at least this long
STILL_SECONDS = 1.0  # of a window
STILL_TRAVEL = 0.05  # metres; a foot that gets no farther from where it was is still


def steps_per_second(ankles: np.ndarray, fps: float) -> float:
    """Steps of both feet per second: stretches of ``STEP_SECONDS`` or more in which an ankle is faster than
    ``STEP_SPEED``. Steps on the spot count as well.

    ankles: (t, 2, 3) metres, two frames or more.
    """
    fast = np.linalg.norm(np.gradient(ankles, axis=0), axis=2) * fps > STEP_SPEED
    taken = sum(last - first >= STEP_SECONDS * fps for foot in fast.T for first, last in runs(foot))
    return taken / (len(ankles) / fps)


def still_windows(ankles: np.ndarray, fps: float) -> float:
    """The fraction of all windows of ``STILL_SECONDS`` in which no ankle gets ``STILL_TRAVEL`` away from where it was
    at the start. A shorter clip is one window.

    ankles: (t, 2, 3) metres.
    """
    last = min(len(ankles) - 1, round(STILL_SECONDS * fps))  # frame of a window
    starts = ankles[: len(ankles) - last]
    farthest = np.zeros(len(starts))
    for later in range(1, last + 1):
        away = np.linalg.norm(ankles[later : later + len(starts)] - starts, axis=2).max(axis=1)
        farthest = np.maximum(farthest, away)
    return float(np.mean(farthest < STILL_TRAVEL))
