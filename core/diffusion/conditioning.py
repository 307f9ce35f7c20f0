"""The inputs of all denoising networks: step, context, rhythm, style, steering, look, observations, or their nulls."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.config import DenoiserConfig
from core.layers.blocks import conv, from_picture, to_picture
from core.rhythm.events import beat_response
from core.rhythm.features import with_spread_loudness
from core.types import Condition


class TimeConv(nn.Module):
    """A convolution over time of (b, t, c), padded with zeros."""

    def __init__(self, channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.conv = conv(channels, out_channels, kernel)

    def forward(self, x: Tensor) -> Tensor:
        return from_picture(self.conv(to_picture(x)))

    def one(self, x: Tensor) -> Tensor:
        """The same for single frames (b, c) surrounded by zeros."""
        weight = self.conv.weight[:, :, 0, self.conv.kernel_size[1] // 2]
        return functional.linear(x, weight, self.conv.bias)


def step_features(step: Tensor, channels: int) -> Tensor:
    """Sinusoidal embedding (b, channels) of diffusion steps (b,), with periods from 2 pi to 10 000 times that."""
    frequency = torch.exp(-math.log(10_000) * torch.arange(channels // 2, device=step.device) / (channels // 2))
    angle = step.float()[:, None] * frequency
    return torch.cat([angle.cos(), angle.sin()], dim=-1)


class ConditionedNetwork(nn.Module):
    """The input layers that all architectures share. Subclasses define ``forward(z_t, step, condition, valid=None)``.

    Everything is projected to ``config.width`` channels. ``_token`` (b, c) embeds step and style. ``_context_tokens``
    and ``_noisy_tokens`` (b, t, c) embed frames. Learned nulls replace parts of the condition that are absent or
    dropped. Each modality of the context has a projection of its own, whose input also has the rhythm.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        width, rhythm = config.width, config.rhythm_channels
        given = config.latent_channels + config.observed_parts if config.observed else 0
        self.noisy_in = TimeConv(config.latent_channels + given, width, config.input_kernel)
        self.context_in = nn.ModuleDict(
            {
                name: TimeConv(channels + rhythm, config.condition_width, config.input_kernel)
                for name, channels in config.context.items()
            }
        )
        self.context_out = nn.ModuleDict({name: nn.Linear(config.condition_width, width) for name in config.context})
        for name, channels in config.context.items():
            self.register_parameter(_null(name), nn.Parameter(torch.zeros(channels)))
        if rhythm:
            self.null_rhythm = nn.Parameter(torch.zeros(rhythm))
            self.rhythm_in = nn.Linear(rhythm, width)
        if config.styles:
            self.styles = nn.Linear(config.styles, width, bias=False)
            self.default_style = nn.Parameter(torch.zeros(width))
        self.step_in = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        if config.guided:
            self.guidance_in = nn.Sequential(nn.Linear(1, width), nn.SiLU(), nn.Linear(width, width))
            for parameter in self.guidance_in[2].parameters():
                nn.init.zeros_(parameter)
        if config.steering_channels:
            self.null_steering = nn.Parameter(torch.zeros(config.steering_channels))
            self.steering_in = _silent(nn.Linear(config.steering_channels, width))
        if config.look_channels:
            self.null_look = nn.Parameter(torch.zeros(config.look_channels))
            self.look_in = _silent(nn.Linear(config.look_channels, width))
            self.modulation = _silent(nn.Linear(config.look_channels, 2 * width))
        if config.cue_channels:
            self.cues_in = _silent(nn.Linear(config.cue_channels, width))
        if config.skip:
            self.skip = nn.Linear(2 * width, 2 * config.latent_channels)
            nn.init.zeros_(self.skip.weight)
            nn.init.zeros_(self.skip.bias)
        self.register_load_state_dict_pre_hook(_named_by_modality)

    def _skipped(self, out: Tensor, z_t: Tensor, step: Tensor) -> Tensor:
        """The output (b, t, z), and a share of the noisy latents that depends on the noise level.

        A network of limited width cannot pass on what the latents are in every detail. Where there is hardly any noise,
        it need not. Karras et al. (2022) fix such shares by the noise level; here they are learned, by channel, and
        start at none.
        """
        if not self.config.skip:
            return out
        scale, share = self.skip(step_features(step, 2 * self.config.width))[:, None].chunk(2, dim=-1)
        return (1 + scale) * out + share * z_t

    def _modulated(self, x: Tensor, condition: Condition) -> Tensor:
        """Features (b, t, c) before the output layer, scaled and shifted by the look, twice as much on beats.

        It is how the theatre paper injects visual style into what the rhythm has shaped (section 3.3).
        """
        if not self.config.look_channels:
            return x
        scale, shift = self.modulation(self._look(condition, len(x)))[:, None].chunk(2, dim=-1)  # b 1 c
        if condition.rhythm is not None:
            more = 1 + beat_response(condition.rhythm)[..., None].to(x)
            scale, shift = more * scale, more * shift
        return x * (1 + scale) + shift

    def _look(self, condition: Condition, b: int) -> Tensor:
        """The look's style vector (b, l), or the learned null."""
        if condition.look is None:
            return self.null_look.expand(b, -1)
        return _kept(condition.look, self.null_look, condition.keep)

    def _token(self, step: Tensor, condition: Condition) -> Tensor:
        token = self.step_in(step_features(step, self.config.width))
        if self.config.look_channels:
            token = token + self.look_in(self._look(condition, len(token)))
        if self.config.guided:
            token = token + self.guidance_in(_guidance(condition, token))
        if not self.config.styles:
            return token
        if condition.style is None:
            return token + self.default_style
        style = _kept(condition.style, torch.zeros_like(condition.style[0]), condition.keep)
        # The default style fills the weights up to 1. It has all the weight if the style is unknown or dropped.
        rest = (1 - style.sum(dim=-1, keepdim=True)).clamp_min(0)
        return token + self.styles(style) + rest * self.default_style

    def _rhythm(self, condition: Condition, b: int, t: int) -> Tensor | None:
        if not self.config.rhythm_channels:
            return None
        rhythm = condition.rhythm
        if rhythm is not None and self.config.loudness_power != 1:
            rhythm = with_spread_loudness(rhythm, self.config.loudness_power)
        return _or_null(rhythm, self.null_rhythm, condition.keep, b, t)

    def _context_tokens(
        self, condition: Condition, rhythm: Tensor | None, b: int, t: int, valid: Tensor | None
    ) -> list[Tensor]:
        """Tokens (b, t, c) of each modality of the context, in the order of the configuration."""
        heard, tokens = condition.context, []
        assert set(heard) <= set(self.config.context), f"given {set(heard)}, expected {set(self.config.context)}"
        for name in self.config.context:
            x = _or_null(heard.get(name), self.get_parameter(_null(name)), condition.keep, b, t)
            if rhythm is not None:
                x = torch.cat([x, rhythm], dim=-1)
            tokens.append(self.context_out[name](functional.silu(self.context_in[name](masked(x, valid)))))
        return tokens

    def _noisy_tokens(self, z_t: Tensor, condition: Condition, rhythm: Tensor | None, valid: Tensor | None) -> Tensor:
        x = z_t
        if self.config.observed:
            x = torch.cat([z_t, *self._observed(z_t, condition)], dim=-1)
        x = self.noisy_in(masked(x, valid))
        if self.config.steering_channels:
            b, t, _ = x.shape
            x = x + self.steering_in(_or_null(condition.steering, self.null_steering, condition.keep, b, t))
        if self.config.cue_channels and condition.cues is not None:
            x = x + self.cues_in(_kept(condition.cues, torch.zeros_like(condition.cues[0]), condition.keep))
        return x if rhythm is None else x + self.rhythm_in(rhythm)

    def _observed(self, z_t: Tensor, condition: Condition) -> tuple[Tensor, Tensor]:
        """Observed latents (b, t, z), zero where nothing is given, and their mask (b, t, parts)."""
        shape = (*z_t.shape[:2], self.config.observed_parts)
        if condition.observed is None or condition.observed_mask is None:
            return torch.zeros_like(z_t), z_t.new_zeros(shape)
        mask = condition.observed_mask.to(z_t.dtype).expand(shape)
        return condition.observed * mask.amax(dim=-1, keepdim=True), mask


def _silent(layer: nn.Linear) -> nn.Linear:
    """A layer that adds nothing yet, so that a network without it can go on with it."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _null(modality: str) -> str:
    """The name of the parameter that replaces the latents of an absent modality."""
    return f"null_context_{modality}"


def _named_by_modality(module: ConditionedNetwork, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Rename weights of format 1, where a network had a single context without a name."""
    if f"{prefix}null_latents" not in state or len(module.config.context) != 1:
        return
    (heard,) = module.config.context
    state[f"{prefix}{_null(heard)}"] = state.pop(f"{prefix}null_latents")
    for old, new in (("condition_in.", f"context_in.{heard}."), ("condition_out.", f"context_out.{heard}.")):
        for key in [key for key in state if key.startswith(prefix + old)]:
            state[prefix + new + key.removeprefix(prefix + old)] = state.pop(key)


def _guidance(condition: Condition, like: Tensor) -> Tensor:
    """The strength of guidance (b, 1) above none. A dropped condition guides nowhere."""
    if condition.guidance is None:
        return torch.zeros_like(like[:, :1])
    above = condition.guidance.to(like)[:, None] - 1
    return _kept(above, torch.zeros_like(above), condition.keep)


def masked(x: Tensor, valid: Tensor | None) -> Tensor:
    return x if valid is None else x * valid[..., None]


def _kept(x: Tensor, null: Tensor, keep: Tensor | None) -> Tensor:
    """``x`` (b, ...) where ``keep`` (b,) is true, ``null`` elsewhere."""
    return x if keep is None else torch.where(keep.view(-1, *[1] * (x.ndim - 1)), x, null.to(x.dtype))


def _or_null(x: Tensor | None, null: Tensor, keep: Tensor | None, b: int, t: int) -> Tensor:
    """A part of the condition (b, t, c), or the learned null where it is absent or dropped."""
    return null.expand(b, t, -1) if x is None else _kept(x, null, keep)
