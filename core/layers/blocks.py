"""The layers of the autoencoders.

Inside, sequences are pictures one frame high, (b, c, 1, t), in channels-last memory: that is the memory of (b, t, c),
so nothing is copied on the way in or out, and 2-D convolutions of it run up to 2.5 times as fast on CPUs as Conv1d.
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional


def to_picture(x: Tensor) -> Tensor:
    """(b, t, c) -> (b, c, 1, t), a view."""
    return x.transpose(1, 2)[:, :, None]


def from_picture(x: Tensor) -> Tensor:
    """(b, c, 1, t) -> (b, t, c), a view."""
    return x[:, :, 0].transpose(1, 2)


def conv(channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """A convolution over time that keeps the number of frames; zeros beyond the ends."""
    return nn.Conv2d(channels, out_channels, (1, kernel), padding=(0, kernel // 2))


def group_norm(channels: int) -> nn.GroupNorm:
    """Up to 16 groups of at least two channels: a group of one would forget how loud its channel is."""
    return nn.GroupNorm(math.gcd(16, max(1, channels // 2)), channels)


def _zeroed(layer: nn.Conv2d | nn.Linear):
    """Every residual branch starts at zero, so that a fresh network is the plain path through it."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class ResidualBlock(nn.Module):
    """Twice GroupNorm, SiLU, convolution; the input is added (through a 1x1 where the width changes)."""

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
    """Every frame looks at every frame; no positions, since the convolutions around it know order."""

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
    """Half as many frames; each lies midway between the two it is made from."""
    return nn.Conv2d(channels, channels, (1, 4), stride=(1, 2), padding=(0, 1))


def upsample(channels: int) -> nn.Sequential:
    """Twice as many frames: each doubled, then a convolution (a transposed one would leave a pattern)."""
    return nn.Sequential(nn.Upsample(scale_factor=(1, 2), mode="nearest"), conv(channels, channels, 3))
