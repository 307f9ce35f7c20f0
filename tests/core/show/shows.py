"""Shows for tests."""

import numpy as np

from core.show.channels import CHANNELS, ROLES, SHOW_FPS, SLICES
from core.show.show import Show, as_valid


def dark(frames: int) -> np.ndarray:
    """Values (t, c) of a dark, white, even stage."""
    values = np.zeros((frames, CHANNELS), dtype=np.float32)
    for role in ROLES:
        values[:, SLICES[f"{role}_spread"]] = 1
    return as_valid(values)


def show_with(frames: int, fps: float = SHOW_FPS, **parts) -> Show:
    """A dark show with some parts set."""
    values = dark(frames)
    for name, part in parts.items():
        part = np.asarray(part, dtype=np.float32)
        values[:, SLICES[name]] = part[:, None] if part.ndim == 1 else part
    return Show(values, fps)


def random_show(seed: int, frames: int = 80) -> Show:
    """Values drawn from all over their bounds, each kept for a random time."""
    random = np.random.default_rng(seed)
    values = random.uniform(-1, 3, (frames, CHANNELS))
    held = random.uniform(0, 1, values.shape) < random.uniform(0, 0.9)
    for frame in range(1, frames):
        values[frame, held[frame]] = values[frame - 1, held[frame]]
    if random.uniform() < 0.5:
        values[:, SLICES["strobe"]] = 0
    return Show(as_valid(values))
