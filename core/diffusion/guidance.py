"""Classifier-free guidance (Ho & Salimans 2022; MoMu-Diffusion eq. 7) as a function of functions."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from core.diffusion.parameterize import Denoise
from core.types import Condition


def guided(denoise: Denoise, scale: float) -> Denoise:
    """x0 = x0(null) + s (x0(condition) - x0(null)), conditional and unconditional side by side in one batch.

    Eq. 7 mixes predicted noises; at a given x_t noise and x0 are affine in each other and the weights add up to one,
    so mixing x0 is the same. s is ``scale``; 1 is ``denoise`` itself.
    """
    if scale == 1.0:
        return denoise

    def denoise_guided(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        keep = condition.keep
        if keep is None:
            keep = torch.ones(x_t.shape[0], dtype=torch.bool, device=x_t.device)
        both = replace(condition.map(_twice), keep=torch.cat([keep, torch.zeros_like(keep)]))
        cond, uncond = denoise(_twice(x_t), _twice(t), both).chunk(2)
        return uncond + scale * (cond - uncond)

    return denoise_guided


def _twice(x: Tensor) -> Tensor:
    return torch.cat([x, x])
