"""The layers of the autoencoders.

Inside, a sequence is an image of height one, (b, c, 1, t), in channels-last memory. That is the memory layout of
(b, t, c), so nothing is copied on the way in or out. On CPUs, its 2-D convolutions run up to 2.5 times as fast as
Conv1d.
"""

from __future__ import annotations

import math
from typing import TypeVar

from torch import Tensor, nn
from torch.nn import functional

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)


def to_picture(x: Tensor) -> Tensor:
    """View a sequence (b, t, c) as an image (b, c, 1, t)."""
    return x.transpose(1, 2)[:, :, None]


def from_picture(x: Tensor) -> Tensor:
    """View an image (b, c, 1, t) as a sequence (b, t, c)."""
    return x[:, :, 0].transpose(1, 2)


def conv(channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """A convolution over time that keeps the number of frames, padded with zeros. ``kernel`` is odd."""
    return nn.Conv2d(channels, out_channels, (1, kernel), padding=(0, kernel // 2))


def group_norm(channels: int) -> nn.GroupNorm:
    """Group normalisation with up to 16 groups of at least two channels.

    A group of one channel would lose that channel's amplitude.
    """
    return nn.GroupNorm(math.gcd(16, max(1, channels // 2)), channels)


def _zeroed(layer: Layer) -> Layer:
    """Set a layer's weights to zero and return it: every residual branch of an untrained network then adds nothing."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ResidualBlock(nn.Module):
    """GroupNorm, SiLU and convolution, twice. The input is added, through a 1x1 convolution if the width changes."""

    def __init__(self, channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.norm1 = group_norm(channels)
        self.conv1 = conv(channels, out_channels, kernel)
        self.norm2 = group_norm(out_channels)
        self.conv2 = _zeroed(conv(out_channels, out_channels, kernel))
        self.skip = nn.Identity() if channels == out_channels else conv(channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.conv1(functional.silu(self.norm1(x)))  #        b c' 1 t
        return self.skip(x) + self.conv2(functional.silu(self.norm2(hidden)))


class SelfAttention(nn.Module):
    """Self-attention over all frames, without positional encoding: the convolutions around it supply the order."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = group_norm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = _zeroed(nn.Linear(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        frames = from_picture(self.norm(x))  #                        b t c
        b, t, c = frames.shape
        qkv = self.qkv(frames).view(b, t, 3, self.heads, c // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  #   b h t d
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return x + to_picture(self.out(mixed.transpose(1, 2).reshape(b, t, c)))


def downsample(channels: int) -> nn.Conv2d:
    """Halve the number of frames. Each new frame lies midway between two old ones."""
    return nn.Conv2d(channels, channels, (1, 4), stride=(1, 2), padding=(0, 1))


def upsample(channels: int) -> nn.Sequential:
    """Double the number of frames by repetition and a convolution. A transposed one would leave a periodic pattern."""
    return nn.Sequential(nn.Upsample(scale_factor=(1, 2), mode="nearest"), conv(channels, channels, 3))
