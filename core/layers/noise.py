"""Noise from an explicit generator."""

from __future__ import annotations

import torch
from torch import Tensor


def noise_like(x: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal noise with the shape, dtype and device of ``x``, drawn on the device of ``generator``.

    A generator on the CPU therefore gives the same noise whichever device the model runs on.
    """
    return torch.randn(x.shape, generator=generator, device=generator.device, dtype=torch.float32).to(x)
