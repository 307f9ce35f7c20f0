"""Short-time Fourier transform on the frames of the mel, and its exact inverse.

Frame i is centred on sample ``i * hop`` under a periodic Hann window, as in core.audio.mel, so ``t`` frames represent
``t * hop`` samples. Phases refer to the middle of the frame. All bins of one sinusoid then share one phase (neighbours
would otherwise differ by half a turn), and a click at the middle has phase zero everywhere.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
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
    return turned(_transformed(frames))


def _transformed(frames: Tensor) -> Tensor:
    return torch.fft.rfft(frames * window(frames.shape[-1], frames.device))


def synthesise(spectrum: Tensor, hop: int) -> Tensor:
    """Samples (b, t * hop) whose spectra are closest to ``spectrum`` (b, t, n_fft / 2 + 1), in least squares.

    This is the inverse of ``analyse`` if the spectrum is that of a signal (Griffin & Lim 1984).
    """
    return _inside(_added(turned(spectrum), hop), spectrum, hop)


def _added(spectrum: Tensor, hop: int) -> Tensor:
    """What ``synthesise`` gives, from before the first frame's middle on to the end of the last frame.

    spectrum: (b, t, n_fft / 2 + 1), with phases at the beginning of each frame.
    """
    n_fft, t = 2 * (spectrum.shape[-1] - 1), spectrum.shape[1]
    frames = torch.fft.irfft(spectrum, n=n_fft).mul_(window(n_fft, spectrum.device))
    return overlap_add(frames, hop).div_(envelope(t, n_fft, hop, spectrum.device))


def _inside(added: Tensor, spectrum: Tensor, hop: int) -> Tensor:
    """The samples (b, t * hop) that the frames of a spectrum (b, t, f) stand for, of those that they reach."""
    pad = spectrum.shape[-1] - 1
    return added[:, pad : pad + spectrum.shape[1] * hop]


def consistent(spectrum: Tensor, hop: int) -> Tensor:
    """The spectrum of the sound whose spectrum is nearest to the given one, both (b, t, f) and complex.

    The phases of both refer to the beginning of a frame, see ``turned``: nobody looks at them between two rounds.
    """
    n_fft, added = 2 * (spectrum.shape[-1] - 1), _added(spectrum, hop)
    samples, pad = _inside(added, spectrum, hop), n_fft // 2
    length = samples.shape[1]
    if length <= pad:
        return turned(analyse(samples, n_fft, hop))
    after = added.shape[1] - pad - length
    added[:, :pad] = samples[:, 1 : pad + 1].flip(1)  # what ``analyse`` pads with, in its place
    added[:, pad + length :] = samples[:, length - 1 - after : length - 1].flip(1)
    return _transformed(added.unfold(-1, n_fft, hop))


def turned(spectrum: Tensor) -> Tensor:
    """Spectra (..., n_fft / 2 + 1) whose phases refer to the beginning of a frame instead of its middle, and back."""
    return spectrum * _centre(2 * (spectrum.shape[-1] - 1), spectrum.device)


def size(values: Tensor) -> Tensor:
    """The absolute values of complex numbers, several times as fast as by ``abs``.

    With gradients, those below 2^-50 are 0 with gradients of 0.
    """
    if values.device.type == "cpu" and not values.requires_grad:
        return torch.from_numpy(np.abs(values.numpy()))
    return (values.real.square() + values.imag.square()).clamp_min(2.0**-100).sqrt() - 2.0**-50


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
