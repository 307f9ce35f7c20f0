"""Log-mel spectrograms, the music representation of the shipped models.

Conventions: Slaney's mel scale and area-normalised triangles, magnitudes (not powers), natural logarithm, clamped at
1e-5, as in HiFi-GAN and BigVGAN. Frame i is centred on sample ``i * hop`` (reflected at the ends), so it represents the
instant ``i * hop / rate``. There are exactly ``floor(s / hop)`` frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from core import progress
from core.audio.stft import size
from core.config import SignalConfig
from core.layers.blockwise import Blocks, blocks_of, product

BLOCK = (
    256  # frames of 1024 samples between two reports: so few stay in the cache of a core, which makes it a third faster
)
FLOOR = 1e-5  # lower magnitudes are clamped, so silence is log(1e-5) = -11.51
_LINEAR_STEP = 200.0 / 3  # Hz per mel below 1 kHz
_LOG_STEP = 6.4 ** (1 / 27)  # ratio per mel above 1 kHz


def log_mel(samples: Tensor, signal: SignalConfig) -> Tensor:
    """Log-mel spectrogram (..., floor(s / hop), m): the natural logarithm of mel magnitudes.

    samples: (..., s) at ``signal.audio_rate``.
    signal: rates and bands.
    """
    heard = spectra(samples, signal.n_fft, signal.hop_samples)
    blocks = [in_bands(block, signal.audio_rate, signal.mel_bands, signal.mel_fmax) for block in heard]
    return torch.cat(blocks, dim=-2).clamp(min=FLOOR).log()


def rises(level: Tensor) -> Tensor:
    """How much each band of a compressed mel spectrum (t, m) rises, (t, m): half-wave rectified, zero at both ends.

    Each band of the next frame is compared with the maximum of three neighbouring bands of the previous frame, which
    ignores vibrato (SuperFlux, Böck & Widmer 2013).
    """
    before = functional.max_pool1d(level[:-2][:, None], 3, stride=1, padding=1)[:, 0]
    return functional.pad((level[2:] - before).clamp(min=0), (0, 0, 1, 1))


def spectrum(samples: Tensor, n_fft: int, hop: int) -> Tensor:
    """Magnitudes (..., floor(s / hop), n_fft / 2 + 1) of Hann-windowed, centred frames of samples (..., s)."""
    return torch.cat(list(spectra(samples, n_fft, hop)), dim=-2)


def spectra(samples: Tensor, n_fft: int, hop: int) -> Iterator[Tensor]:
    """``spectrum`` in blocks of up to ``BLOCK`` frames, for whoever keeps less than that of a long song.

    Reflection needs more samples than it mirrors. Shorter sound is padded with silence.
    """
    batch, length = samples.shape[:-1], samples.shape[-1]
    mode = "reflect" if length > n_fft // 2 else "constant"
    flat, pad, total = samples.reshape(math.prod(batch), length).float(), n_fft // 2, length // hop
    window = torch.hann_window(n_fft, device=samples.device)
    at_once = max(1, BLOCK * 1024 // n_fft)
    if not total:
        yield flat.new_zeros(*batch, 0, pad + 1)
    for first in range(0, total, at_once):
        last = min(total, first + at_once)
        frames = _around(flat, first * hop - pad, (last - 1) * hop + pad, mode).unfold(-1, n_fft, hop)
        yield size(torch.fft.rfft(frames * window)).reshape(*batch, last - first, -1)
        progress.report(last / total)


def _around(samples: Tensor, start: int, end: int, mode: str) -> Tensor:
    """Samples (b, end - start) of (b, s), padded beyond its ends. A long song is not copied for that."""
    length = samples.shape[-1]
    before, after = max(0, -start), max(0, end - length)
    if not before and not after:
        return samples[:, start:end]
    first, last = max(0, min(start, length - after - 1)), min(length, max(end, before + 1))  # with what is mirrored
    padded = functional.pad(samples[:, None, first:last], (before, after), mode=mode)[:, 0]
    return padded[:, start + before - first :][:, : end - start]


def in_bands(magnitude: Tensor, rate: int, bands: int, fmax: float, fmin: float = 0.0) -> Tensor:
    """Mel magnitudes (..., bands) of magnitudes (..., n_fft / 2 + 1): the product with ``filterbank``, which is mostly
    zero."""
    told = rate, 2 * (magnitude.shape[-1] - 1), bands, fmax, fmin
    return product(magnitude, filterbank(*told).to(magnitude.device), _blocks(*told))


@lru_cache(maxsize=8)
def _blocks(rate: int, n_fft: int, bands: int, fmax: float, fmin: float) -> Blocks:
    return blocks_of(filterbank(rate, n_fft, bands, fmax, fmin), 16)


@lru_cache(maxsize=8)
def filterbank(rate: int, n_fft: int, bands: int, fmax: float, fmin: float = 0.0) -> Tensor:
    """Slaney's triangular filters (n_fft / 2 + 1, bands). Each has unit area over frequency in Hz."""
    edges = mel_to_hz(torch.linspace(hz_to_mel(fmin), hz_to_mel(fmax), bands + 2, dtype=torch.float64))
    bins = torch.linspace(0, rate / 2, n_fft // 2 + 1, dtype=torch.float64)[:, None]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    triangles = torch.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)).clamp(min=0)
    return (triangles * 2 / (high - low)).float()


def hz_to_mel(hz: float) -> float:
    """Slaney's mel scale (Auditory Toolbox): linear up to 1 kHz, logarithmic above."""
    if hz < 1000:
        return hz / _LINEAR_STEP
    return 15 + math.log(hz / 1000) / math.log(_LOG_STEP)


def mel_to_hz(mel: Tensor) -> Tensor:
    """The inverse of ``hz_to_mel``, elementwise."""
    return torch.where(mel < 15, mel * _LINEAR_STEP, 1000 * _LOG_STEP ** (mel - 15))
