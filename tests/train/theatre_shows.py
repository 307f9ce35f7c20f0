"""Valid shows for tests of the theatre: each look has its own hue, and every role pulses on the beats."""

import numpy as np
import torch

from core.show.channels import CHANNELS, ROLES, SLICES, SURFACES
from core.show.colour import hue_vector
from core.show.show import as_valid

LOOKS = 2


def pulsing(beats: torch.Tensor, frames: int, fps: float, look: int) -> np.ndarray:
    """A show (frames, c) of one look."""
    values = np.zeros((frames, CHANNELS), np.float32)
    clock = np.arange(frames) / fps
    since = clock[:, None] - beats.numpy()[None]
    pulse = np.exp(-np.where(since < 0, np.inf, since) / 0.15).max(axis=1, initial=0.0)
    hue = hue_vector(200.0 * look)
    for role in ROLES:
        values[:, SLICES[f"{role}_hue"]] = hue
        values[:, SLICES[f"{role}_saturation"]] = 0.9
        values[:, SLICES[f"{role}_level"]] = (0.3 + 0.6 * pulse)[:, None]
        values[:, SLICES[f"{role}_spread"]] = 1
    for surface in SURFACES:
        for part in ("base", "accent"):
            values[:, SLICES[f"{surface}_{part}_hue"]] = hue
            values[:, SLICES[f"{surface}_{part}_value"]] = 0.5
    return as_valid(values)


def writer(fps: float):
    """A ``train.data.theatre.Writer`` of such shows."""

    def write(pair, seeds):
        frames = int(len(pair.mel) / 62.5 * fps) + 1
        return [(pulsing(pair.beats, frames, fps, seed % LOOKS), seed % LOOKS) for seed in seeds]

    return write
