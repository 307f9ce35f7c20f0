"""Noise from an explicit generator."""

from __future__ import annotations

import torch
from torch import Tensor


def noise_like(x: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal noise of the shape, type and device of ``x``, drawn where ``generator`` lives.

    A generator on the CPU therefore gives the same noise whatever device the model runs on.
    """
    return torch.randn(x.shape, generator=generator, device=generator.device, dtype=torch.float32).to(x)
