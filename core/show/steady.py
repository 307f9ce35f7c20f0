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

STARTS = np.array([place.start for place in SLICES.values()])
PART = np.repeat(np.arange(len(SLICES)), [place.stop - place.start for place in SLICES.values()])
SHARP = np.array([0.5 / (HUE_ALIKE if place.stop - place.start > 1 else ALIKE) ** 2 for place in SLICES.values()])
"""Of each part: its first channel, and by how much a squared distance makes frames less alike; of each channel, its
part."""


def steadied(values: np.ndarray) -> np.ndarray:
    """Channels (t, c) at ``SHOW_FPS`` frames per second without trembling. A hue, or a pattern, is filtered as one."""
    made, frames = values, len(values)
    for _ in range(ROUNDS):
        padded = np.pad(made, ((REACH, REACH), (0, 0)), mode="edge")
        total, weights = made.copy(), np.ones((frames, len(SLICES)), made.dtype)
        for apart in range(1, REACH + 1):
            # two frames weigh as much for each other, so every pair of them is compared once
            distance = np.add.reduceat(np.square(padded[apart:] - padded[:-apart]), STARTS, axis=1)
            alike = (np.exp(-0.5 * (apart / SPAN) ** 2) * np.exp(-SHARP * distance)).astype(made.dtype)
            for pair, other in ((REACH, REACH + apart), (REACH - apart, REACH - apart)):  # those after it, those before
                weight = alike[pair : pair + frames]
                total += weight[:, PART] * padded[other : other + frames]
                weights += weight
        made = total / weights[:, PART]
    return made
