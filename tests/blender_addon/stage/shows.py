"""Shows for tests: red and full everywhere, but for what a test is about."""

import numpy as np

from core.show import channels
from core.show.show import Show

CLOCK = np.arange(46) / channels.SHOW_FPS
"""Seconds of a show's frames: about three."""


def show(**parts: float | tuple[float, ...] | np.ndarray) -> Show:
    """A show in which every lamp is red, even and full, and nothing moves.

    parts: of the channels, numbers or (t,) or (t, n).
    """
    values = np.zeros((len(CLOCK), channels.CHANNELS), np.float32)
    for name in channels.HUES:
        values[:, channels.SLICES[name]] = (1.0, 0.0)
    for name in channels.MIXTURES:
        values[:, channels.SLICES[name].start] = 1.0
    for role in channels.ROLES:
        for part in ("saturation", "level", "spread"):
            values[:, channels.SLICES[f"{role}_{part}"]] = 1.0
    for name, value in parts.items():
        column = np.asarray(value, dtype=np.float32)
        values[:, channels.SLICES[name]] = column[:, None] if column.shape == CLOCK.shape else column
    return Show(values, channels.SHOW_FPS)
