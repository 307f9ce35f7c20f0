"""The music encoder: spectrogram and rhythm events to one semantic vector for each time slice (section 4.1, eq. 1).

Three convolutions over time, 3, 5 and 7 frames long, hear the bands. Three groups of kernels on the spectrogram, 3x3,
5x5 and 7x7, hear the gradient of the bands' energy, the timbre's texture and the harmony. A Transformer with relative
positions relates them to the rhythm events. Timbre and the beat's slots enter through a learned gate.

Choices: the spectrogram is the model's log-mel. The 3x3 group is given its rise from frame to frame, the 5x5 group the
spectrogram itself, and the 7x7 group what stands out from the neighbouring bands, which are the partials.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.config import TheatreConfig
from core.diffusion.conditioning import TimeConv
from core.rhythm.events import EVENTS
from core.theatre.layers import SliceEncoder, by_slice
from core.theatre.slices import Slicing

KERNELS = (3, 5, 7)
NEIGHBOURS = 9  # bands whose mean a partial stands out from
COARSE = 8  # bands that remain of a group's picture


class SpectrogramGroup(nn.Module):
    """Kernels of one size on a spectrogram (b, t, m), brought to (b, t, width)."""

    def __init__(self, kernel: int, filters: int, width: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(1, filters, kernel, stride=(1, 2), padding=kernel // 2)
        self.far = nn.Conv2d(filters, filters, kernel, stride=(1, 2), padding=kernel // 2)
        self.out = nn.Linear(filters * COARSE, width)

    def forward(self, picture: Tensor) -> Tensor:
        x = self.far(functional.silu(self.near(picture[:, None])))  #  b f t m/4
        x = functional.adaptive_avg_pool2d(functional.silu(x), (x.shape[2], COARSE))
        return self.out(x.transpose(1, 2).flatten(2))


class GatedFusion(nn.Module):
    """Timbre and rhythm, weighted by a gate that both decide: g * timbre + (1 - g) * rhythm."""

    def __init__(self, timbre: int, rhythm: int, width: int) -> None:
        super().__init__()
        self.timbre, self.rhythm = nn.Linear(timbre, width), nn.Linear(rhythm, width)
        self.gate = nn.Linear(timbre + rhythm, width)

    def forward(self, timbre: Tensor, rhythm: Tensor) -> Tensor:
        gate = torch.sigmoid(self.gate(torch.cat([timbre, rhythm], dim=-1)))
        return gate * self.timbre(timbre) + (1 - gate) * self.rhythm(rhythm)


class MusicEncoder(nn.Module):
    """Rows of music (b, s, c), as ``core.theatre.slices.music_rows`` makes them -> vectors (b, s, width).

    mean, std: (m,) of the spectrogram, from the training data.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: TheatreConfig, slicing: Slicing) -> None:
        super().__init__()
        self.slicing, width, each = slicing, config.width, config.width // 4
        self.register_buffer("mean", torch.zeros(slicing.bands))
        self.register_buffer("std", torch.ones(slicing.bands))
        self.over_time = nn.ModuleList(TimeConv(slicing.bands, each, kernel) for kernel in KERNELS)
        self.groups = nn.ModuleList(SpectrogramGroup(kernel, config.filters, each) for kernel in KERNELS)
        self.heard = nn.Linear(2 * 2 * len(KERNELS) * each, width)
        self.events = TimeConv(len(EVENTS), each, 7)
        self.event = nn.Linear(2 * each, width)
        self.timbre = nn.Sequential(nn.Linear(2 * slicing.bands, width), nn.SiLU(), nn.Linear(width, config.timbre))
        self.fusion = GatedFusion(config.timbre, slicing.music_widths[2], width)
        self.encoder = SliceEncoder(width, config.encoder_heads, config.blocks, config.reach)
        self.norm = nn.LayerNorm(width)

    def forward(self, rows: Tensor) -> Tensor:
        frames, events, slots = self.slicing.unpack_music(rows)
        frames = (frames - self.mean) / self.std
        tokens = self.heard(self._spectral(frames)) + self.event(self._rhythmic(events))
        fused = self.fusion(self.timbre_of(frames), slots)
        return self.norm(self.encoder(tokens) + fused)

    def timbre_of(self, frames: Tensor) -> Tensor:
        """The timbre vector (b, s, timbre) of each slice: from the mean and deviation of its bands.

        frames: (b, t, m) normalised.
        """
        cut = frames.unflatten(1, (-1, self.slicing.mels))
        return self.timbre(torch.cat([cut.mean(dim=2), cut.std(dim=2)], dim=-1))

    def _spectral(self, frames: Tensor) -> Tensor:
        """What convolutions hear in each slice (b, s, c)."""
        rise = functional.pad(frames.diff(dim=1), (0, 0, 1, 0))
        around = functional.avg_pool1d(
            functional.pad(frames, (NEIGHBOURS // 2, NEIGHBOURS // 2), mode="replicate"), NEIGHBOURS, stride=1
        )
        bands = [functional.silu(layer(frames)) for layer in self.over_time]
        seen = [group(x) for group, x in zip(self.groups, (rise, frames, frames - around), strict=True)]
        return by_slice(torch.cat([*bands, *seen], dim=-1), self.slicing.mels)

    def _rhythmic(self, events: Tensor) -> Tensor:
        """What the events of each slice (b, s, e, 3) are, (b, s, c)."""
        b, s = events.shape[:2]
        heard = functional.silu(self.events(events.flatten(0, 1)))
        return by_slice(heard, events.shape[2]).view(b, s, -1)
