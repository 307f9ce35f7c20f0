"""What the rules of light see of a dance, on the clock of shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.layers.peaks import gaussian_smooth
from core.rhythm.accents import mean_speed
from core.show.channels import SHOW_FPS

ENERGY_SECONDS = 0.4  # standard deviation by which the speed is smoothed
CALM = 0.05  # quantile of the dance's speed that is energy 0
WILD = 0.95  # quantile that is energy 1
HALF_STAGE = 4.0  # metres from the middle to either side


@dataclass(frozen=True)
class Dancer:
    """A dance as the rules see it.

    energy: (t,) in [0, 1] at ``SHOW_FPS``: the mean joint speed, relative to that of the dance.
    across: (t,) where the dancer is: -1 the audience's left, 1 its right.
    """

    energy: np.ndarray
    across: np.ndarray


def energy_at(positions: Tensor, fps: float, frames: int, wanted: float) -> Tensor:
    """The energy (frames,) of a dance, as ``watch`` sees it, at another number of frames a second.

    positions: (t, j, 3) metres.
    fps: their frames per second.
    frames: how many are wanted; beyond the dance's end it stays as it ended.
    wanted: frames per second.
    """
    energy = watch(positions, fps).energy
    told = np.interp(np.arange(frames) / wanted, np.arange(len(energy)) / SHOW_FPS, energy)
    return torch.from_numpy(told).float()


def watch(positions: Tensor, fps: float) -> Dancer:
    """Watch a dance.

    positions: (t, j, 3) metres, y up, facing the audience along +z; the first joint is the pelvis.
    fps: frames per second.
    """
    speed = gaussian_smooth(mean_speed(positions, fps), ENERGY_SECONDS * fps).double().numpy()
    calm, wild = np.quantile(speed, (CALM, WILD))
    energy = ((speed - calm) / max(wild - calm, 1e-3)).clip(0, 1)
    place = (positions[:, 0, 0].double().numpy() / HALF_STAGE).clip(-1, 1)
    clock = np.arange(max(1, round(len(positions) / fps * SHOW_FPS))) / SHOW_FPS
    frames = np.arange(len(positions)) / fps
    return Dancer(np.interp(clock, frames, energy), np.interp(clock, frames, place))
