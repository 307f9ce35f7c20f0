"""Classifier-free guidance (Ho & Salimans 2022; MoMu-Diffusion eq. 7) as a function from denoiser to denoiser."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from core.diffusion.parameterize import Denoise
from core.types import Condition


def guided(denoise: Denoise, scale: float | Tensor) -> Denoise:
    """A denoiser with guidance: x0 = x0(null) + scale (x0(condition) - x0(null)).

    The conditional and the unconditional estimate are computed in one batch. Eq. 7 combines predicted noises instead.
    At a given x_t, noise and x0 are affine functions of each other, and the weights add up to one, so combining x0 is
    the same.

    denoise: the denoiser.
    scale: strength of guidance, or one for each sample (b, 1, 1); the number 1 returns ``denoise`` itself.
    """
    if not isinstance(scale, Tensor) and scale == 1.0:
        return denoise

    def denoise_guided(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        keep = condition.keep
        if keep is None:
            keep = torch.ones(x_t.shape[0], dtype=torch.bool, device=x_t.device)
        both = replace(condition.map(_twice), keep=torch.cat([keep, torch.zeros_like(keep)]))
        cond, uncond = denoise(_twice(x_t), _twice(t), both).chunk(2)
        return uncond + by_rows(scale, len(x_t)) * (cond - uncond)

    return denoise_guided


def guided_inside(denoise: Denoise, scale: float | Tensor) -> Denoise:
    """A denoiser that takes the strength of guidance as a condition (Meng et al. 2023): one pass instead of two.

    denoise: the denoiser, with a network that was distilled from a guided one (``DenoiserConfig.guided``).
    scale: strength of guidance, as of ``guided``.
    """

    def denoise_guided_inside(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        strength = torch.as_tensor(by_rows(scale, len(x_t))).to(x_t).flatten().expand(len(x_t))
        return denoise(x_t, t, replace(condition, guidance=strength))

    return denoise_guided_inside


def by_rows(scale: float | Tensor, rows: int) -> float | Tensor:
    """A strength of guidance for each row of a batch (rows, ...): all samples of one window after another, as
    ``core.diffusion.windows`` cuts them.

    scale: the strength, or one for each sample (b, ...).
    """
    return scale.repeat(rows // len(scale), *[1] * (scale.ndim - 1)) if isinstance(scale, Tensor) else scale


def _twice(x: Tensor) -> Tensor:
    return torch.cat([x, x])
