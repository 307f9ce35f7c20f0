"""Crops of clips: as long as they are asked for, and many as one batch."""

from __future__ import annotations

import torch
from torch import Tensor


def continued(values: Tensor, count: int) -> Tensor:
    """Values (count, ...) of which the last is repeated where there are too few."""
    return torch.cat([values, values[-1:].expand(count - len(values), *values.shape[1:])])


def anywhere(length: int, count: int, generator: torch.Generator) -> int:
    """The frame at which a crop of ``count`` frames begins, anywhere in a clip; 0 in one that is too short."""
    return int(torch.rand(1, generator=generator) * (max(0, length - count) + 1))


def stacked(crops: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The crops as one batch."""
    return {name: torch.stack([crop[name] for crop in crops]) for name in crops[0]}
