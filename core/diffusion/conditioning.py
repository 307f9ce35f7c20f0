"""What every denoising network takes in: the step, the other modality, rhythm, style, observations, or their nulls."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.config import DenoiserConfig
from core.layers.blocks import conv, from_picture, to_picture
from core.types import Condition


class TimeConv(nn.Module):
    """A convolution over time of (b, t, c); zeros beyond the ends."""

    def __init__(self, channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.conv = conv(channels, out_channels, kernel)

    def forward(self, x: Tensor) -> Tensor:
        return from_picture(self.conv(to_picture(x)))

    def one(self, x: Tensor) -> Tensor:
        """The same for single frames (b, c), around which all is zero."""
        weight = self.conv.weight[:, :, 0, self.conv.kernel_size[1] // 2]
        return functional.linear(x, weight, self.conv.bias)


def step_features(step: Tensor, channels: int) -> Tensor:
    """Sines and cosines of diffusion steps (b,) -> (b, channels), periods from 2 pi to 10 000 times that."""
    frequency = torch.exp(-math.log(10_000) * torch.arange(channels // 2, device=step.device) / (channels // 2))
    angle = step.float()[:, None] * frequency
    return torch.cat([angle.cos(), angle.sin()], dim=-1)


class ConditionedNetwork(nn.Module):
    """The way in, shared by all architectures; subclasses bring ``forward(z_t, step, condition, valid=None)``.

    Everything is brought to ``config.width`` channels: ``_token`` (b, c) tells step and style, ``_condition_tokens``
    and ``_noisy_tokens`` (b, t, c) tell frames. Parts of the condition that are absent or dropped are learned nulls.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        width, rhythm = config.width, config.rhythm_channels
        given = config.latent_channels + 1 if config.observed else 0
        self.noisy_in = TimeConv(config.latent_channels + given, width, config.input_kernel)
        self.condition_in = TimeConv(config.condition_channels + rhythm, config.condition_width, config.input_kernel)
        self.condition_out = nn.Linear(config.condition_width, width)
        self.null_latents = nn.Parameter(torch.zeros(config.condition_channels))
        if rhythm:
            self.null_rhythm = nn.Parameter(torch.zeros(rhythm))
            self.rhythm_in = nn.Linear(rhythm, width)
        if config.styles:
            self.styles = nn.Linear(config.styles, width, bias=False)
            self.default_style = nn.Parameter(torch.zeros(width))
        self.step_in = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))

    def _token(self, step: Tensor, condition: Condition) -> Tensor:
        token = self.step_in(step_features(step, self.config.width))
        if not self.config.styles:
            return token
        if condition.style is None:
            return token + self.default_style
        style = _kept(condition.style, torch.zeros_like(condition.style[0]), condition.keep)
        # Weights short of 1 (all zero: unknown, or dropped) are made up by the default style.
        rest = (1 - style.sum(dim=-1, keepdim=True)).clamp_min(0)
        return token + self.styles(style) + rest * self.default_style

    def _rhythm(self, condition: Condition, b: int, t: int) -> Tensor | None:
        if not self.config.rhythm_channels:
            return None
        return _or_null(condition.rhythm, self.null_rhythm, condition.keep, b, t)

    def _condition_tokens(self, condition: Condition, rhythm: Tensor | None, b: int, t: int, valid) -> Tensor:
        x = _or_null(condition.latents, self.null_latents, condition.keep, b, t)
        if rhythm is not None:
            x = torch.cat([x, rhythm], dim=-1)
        return self.condition_out(functional.silu(self.condition_in(masked(x, valid))))

    def _noisy_tokens(self, z_t: Tensor, condition: Condition, rhythm: Tensor | None, valid) -> Tensor:
        x = z_t
        if self.config.observed:
            mask = condition.observed_mask
            mask = torch.zeros_like(z_t[..., :1]) if mask is None else mask.to(z_t.dtype)
            observed = torch.zeros_like(z_t) if condition.observed is None else condition.observed * mask
            x = torch.cat([z_t, observed, mask], dim=-1)
        x = self.noisy_in(masked(x, valid))
        return x if rhythm is None else x + self.rhythm_in(rhythm)


def masked(x: Tensor, valid: Tensor | None) -> Tensor:
    return x if valid is None else x * valid[..., None]


def _kept(x: Tensor, null: Tensor, keep: Tensor | None) -> Tensor:
    """``x`` (b, ...) where ``keep`` (b,) is true, ``null`` elsewhere."""
    return x if keep is None else torch.where(keep.view(-1, *[1] * (x.ndim - 1)), x, null.to(x.dtype))


def _or_null(x: Tensor | None, null: Tensor, keep: Tensor | None, b: int, t: int) -> Tensor:
    """A condition (b, t, c), or the learned null where it is absent or dropped."""
    return null.expand(b, t, -1) if x is None else _kept(x, null, keep)
