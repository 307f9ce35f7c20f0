"""Classifier-free guidance (Ho & Salimans 2022; MoMu-Diffusion eq. 7) as a function of functions."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from core.diffusion.parameterize import Denoise
from core.types import Condition


def guided(denoise: Denoise, scale: float, ramp: float = 0.0, steps: int = 1000) -> Denoise:
    """x0 = x0(null) + s (x0(condition) - x0(null)), conditional and unconditional side by side in one batch.

    Eq. 7 mixes predicted noises; at a given x_t noise and x0 are affine in each other and the weights add up to one,
    so mixing x0 is the same. s is ``scale``, or with ``ramp`` rises to it from 1 + (scale - 1) (1 - ramp) at the
    noisiest of ``steps`` steps: early guesses are vague, and pushing them costs variety. ``scale`` 1 is ``denoise``.
    """
    if scale == 1.0:
        return denoise

    def denoise_guided(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        keep = condition.keep
        if keep is None:
            keep = torch.ones(x_t.shape[0], dtype=torch.bool, device=x_t.device)
        both = replace(condition.map(_twice), keep=torch.cat([keep, torch.zeros_like(keep)]))
        cond, uncond = denoise(_twice(x_t), _twice(t), both).chunk(2)
        noisiness = (t.to(x_t.dtype) / (steps - 1)).view(-1, 1, 1)
        strength = 1 + (scale - 1) * (1 - ramp * noisiness)
        return uncond + strength * (cond - uncond)

    return denoise_guided


def _twice(x: Tensor) -> Tensor:
    return torch.cat([x, x])
