"""The scheduler: attention from music to motion and light, whose vector steers every denoising step (section 4.3).

Queries are music. Keys and values are jointly the slices of motion and of light in the unified space: those that are
given, or those that the space expects. The concatenated heads become the scheduling vector (eq. 7).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.config import TheatreConfig
from core.protocol import ACCENTS
from core.theatre.layers import MultiHead, RelativeBias


class Scheduler(nn.Module):
    """Music (b, s, width), motion and light (b, s, k) -> scheduling vectors (b, s, steering)."""

    def __init__(self, config: TheatreConfig) -> None:
        super().__init__()
        wide = config.steering
        self.attends = config.attention
        self.kinds = nn.Parameter(torch.zeros(2, config.space))  # motion, light
        self.look = nn.Linear(config.style, config.space, bias=False)
        self.attention = MultiHead(wide, config.heads, config.width, config.space)
        self.distance = RelativeBias(config.heads, config.reach)
        self.music = nn.Linear(config.width, wide)
        self.accent = nn.Embedding(len(ACCENTS), wide)
        self.norm = nn.LayerNorm(wide)

    def forward(
        self, music: Tensor, motion: Tensor, light: Tensor, accent: Tensor, look: Tensor | None = None
    ) -> Tensor:
        """Scheduling vectors (b, s, steering).

        music: (b, s, width) the music encoder's vectors.
        motion: (b, s, k) in the unified space.
        light: (b, s, k) in the unified space.
        accent: (b,) index in ``ACCENTS``.
        look: (b, style) the style vector that light is to have; None is none.
        """
        if look is not None:
            light = light + self.look(look)[:, None]
        told = torch.cat([motion + self.kinds[0], light + self.kinds[1]], dim=1)  # b 2s k
        if self.attends:
            bias = self.distance(music.shape[1], motion.shape[1]).repeat(1, 1, 2)
            mixed = self.attention(music, told, bias)
        else:
            value = self.attention.value(told.mean(dim=1, keepdim=True))
            mixed = self.attention.out(value).expand(-1, music.shape[1], -1)
        return self.norm(self.music(music) + mixed + self.accent(accent)[:, None])


def over_frames(slices: Tensor, frames: int) -> Tensor:
    """Vectors (b, frames, c) of slices (b, s, c): linear between the slices' middles, constant at both ends."""
    stretched = functional.interpolate(slices.transpose(1, 2), size=frames, mode="linear", align_corners=False)
    return stretched.transpose(1, 2)
