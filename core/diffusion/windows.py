"""Sampling of any length, by overlapping windows that are blended at every step.

A denoiser knows windows of the length on which it was trained. Before every step, a long x_t is cut into such windows,
and their clean estimates are blended, so neighbouring windows never diverge (MultiDiffusion, Bar-Tal et al. 2023, with
clean samples instead of noise). The time is linear in the length, the memory is constant.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.diffusion.parameterize import Denoise
from core.layers.chunked import raised_cosine, starts
from core.types import Condition


def windowed(denoise: Denoise, window: int, overlap: int, chunk: int = 8) -> Denoise:
    """A denoiser of sequences of any length, from one of windows.

    The last window is moved back to end where the sequence ends. A sequence that fits into one window is denoised as it
    is.

    denoise: the denoiser of windows.
    window: frames of a window.
    overlap: frames that neighbouring windows share at least.
    chunk: windows per sample that are denoised at once, which bounds the memory.
    """

    def denoise_windowed(x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        b, total, c = x_t.shape
        if total <= window:
            return denoise(x_t, t, condition)
        blended, weight = torch.zeros_like(x_t), x_t.new_zeros(total, 1)
        begins = starts(total, window, overlap)
        for i in range(0, len(begins), chunk):
            some = begins[i : i + chunk]
            pieces = torch.cat([x_t[:, s : s + window] for s in some])  # windows x samples, t, c
            x0 = denoise(pieces, t.repeat(len(some)), _cut(condition, some, window)).view(len(some), b, window, c)
            for piece, s in zip(x0, some, strict=True):
                fade = raised_cosine(window, overlap, left=s > 0, right=s + window < total)[:, None].to(x_t)
                blended[:, s : s + window] += fade * piece
                weight[s : s + window] += fade
        return blended / weight

    return denoise_windowed


def _cut(condition: Condition, begins: list[int], window: int) -> Condition:
    """The conditions of all windows, concatenated along the batch."""
    return Condition.joined([condition.window(s, s + window) for s in begins], torch.cat)
