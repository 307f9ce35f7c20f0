"""Short-time Fourier transform on the frames of the mel, and its exact inverse.

Frame i is centred on sample ``i * hop`` under a periodic Hann window, as in core.audio.mel, so ``t`` frames represent
``t * hop`` samples. Phases refer to the middle of the frame. All bins of one sinusoid then share one phase (neighbours
would otherwise differ by half a turn), and a click at the middle has phase zero everywhere.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from core.config import SignalConfig
from core.errors import FootlightError


def analyse(samples: Tensor, n_fft: int, hop: int) -> Tensor:
    """Spectra (b, floor(s / hop), n_fft / 2 + 1), complex, of samples (b, s).

    ``core.audio.mel`` uses their magnitudes.
    """
    length, pad = samples.shape[-1], n_fft // 2
    padded = functional.pad(samples[:, None], (pad, pad), mode="reflect" if length > pad else "constant")[:, 0]
    return transform(padded.unfold(-1, n_fft, hop)[:, : length // hop])


def transform(frames: Tensor) -> Tensor:
    """Window and transform frames (..., n_fft) to spectra (..., n_fft / 2 + 1), complex, with centred phases."""
    n_fft = frames.shape[-1]
    return torch.fft.rfft(frames * window(n_fft, frames.device)) * _centre(n_fft, frames.device)


def synthesise(spectrum: Tensor, hop: int) -> Tensor:
    """Samples (b, t * hop) whose spectra are closest to ``spectrum`` (b, t, n_fft / 2 + 1), in least squares.

    This is the inverse of ``analyse`` if the spectrum is that of a signal (Griffin & Lim 1984).
    """
    frames = windowed_inverse(spectrum)
    n_fft, t = frames.shape[-1], frames.shape[1]
    added = overlap_add(frames, hop) / envelope(t, n_fft, hop, frames.device)
    return added[:, n_fft // 2 : n_fft // 2 + t * hop]


def windowed_inverse(spectrum: Tensor) -> Tensor:
    """Samples (b, t, n_fft) of each frame of a complex spectrum (b, t, n_fft / 2 + 1), under the synthesis window."""
    n_fft = 2 * (spectrum.shape[-1] - 1)
    frames = torch.fft.irfft(spectrum * _centre(n_fft, spectrum.device), n=n_fft)
    return frames * window(n_fft, spectrum.device)


def overlap_add(frames: Tensor, hop: int) -> Tensor:
    """Add frames (b, t, n_fft), each ``hop`` samples after the one before, to samples (b, (t - 1) * hop + n_fft)."""
    b, t, n_fft = frames.shape
    assert n_fft % hop == 0, "frames overlap by whole hops"
    pieces = n_fft // hop
    added = frames.new_zeros(b, t + pieces - 1, hop)
    for piece in range(pieces):
        added[:, piece : piece + t] += frames[:, :, piece * hop : (piece + 1) * hop]
    return added.flatten(1)


@lru_cache(maxsize=8)
def envelope(t: int, n_fft: int, hop: int, device: torch.device | str = "cpu") -> Tensor:
    """Sum ((t - 1) * hop + n_fft,) of the squared windows of ``t`` frames, by which overlap-add is divided."""
    squared = window(n_fft, device).square().expand(1, t, n_fft)
    return overlap_add(squared, hop)[0].clamp_min(1e-8)


@lru_cache(maxsize=8)
def window(n_fft: int, device: torch.device | str = "cpu") -> Tensor:
    """Periodic Hann window (n_fft,)."""
    return torch.hann_window(n_fft, device=device)


@lru_cache(maxsize=8)
def _centre(n_fft: int, device: torch.device | str) -> Tensor:
    """Phase factors (n_fft / 2 + 1,) of a delay by half a frame: +1, -1, +1, ..."""
    return (1 - 2 * (torch.arange(n_fft // 2 + 1, device=device) % 2)).float()


def check_mel(mel: Tensor, signal: SignalConfig) -> None:
    """Raises FootlightError unless ``mel`` is (b, t, bands) and finite."""
    if mel.ndim != 3 or mel.shape[-1] != signal.mel_bands:
        raise FootlightError(
            f"expected log-mels of shape (batch, frames, {signal.mel_bands}), got {tuple(mel.shape)}: "
            f"make them with core.audio.mel.log_mel"
        )
    if not bool(torch.isfinite(mel).all()):
        raise FootlightError("the log-mel contains values that are not numbers, so it cannot be turned into sound")
