"""A light vocoder: predicts the short-time spectrum of the sound from a log-mel, and inverts it.

It follows Vocos (Siuzdak 2023): ConvNeXt blocks (Liu et al. 2022) at frame rate without upsampling, so almost all work
is matrix products on few frames. The phase differs. A mel does not contain the phase of a steady tone, so a network
that predicts the phase of each frame on its own returns the same frame again and again, which buzzes at the frame rate.

Here the phase of a frame continues that of the frame before. The network predicts how far the phase of each bin
advances. Neighbouring bins are locked to the loudest among them (the phase vocoder of Laroche & Dolson 1999). The
network also adds a phasor of its own, which takes over where a new sound starts. Magnitudes are corrected until their
mel is the given one. A few rounds of Griffin-Lim make neighbouring frames consistent. In the last of them only the mel
is held, and magnitudes within a band become what neighbouring frames agree on: that is nearer to the mel than more
rounds with fixed magnitudes, and to the sound.

Everything is local except for the recursion, whose state is one frame. Long songs are therefore decoded in chunks, in
constant memory, with exactly the result of one piece.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from core import progress
from core.audio.mel import filterbank
from core.audio.stft import check_mel, consistent, size, synthesise, turned
from core.config import SignalConfig, VocoderConfig
from core.layers.blocks import from_picture, to_picture
from core.layers.blockwise import blocks_of, product
from core.vocoder.griffin_lim import MOMENTUM, ahead, scaled

SMALL = 1e-4  # shorter phasors have no direction; magnitudes of 16-bit silence are larger
QUIET = 1e-5  # the lowest magnitude, which is also the floor of the mel
LEAST = 0.05  # of the flat solution, below which the pseudo-inverse is not trusted
UPDATES = 5  # multiplicative updates of the magnitudes
CORRECTED = 2  # of the rounds of Griffin-Lim, the last: after them magnitudes are corrected to the mel again
CHUNK = 512  # frames of a long song that are decoded at a time


class Heads(NamedTuple):
    """What the network predicts for each frame and bin.

    magnitude: (b, t, f) above zero.
    advance: (b, t, f) complex, length one: the phasor that turns the previous frame into this one.
    fresh: (b, t, f) complex: the phasor that is added to the one carried over, which has length one.
    """

    magnitude: Tensor
    advance: Tensor
    fresh: Tensor

    def cut(self, first: int, last: int) -> Heads:
        """Frames ``[first, last)``."""
        return Heads(*(part[:, first:last] for part in self))


class Block(nn.Module):
    """ConvNeXt block: depthwise convolution over time, LayerNorm and an MLP, added with a learned scale."""

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
    """Maps log-mels (b, t, 80) of ``core.audio.mel`` to samples (b, t * 256) at 16 kHz.

    mean: (m,) of training mels, set by ``set_statistics``.
    std: (m,) likewise.
    """

    mean: Tensor
    std: Tensor
    bank: Tensor
    inverse: Tensor
    spread: Tensor
    centre: Tensor

    def __init__(self, config: VocoderConfig, signal: SignalConfig) -> None:
        super().__init__()
        self.config, self.signal = config, signal
        bands, bins = self.signal.mel_bands, self.signal.n_fft // 2 + 1
        self.register_buffer("mean", torch.full((bands,), -5.0))
        self.register_buffer("std", torch.full((bands,), 2.5))
        bank = filterbank(self.signal.audio_rate, self.signal.n_fft, bands, self.signal.mel_fmax)
        self.register_buffer("bank", bank, persistent=False)  #                                       f m
        self.register_buffer("inverse", torch.linalg.pinv(bank), persistent=False)  #                 m f
        self.register_buffer("spread", (bank / bank.sum(1, keepdim=True).clamp_min(1e-8)).T, persistent=False)
        self.bank_blocks, self.spread_blocks = blocks_of(bank, 16), blocks_of(self.spread, 64)
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
        nn.init.constant_(self.head.bias[2 * bins : 3 * bins], 0.1)  # phase zero where nothing is carried over yet

    @property
    def reach(self) -> int:
        """The receptive field: frames to either side on which a frame's heads depend."""
        return (self.config.blocks + 1) * (self.config.kernel // 2)

    def set_statistics(self, mels: Tensor) -> None:
        """Set mean and deviation of each band from training mels (n, m)."""
        self.mean.copy_(mels.mean(dim=0))
        self.std.copy_(mels.std(dim=0).clamp_min(0.1))

    def heads(self, mel: Tensor, frames: slice = slice(None)) -> Heads:
        """Predict the heads (b, t', f) of a log-mel (b, t, m), for ``frames`` of it."""
        x = to_picture((mel - self.mean) / self.std)  #                     b m 1 t
        x = self.first_norm(from_picture(self.embed(x)))  #                 b t c
        for block in self.blocks:
            x = block(x)
        residual, turn, real, imaginary = self.head(self.last_norm(x[:, frames])).float().chunk(4, dim=-1)
        with torch.autocast(mel.device.type, enabled=False):  # magnitudes need more precision than bfloat16
            magnitude = self.magnitude(mel[:, frames].float(), residual)
        advance = torch.polar(torch.ones_like(turn), self.centre + turn)
        return Heads(magnitude, advance, torch.complex(real, imaginary))

    def magnitude(self, mel: Tensor, residual: Tensor) -> Tensor:
        """Magnitudes (b, t, f) that agree with a log-mel.

        They start from the pseudo-inverse of the filterbank, which is kept above a fraction of the solution that is
        flat within each band. Multiplicative updates then make them agree with the mel (Lee & Seung 2001, for the
        Kullback-Leibler divergence).

        mel: (b, t, m) log-mel.
        residual: (b, t, f) what the network adds to the logarithm of the start.
        """
        target = mel.exp()
        flat = (target / self.bank.sum(0)) @ self.spread
        start = self._audible(torch.maximum(target @ self.inverse, LEAST * flat))
        magnitude = start * residual.clamp(-6, 6).exp()
        for _ in range(UPDATES):
            magnitude = self.corrected(magnitude, target)
        return magnitude

    def corrected(self, magnitude: Tensor, target: Tensor) -> Tensor:
        """Magnitudes (b, t, f) after one multiplicative update towards mel magnitudes (b, t, m)."""
        ratio = target / product(magnitude, self.bank, self.bank_blocks).clamp_min(QUIET)
        return self._audible(magnitude * product(ratio.clamp(0.01, 100), self.spread, self.spread_blocks))

    def _audible(self, magnitude: Tensor) -> Tensor:
        return magnitude.clamp(QUIET, self.signal.n_fft / 2)  # no signal within full scale is louder in any bin

    def forward(self, mel: Tensor) -> Tensor:
        """Samples (b, t * hop) of a log-mel (b, t, m)."""
        return self.settled(unroll(self.heads(mel))[0], mel)

    def settled(self, spectrum: Tensor, mel: Tensor) -> Tensor:
        """Samples (b, t * hop) of a complex spectrum (b, t, f), after the rounds of Griffin-Lim.

        mel: (b, t, m) the log-mel that the samples should have.
        """
        hop, target = self.signal.hop_samples, mel.float().exp()
        spectrum, magnitude, before = turned(spectrum), size(spectrum), None
        for left in reversed(range(self.config.rounds)):
            progress.report()
            now = consistent(spectrum, hop)
            if left < CORRECTED:
                magnitude = self.corrected(size(now), target)
            phase = now if before is None else ahead(before, now, MOMENTUM)
            spectrum, before = scaled(phase, magnitude), now
        return synthesise(turned(spectrum), hop)

    @torch.no_grad()
    def decode_long(self, mel: Tensor, chunk: int = CHUNK, compute: torch.dtype | None = None) -> Tensor:
        """Samples (b, t * hop) of a log-mel (b, t, m) of any length, which are those of ``forward``.

        mel: (b, t, m).
        chunk: frames that are decoded at a time.
        compute: precision of the network's matrix products (autocast); None is that of its weights.

        Raises FootlightError for another shape or values that are not finite.
        """
        check_mel(mel, self.signal)
        b, total, _ = mel.shape
        hop = self.signal.hop_samples
        sound = mel.new_zeros(b, total * hop)
        # Frames to either side on which a frame's samples depend: each round involves those that overlap with it.
        margin = (self.signal.n_fft // hop) * (self.config.rounds + 1)
        kept, state, known = None, None, 0  # unrolled frames still needed, the last one, and the number unrolled so far
        for start in range(0, total, chunk):
            end = min(total, start + chunk)
            until = min(total, end + margin)
            if until > known:
                first, last = max(0, known - self.reach), min(total, until + self.reach)
                with torch.autocast(mel.device.type, dtype=compute, enabled=compute is not None):
                    heads = self.heads(mel[:, first:last], slice(known - first, until - first))
                spectrum, state = unroll(heads, state)
                kept = spectrum if kept is None else torch.cat([kept, spectrum], dim=1)
                known = until
            assert kept is not None
            begin = known - kept.shape[1]  # the frame at which ``kept`` starts
            piece = self.settled(kept, mel[:, begin:known])
            sound[:, start * hop : end * hop] = piece[:, (start - begin) * hop : (end - begin) * hop]
            kept = kept[:, max(0, end - margin - begin) :]
        return sound


@torch.no_grad()
def unroll(heads: Heads, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The complex spectrum (b, t, f) that the heads describe, and its last frame (b, f), from which to continue.

    A frame needs the one before, and calls for so little work cost numpy a fifth of what they cost PyTorch, and less in
    place. What is done to a frame is ``carried``, step by step.

    heads: the predictions of the network.
    state: (b, f) the frame before the first; None at the start of the sound.
    """
    parts: list[Any] = [part.detach().cpu().numpy().swapaxes(0, 1) for part in heads]  # t b f
    magnitude, advance, fresh = parts
    frame: Any = np.zeros_like(fresh[0]) if state is None else state.cpu().numpy()
    frames = np.empty_like(fresh)
    half, phasor = np.empty_like(frame), np.empty_like(frame)
    higher, lower, above, below = phasor[..., 1:], phasor[..., :-1], half[..., 1:], half[..., :-1]
    room = phasor.real, phasor.imag, np.empty_like(frame.real), np.empty_like(frame.real)
    for index, following in enumerate(frames):
        np.multiply(frame, 0.5, out=half)
        phasor[...] = frame
        higher += below
        lower += above
        _to_unit(phasor, *room)
        phasor *= advance[index]
        phasor += fresh[index]
        _to_unit(phasor, *room)
        frame = np.multiply(magnitude[index], phasor, out=following)
    spectrum = torch.from_numpy(frames.swapaxes(0, 1)).to(heads.fresh.device)
    return spectrum, torch.from_numpy(frame).to(heads.fresh.device)


def _to_unit(phasor: Any, real: Any, imaginary: Any, length: Any, square: Any) -> None:
    """``unit`` in place. real, imaginary: views of the phasors. length, square: room for two arrays of their shape."""
    np.multiply(real, real, out=length)
    np.multiply(imaginary, imaginary, out=square)
    length += square
    length += SMALL**2
    np.sqrt(length, out=length)
    phasor /= length


def carried(previous: Tensor, advance: Tensor, fresh: Tensor) -> Tensor:
    """The phasors (..., f) of frames, from the spectra of the frames before them. All are complex.

    In training, ``previous`` is either the true spectrum, so that the phase is learned without recursion, or the result
    of ``unroll`` without gradient. A gradient through many frames explodes where music fades.

    previous: (..., f) spectra of the previous frames.
    advance: (..., f) as in ``Heads``.
    fresh: (..., f) as in ``Heads``.
    """
    return unit(unit(locked(previous)) * advance + fresh)


def locked(spectrum: Tensor) -> Tensor:
    """Add half of both neighbours to each bin (..., f), so that its phase follows that of the loudest of the three."""
    half, total = 0.5 * spectrum, 1.0 * spectrum
    total[..., 1:] += half[..., :-1]
    total[..., :-1] += half[..., 1:]
    return total


def unit(z: Tensor) -> Tensor:
    """Scale phasors to length one. Where ``z`` is almost zero they are shorter, so that the function is smooth."""
    return z * (1 / (z.real * z.real + z.imag * z.imag + SMALL**2) ** 0.5)
