"""A light vocoder: log-mel -> the short-time spectrum of the sound -> inverse transform.

Of the Vocos family (Siuzdak 2023): ConvNeXt blocks (Liu et al. 2022) at frame rate, no upsampling, so that almost all
work is matrix products on few frames. What differs is the phase. A network that predicts each frame's phase on its own
answers a steady tone with the same frame again and again, a buzz at the frame rate, because a mel does not say at
which phase the tone stands. Here a frame's phase starts from the frame before, turned on by the predicted advance of
each bin, with neighbouring bins locked to the loudest among them (the phase vocoder of Laroche & Dolson 1999), and the
network adds a phasor of its own, which takes over where something new begins.

The recursion is cheap, and its state is one frame: long songs are decoded piece by piece with flat memory, and are
the same as in one piece, without joins.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.audio.mel import filterbank
from core.autoencoder.blocks import from_picture, to_picture
from core.config import SignalConfig, VocoderConfig
from core.decode.stft import envelope, overlap_add, synthesise, windowed_inverse
from core.types import FootlightError

SMALL = 1e-4  # phasors shorter than this have no direction; magnitudes of 16-bit silence lie above
CHUNK = 512  # frames of a long song that are decoded at a time


class Heads(NamedTuple):
    """What the network says of each frame and bin; all (b, t, f).

    log_magnitude: natural log.  advance: (complex, unit) the phasor that turns the frame before into this one.
    fresh: (complex) the phasor that is added to what is carried over, which has length one.
    """

    log_magnitude: Tensor
    advance: Tensor
    fresh: Tensor

    def cut(self, first: int, last: int) -> Heads:
        """Frames ``[first, last)``."""
        return Heads(*(part[:, first:last] for part in self))


class Block(nn.Module):
    """ConvNeXt: every channel's own convolution over time, LayerNorm, a wide layer; added with a learned scale."""

    def __init__(self, width: int, kernel: int, expansion: int, scale: float) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(width, width, (1, kernel), padding=(0, kernel // 2), groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, expansion * width)
        self.narrow = nn.Linear(expansion * width, width)
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.norm(from_picture(self.convolution(to_picture(x))))  # b t c
        return x + self.scale * self.narrow(functional.gelu(self.widen(hidden)))


class Vocoder(nn.Module):
    """Natural-log mels (b, t, 80) of core.audio.mel -> samples (b, t * 256) at 16 kHz.

    mean, std: (m,) of training mels, set by ``set_statistics``.
    """

    mean: Tensor
    std: Tensor
    spread: Tensor
    offset: Tensor
    centre: Tensor

    def __init__(self, config: VocoderConfig, signal: SignalConfig | None = None) -> None:
        super().__init__()
        self.config, self.signal = config, signal or SignalConfig()
        bands, bins = self.signal.mel_bands, self.signal.n_fft // 2 + 1
        self.register_buffer("mean", torch.full((bands,), -5.0))
        self.register_buffer("std", torch.full((bands,), 2.5))
        bank = filterbank(self.signal.audio_rate, self.signal.n_fft, bands, self.signal.mel_fmax)
        # Where the network starts from: each bin as loud as the bands over it say, were they flat.
        self.register_buffer("spread", (bank / bank.sum(1, keepdim=True).clamp_min(1e-8)).T, persistent=False)  # m f
        self.register_buffer("offset", bank.sum(0).log(), persistent=False)
        turns = torch.arange(bins) * (self.signal.hop_samples / self.signal.n_fft)
        self.register_buffer("centre", 2 * math.pi * torch.remainder(turns, 1.0), persistent=False)
        width = config.width
        self.embed = nn.Conv2d(bands, width, (1, config.kernel), padding=(0, config.kernel // 2))
        self.first_norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(
            Block(width, config.kernel, config.expansion, 1 / config.blocks) for _ in range(config.blocks)
        )
        self.last_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 4 * bins)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    @property
    def reach(self) -> int:
        """Frames to either side that a frame's heads depend on."""
        return (self.config.blocks + 1) * (self.config.kernel // 2)

    def set_statistics(self, mels: Tensor) -> None:
        """Take mean and deviation of each band from training mels (n, m)."""
        self.mean.copy_(mels.mean(dim=0))
        self.std.copy_(mels.std(dim=0).clamp_min(0.1))

    def heads(self, mel: Tensor) -> Heads:
        """(b, t, m) -> what is said of each frame and bin (b, t, f)."""
        x = to_picture((mel - self.mean) / self.std)  #                     b m 1 t
        x = self.first_norm(from_picture(self.embed(x)))  #                 b t c
        for block in self.blocks:
            x = block(x)
        residual, turn, real, imaginary = self.head(self.last_norm(x)).float().chunk(4, dim=-1)
        with torch.autocast(mel.device.type, enabled=False):  # levels need more than the 8 bits of bfloat16
            flat = (mel.float() - self.offset) @ self.spread  #             b t f
        loudest = math.log(self.signal.n_fft / 2)  # no signal within full scale is louder in any bin
        magnitude = (flat + residual).clamp(-14.0, loudest)
        advance = torch.polar(torch.ones_like(turn), self.centre + turn)
        return Heads(magnitude, advance, torch.complex(real, imaginary))

    def forward(self, mel: Tensor) -> Tensor:
        """(b, t, m) -> (b, t * hop)."""
        return synthesise(unroll(self.heads(mel))[0], self.signal.hop_samples)

    @torch.no_grad()
    def decode_long(self, mel: Tensor, chunk: int = CHUNK) -> Tensor:
        """(b, t, m) of any length -> (b, t * hop), ``chunk`` frames at a time; the same samples as ``forward``."""
        check_mel(mel, self.signal)
        hop, n_fft = self.signal.hop_samples, self.signal.n_fft
        b, total, _ = mel.shape
        if not total:
            return mel.new_zeros(b, 0)
        sound = mel.new_zeros(b, (total - 1) * hop + n_fft)
        state = None
        for start in range(0, total, chunk):
            end = min(total, start + chunk)
            first, last = max(0, start - self.reach), min(total, end + self.reach)
            heads = self.heads(mel[:, first:last]).cut(start - first, end - first)
            spectrum, state = unroll(heads, state)
            added = overlap_add(windowed_inverse(spectrum), hop)
            sound[:, start * hop : start * hop + added.shape[1]] += added
        sound /= envelope(total, n_fft, hop, mel.device)
        return sound[:, n_fft // 2 : n_fft // 2 + total * hop]


def unroll(heads: Heads, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The spectrum (b, t, f) complex that the heads describe, and its last frame (b, f) to go on from.

    state: the frame before the first; None where the sound begins.
    """
    magnitude = heads.log_magnitude.exp()
    state = torch.zeros_like(heads.fresh[:, 0]) if state is None else state
    frames = []
    for loud, advance, fresh in zip(magnitude.unbind(1), heads.advance.unbind(1), heads.fresh.unbind(1), strict=True):
        state = loud * carried(state, advance, fresh)
        frames.append(state)
    return torch.stack(frames, dim=1), state


def carried(previous: Tensor, advance: Tensor, fresh: Tensor) -> Tensor:
    """The phasors of frames from the spectra of the frames before them; all (..., f) complex.

    In training ``previous`` is either the truth, so that the phase is learned without any recursion, or what
    ``unroll`` has made, without gradient: a gradient through many frames explodes where music fades.
    """
    return unit(unit(locked(previous)) * advance + fresh)


def locked(spectrum: Tensor) -> Tensor:
    """(..., f) complex: each bin with half of its neighbours, so that its direction is that of the loudest of them."""
    real = functional.pad(torch.view_as_real(spectrum), (0, 0, 1, 1))  # ... f + 2, 2
    return torch.view_as_complex(real[..., 1:-1, :] + 0.5 * (real[..., :-2, :] + real[..., 2:, :]))


def unit(z: Tensor) -> Tensor:
    """Phasors of length one in the direction of ``z``; shorter where ``z`` is next to nothing, and smooth there."""
    pair = torch.view_as_real(z)
    return torch.view_as_complex(pair * torch.rsqrt(pair.square().sum(-1, keepdim=True) + SMALL**2))


def check_mel(mel: Tensor, signal: SignalConfig) -> None:
    """Raise FootlightError unless ``mel`` is (b, t, bands) of finite numbers."""
    if mel.ndim != 3 or mel.shape[-1] != signal.mel_bands:
        raise FootlightError(
            f"expected log-mels of shape (batch, frames, {signal.mel_bands}), got {tuple(mel.shape)}: "
            f"make them with core.audio.mel.log_mel"
        )
    if not bool(torch.isfinite(mel).all()):
        raise FootlightError("the log-mel holds values that are not numbers: it cannot be made into sound")
