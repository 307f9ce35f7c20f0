"""Light without trembling: a bilateral filter over time (Tomasi & Manduchi 1998).

A model's light trembles a little from frame to frame, which rules and people never do. Frames are averaged with those
around them that are nearly alike, so that fades stay smooth, and a pulse or a cue stays as sudden as it was made.
"""

from __future__ import annotations

import numpy as np

from .channels import SHOW_FPS, SLICES

REACH = round(0.4 * SHOW_FPS)  # frames to either side
SPAN = 0.16 * SHOW_FPS  # frames, one standard deviation
ALIKE = 0.04  # one standard deviation of what still counts as trembling, of a channel's range
HUE_ALIKE = 0.12  # of a vector: seven degrees of a hue
ROUNDS = 2


def steadied(values: np.ndarray) -> np.ndarray:
    """Channels (t, c) at ``SHOW_FPS`` frames per second without trembling. A hue, or a pattern, is filtered as one."""
    made = values.copy()
    near = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / SPAN) ** 2)
    for _ in range(ROUNDS):
        for place in SLICES.values():
            padded = np.pad(made[:, place], ((REACH, REACH), (0, 0)), mode="edge")
            around = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1, axis=0)  # t, channels, frames
            apart = np.square(around - made[:, place, None]).sum(axis=1, keepdims=True)
            alike = ALIKE if around.shape[1] == 1 else HUE_ALIKE
            weights = near * np.exp(-0.5 * apart / alike**2)
            made[:, place] = (weights * around).sum(axis=2) / weights.sum(axis=2)
    return made
