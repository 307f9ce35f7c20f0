"""Clocks of played music: the seconds of every beat, at a steady tempo, in a ramp, or as people breathe."""

from __future__ import annotations

import numpy as np

FREEDOMS = ("steady", "drift", "ramp", "rubato", "rubato intro")


def beat_times(count: int, bpm: float, freedom: str, draw: np.random.Generator) -> np.ndarray:
    """Seconds (count,) of beats, the first at 0.

    bpm: their tempo, in the middle of a ramp.
    freedom: one of ``FREEDOMS``: steady; a drift as of a band without a click (2 % over some 16 beats); a ramp by up to
        a quarter; rubato (8 %, with a pause now and then); or rubato for the first quarter.
    """
    place = np.linspace(-0.5, 0.5, count)
    slow = np.ones(count)
    if freedom == "drift":
        slow += 0.02 * _wander(count, 16, draw)
    elif freedom == "ramp":
        slow = 2.0 ** (-place * draw.uniform(-0.32, 0.32) * 2)
    elif freedom in ("rubato", "rubato intro"):
        slow += 0.08 * _wander(count, 5, draw)
        slow[draw.random(count) < 0.03] *= 1.4
        if freedom == "rubato intro":
            slow[count // 4 :] = 1.0
    return np.concatenate([[0.0], np.cumsum(60 / bpm * slow.clip(0.6, 1.8))[:-1]])


def _wander(count: int, beats: float, draw: np.random.Generator) -> np.ndarray:
    """Smooth noise (count,) with standard deviation 1 that changes over about ``beats``."""
    reach = int(3 * beats) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (beats / 2)) ** 2)
    noise = np.convolve(draw.normal(size=count + 2 * reach), kernel / np.sqrt((kernel**2).sum()), "valid")
    return noise[:count]
