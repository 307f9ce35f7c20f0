"""A 1-D U-Net over time that denoises latents, for comparison with the Transformer (MoMu-Diffusion, ablations).

Levels of growing width halve time, and the deepest one has self-attention. Skip connections concatenate each level's
features on the way down with those on the way up (Ronneberger et al. 2015; over time as in Diffuser, Janner et al.
2022). Step and style scale and shift every block. The context is added at the input, where frame t of it and frame t of
the latents are the same instant.

Normalisation is per frame and not over time. A frame therefore depends neither on padding nor on the length of the
sequence, and windows of one song agree. Sequences are padded to a multiple of the stride with frames that are masked.
"""

from __future__ import annotations

import dataclasses
import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.config import DenoiserConfig
from core.diffusion.conditioning import ConditionedNetwork, TimeConv, masked
from core.diffusion.transformer import Attention, rotary_angles
from core.errors import FootlightError
from core.layers.blocks import downsample, from_picture, to_picture
from core.types import Condition


class Block(nn.Module):
    """Normalisation, SiLU and convolution, twice, with a residual connection.

    The token (b, c) scales and shifts the second normalisation. Padding is masked.
    """

    def __init__(self, channels: int, out_channels: int, config: DenoiserConfig) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.norm1 = nn.LayerNorm(channels)
        self.conv1 = TimeConv(channels, out_channels, config.ff_kernel)
        self.token = nn.Linear(config.width, 2 * out_channels)
        self.norm2 = nn.LayerNorm(out_channels, elementwise_affine=False)
        self.conv2 = TimeConv(out_channels, out_channels, config.ff_kernel)
        self.skip = nn.Identity() if channels == out_channels else nn.Linear(channels, out_channels)
        nn.init.zeros_(self.conv2.conv.weight)
        nn.init.zeros_(self.conv2.conv.get_parameter("bias"))

    def forward(self, x: Tensor, token: Tensor, valid: Tensor | None) -> Tensor:
        scale, shift = self.token(token)[:, None].chunk(2, dim=-1)
        hidden = self.conv1(masked(functional.silu(self.norm1(x)), valid))
        hidden = functional.silu(self.norm2(hidden) * (1 + scale) + shift)
        hidden = functional.dropout(hidden, self.dropout, self.training)
        return self.skip(x) + self.conv2(masked(hidden, valid))


class Deepest(nn.Module):
    """The blocks of the deepest level, each with its self-attentions."""

    def __init__(self, channels: int, out_channels: int, config: DenoiserConfig) -> None:
        super().__init__()
        wide = dataclasses.replace(config, width=out_channels)
        self.head_channels = out_channels // config.heads
        self.blocks = nn.ModuleList(
            Block(out_channels if i else channels, out_channels, config) for i in range(config.blocks)
        )
        self.attentions = nn.ModuleList(Attention(wide) for _ in range(config.blocks * config.attentions))

    def forward(self, x: Tensor, token: Tensor, valid: Tensor | None) -> Tensor:
        frames, each = x.shape[1], len(self.attentions) // len(self.blocks)
        angles = rotary_angles(frames, 1, self.head_channels, x.device)[1:]
        rotary = angles.cos(), angles.sin()
        seen = None if valid is None else valid[:, None, None, :]  #  b 1 1 t
        for i, block in enumerate(self.blocks):
            x = block(x, token, valid)
            for attention in self.attentions[i * each : (i + 1) * each]:
                x = attention(x, seen, rotary)
        return x


class UNet(ConditionedNetwork):
    """The U-Net, for sequences of any length. ``forward`` is that of ``Denoiser``.

    Of the configuration, ``width`` is that of the first level, ``multipliers`` are those of the levels, ``blocks`` is
    the number per level, ``attentions`` the number after each block of the deepest level, and ``ff_kernel`` the kernel.
    The attention is always rotary.

    Raises FootlightError for a width that does not suit the heads, or fewer than two levels.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__(config)
        widths = [config.width * multiplier for multiplier in config.multipliers]
        if len(widths) < 2 or widths[-1] % (2 * config.heads):
            raise FootlightError(
                f"a U-Net of width {config.width}, multipliers {config.multipliers} and {config.heads} heads was asked "
                "for; expected two levels or more, and an even number of channels for each head in the deepest"
            )
        self.stride = 2 ** (len(widths) - 1)
        self.down, self.shrink, self.grow, self.up = (nn.ModuleList() for _ in range(4))
        before = config.width
        for width, below in itertools.pairwise(widths):
            self.down.append(self._level(before, width))
            self.shrink.append(downsample(width))
            self.grow.append(TimeConv(below, width, 3))
            self.up.append(self._level(2 * width, width))
            before = width
        self.deepest = Deepest(before, widths[-1], config)
        self.norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, config.latent_channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def _level(self, channels: int, width: int) -> nn.ModuleList:
        return nn.ModuleList(Block(width if i else channels, width, self.config) for i in range(self.config.blocks))

    def forward(self, z_t: Tensor, step: Tensor, condition: Condition, valid: Tensor | None = None) -> Tensor:
        """The prediction (b, t, z) for noisy latents. The parameters are those of ``Denoiser.forward``."""
        b, t, _ = z_t.shape
        rhythm = self._rhythm(condition, b, t)
        token = functional.silu(self._token(step, condition))  #       b c
        x = self._noisy_tokens(z_t, condition, rhythm, valid)
        for tokens in self._context_tokens(condition, rhythm, b, t, valid):
            x = tokens + x
        if missing := -t % self.stride:
            valid = z_t.new_ones(b, t, dtype=torch.bool) if valid is None else valid
            x, valid = functional.pad(x, (0, 0, 0, missing)), functional.pad(valid, (0, missing))
        held = []
        for blocks, shrink in zip(self.down, self.shrink, strict=True):
            for block in blocks.children():
                x = block(x, token, valid)
            held.append((x, valid))
            x = from_picture(shrink(to_picture(masked(x, valid))))  #  b t/2 c
            valid = None if valid is None else valid.unflatten(1, (-1, 2)).any(dim=2)
        x = self.deepest(x, token, valid)
        for grow, blocks, (beside, valid) in zip(self.grow[::-1], self.up[::-1], held[::-1], strict=True):
            x = grow(masked(x.repeat_interleave(2, dim=1), valid))  #  b 2t c
            x = torch.cat([x, beside], dim=-1)
            for block in blocks.children():
                x = block(x, token, valid)
        return self._skipped(self.out(self._modulated(self.norm(x[:, :t]), condition)), z_t, step)
