"""Take away jitter: low-pass filters without phase shift, so that no movement arrives later than it was danced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from core.motion import rotation
from core.types import Motion

CUTOFF = 11.0  # Hz at which half the power is left: jitter from frame to frame goes, the sharpest accents stay
ORDER = 4
_PAD_SECONDS = 1.5


def smooth(motion: Motion, cutoff: float = CUTOFF) -> Motion:
    """The motion without what swings faster than ``cutoff`` Hz: rotations and root. Contacts stay as they are.

    Quaternions are filtered component by component, with continuous signs, and brought back to unit length: over the
    fraction of a second that the filter sees they lie close together, where that is as good as their logarithms.
    """
    rotations = lowpass(rotation.continuous(motion.rotations), motion.fps, cutoff)
    return replace(motion, rotations=rotation.normalise(rotations), root=lowpass(motion.root, motion.fps, cutoff))


def lowpass(values: Tensor, fps: float, cutoff: float, order: int = ORDER) -> Tensor:
    """``values`` (t, ...) through a Butterworth magnitude response, half the power at ``cutoff`` Hz, no phase shift."""
    return _filtered(values, fps, lambda f: (1 + (f / cutoff) ** (2 * order)).rsqrt(), _PAD_SECONDS)


def gaussian(values: Tensor, fps: float, sigma: float) -> Tensor:
    """``values`` (t, ...) under a Gaussian of ``sigma`` seconds."""
    return _filtered(values, fps, lambda f: torch.exp(-2 * (torch.pi * f * sigma) ** 2), 4 * sigma)


def _filtered(values: Tensor, fps: float, response: Callable[[Tensor], Tensor], pad_seconds: float) -> Tensor:
    """``values`` (t, ...) with each frequency (Hz) scaled by ``response``. Both ends go on as their point reflections,
    which keeps the end values and the slopes there; a motion shorter than that goes on with what there is."""
    frames = values.shape[0]
    if frames < 3:
        return values
    pad = min(frames - 1, max(1, round(pad_seconds * fps)))
    flat = values.reshape(frames, -1).double()
    before = 2 * flat[:1] - flat[1 : pad + 1].flip(0)
    after = 2 * flat[-1:] - flat[-pad - 1 : -1].flip(0)
    padded = torch.cat((before, flat, after))
    # without the line from end to end the spectrum holds no jump from the last frame back to the first
    share = torch.linspace(0, 1, padded.shape[0], dtype=padded.dtype, device=padded.device)[:, None]
    line = torch.lerp(padded[:1], padded[-1:], share)
    spectrum = torch.fft.rfft(padded - line, dim=0)
    frequencies = torch.fft.rfftfreq(padded.shape[0], 1 / fps, dtype=padded.dtype, device=padded.device)
    padded = torch.fft.irfft(spectrum * response(frequencies)[:, None], n=padded.shape[0], dim=0) + line
    return padded[pad : pad + frames].to(values.dtype).reshape(values.shape)
