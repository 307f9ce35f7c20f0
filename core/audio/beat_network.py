"""A small network that hears beats and downbeats: a temporal convolutional network over a log-mel spectrogram.

It follows Davies & Böck (EUSIPCO 2019), "Temporal convolutional networks for musical audio beat tracking": residual
blocks of dilated convolutions see about 40 s of music around each frame. It was trained on rendered music whose beats
are known exactly (``train.tasks.beats``).
"""

from __future__ import annotations

from functools import lru_cache

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from core.audio.mel import in_bands, spectrum
from core.checkpoint import PRETRAINED

RATE = 16_000
N_FFT = 1024
HOP = 160
FPS = RATE / HOP  # 100
BANDS = 64
LOWEST_HZ = 27.5

WIDTH = 32
BLOCKS = 10
KERNEL = 5
WEIGHTS = PRETRAINED / "beats.safetensors"
_LOUD = 0.9  # the quantile of the frames' levels that is the level of the music
_GAIN = 30.0


def spectrogram(samples: Tensor) -> Tensor:
    """Mel magnitudes (t, m) of samples (s,) at ``RATE`` Hz, ``FPS`` frames per second."""
    return from_magnitudes(spectrum(samples, N_FFT, HOP))


def from_magnitudes(magnitude: Tensor) -> Tensor:
    """Mel magnitudes (t, m) of ``spectrum(samples, N_FFT, HOP)``."""
    return in_bands(magnitude, RATE, BANDS, RATE / 2, LOWEST_HZ)


def levels(mel: Tensor) -> Tensor:
    """What the network hears: compressed mel magnitudes (..., t, m) relative to the loud passages of the music.

    mel: (..., t, m) as ``spectrogram`` returns them.
    """
    return torch.log1p(_GAIN * mel / loud(mel)[..., None, None].clamp_min(1e-6))


def loud(mel: Tensor) -> Tensor:
    """The mean magnitude (...) of the loud passages of music (..., t, m)."""
    return torch.quantile(mel.mean(dim=-1).float(), _LOUD, dim=-1)


class _Block(nn.Module):
    """A dilated convolution over time with a residual path."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        reach = dilation * (KERNEL // 2)
        self.wide = nn.Conv2d(width, width, (1, KERNEL), dilation=(1, dilation), padding=(0, reach))
        self.narrow = nn.Conv2d(width, width, 1)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.narrow(self.dropout(functional.elu(self.wide(x))))


class BeatNetwork(nn.Module):
    """Levels (b, t, m) -> logits (b, t, 2) that a beat and that a downbeat falls on each frame."""

    def __init__(self, width: int = WIDTH, blocks: int = BLOCKS, dropout: float = 0.1) -> None:
        super().__init__()
        self.hear = nn.Conv2d(BANDS, width, (1, KERNEL), padding=(0, KERNEL // 2))
        self.blocks = nn.Sequential(*(_Block(width, 2**i, dropout) for i in range(blocks)))
        self.heads = nn.Conv2d(width, 2, 1)
        nn.init.constant_(self.heads.bias, -3.0)  # beats are rare  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.elu(self.hear(x.transpose(1, 2)[:, :, None]))  #  b c 1 t
        return self.heads(functional.elu(self.blocks(hidden)))[:, :, 0].transpose(1, 2)


@lru_cache(maxsize=1)
def network() -> BeatNetwork:
    """The trained network."""
    made = BeatNetwork()
    made.load_state_dict(load_file(WEIGHTS))
    return made.eval().requires_grad_(False)


def activations(mel: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities (t,) of a beat and (t,) of a downbeat on each frame.

    mel: (t, m) as ``spectrogram`` returns them.
    """
    if len(mel) == 0:
        return mel.new_zeros(0), mel.new_zeros(0)
    with torch.inference_mode():
        heard = network()(levels(mel)[None])[0].sigmoid()
    return heard[:, 0], heard[:, 1]
