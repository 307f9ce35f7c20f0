"""Prepares positions for metrics: checks them, resamples them, and cuts them into windows."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.errors import FootlightError
from core.motion.resample import spline


def checked(positions: Tensor, fps: float, joints: int | None = None) -> Tensor:
    """The positions (t, j, 3) as float64.

    positions: metres.
    fps: frames per second.
    joints: the number of joints, if it is fixed.

    Raises FootlightError for another shape, values that are not finite, or a rate that is not positive.
    """
    if positions.ndim != 3 or positions.shape[2] != 3 or (joints is not None and positions.shape[1] != joints):
        raise FootlightError(
            f"expected joint positions (t, {joints or 'j'}, 3) in metres, got {tuple(positions.shape)}; "
            f"core.motion.kinematics.forward makes them of a motion"
        )
    if not bool(positions.isfinite().all()):
        raise FootlightError("positions hold numbers that are not finite; look at the motion they came from")
    if not fps > 0 or not math.isfinite(fps):
        raise FootlightError(f"a frame rate of {fps} was given; expected a positive number of frames per second")
    return positions.detach().double()


def at_rate(positions: Tensor, fps: float, rate: float) -> Tensor:
    """Resample positions (t, ...) to (t', ...), float64, by a spline. The first instant is the same.

    positions: (t, ...).
    fps: their frames per second.
    rate: the new frames per second.
    """
    positions = positions.detach().double()
    if fps == rate:
        return positions
    frames = math.floor((positions.shape[0] - 1) * rate / fps + 1e-9) + 1
    return spline(positions, torch.arange(frames, dtype=torch.float64) * (fps / rate))


def windows(values: Tensor, length: int, hop: int) -> list[Tensor]:
    """Windows (length, ...) of ``values`` (t, ...) that start every ``hop`` frames. An incomplete one is dropped."""
    return [values[start : start + length] for start in range(0, len(values) - length + 1, hop)]
