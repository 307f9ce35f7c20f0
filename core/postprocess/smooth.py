"""Removes jitter by low-pass filters with zero phase, so that movements are not delayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from core.motion import rotation
from core.postprocess.hold import fade
from core.types import Motion

CUTOFF = 11.0  # Hz at half power: removes jitter from frame to frame, keeps the sharpest accents
ORDER = 4  # of the Butterworth response
_PAD_SECONDS = 1.5


def smooth(motion: Motion, cutoff: float = CUTOFF, hold: Tensor | None = None) -> Motion:
    """Remove frequencies above ``cutoff`` Hz from the rotations and the root. Contacts stay as they are.

    Quaternions are filtered per component, with continuous signs, and normalised. Within the fraction of a second that
    the filter covers they are close together, so this is as good as filtering their logarithms.

    motion: (t, ...) the motion.
    cutoff: Hz.
    hold: (t, j) bool, what stays as it is; see ``core.postprocess.hold``.
    """
    signed = rotation.continuous(motion.rotations)
    rotations, root = lowpass(signed, motion.fps, cutoff), lowpass(motion.root, motion.fps, cutoff)
    if hold is not None:
        share = torch.stack([fade(held, motion.fps) for held in hold.T], 1).to(root)
        rotations = torch.lerp(signed, rotations, share[..., None])
        root = torch.lerp(motion.root, root, share[:, :1])
    rotations = rotation.normalise(rotations)
    if hold is not None:
        rotations = torch.where(hold[..., None], motion.rotations, rotations)
    return replace(motion, rotations=rotations, root=root)


def lowpass(values: Tensor, fps: float, cutoff: float, order: int = ORDER) -> Tensor:
    """Filter ``values`` (t, ...) with a Butterworth magnitude response and zero phase, half power at ``cutoff`` Hz."""
    return _filtered(values, fps, lambda f: (1 + (f / cutoff) ** (2 * order)).rsqrt(), _PAD_SECONDS)


def gaussian(values: Tensor, fps: float, sigma: float) -> Tensor:
    """Smooth ``values`` (t, ...) with a Gaussian of ``sigma`` seconds."""
    return _filtered(values, fps, lambda f: torch.exp(-2 * (torch.pi * f * sigma) ** 2), 4 * sigma)


def _filtered(values: Tensor, fps: float, response: Callable[[Tensor], Tensor], pad_seconds: float) -> Tensor:
    """Scale each frequency of ``values`` (t, ...).

    Both ends are extended by their point reflection, which preserves the values and slopes there.

    values: (t, ...).
    fps: frames per second.
    response: frequencies in Hz -> factors.
    pad_seconds: length of the extension; a short motion is extended by what it has.
    """
    frames = values.shape[0]
    if frames < 3:
        return values
    pad = min(frames - 1, max(1, round(pad_seconds * fps)))
    flat = values.reshape(frames, -1).double()
    before = 2 * flat[:1] - flat[1 : pad + 1].flip(0)
    after = 2 * flat[-1:] - flat[-pad - 1 : -1].flip(0)
    padded = torch.cat((before, flat, after))
    # without the line from end to end, there is no jump from the last frame back to the first
    share = torch.linspace(0, 1, padded.shape[0], dtype=padded.dtype, device=padded.device)[:, None]
    line = torch.lerp(padded[:1], padded[-1:], share)
    spectrum = torch.fft.rfft(padded - line, dim=0)
    frequencies = torch.fft.rfftfreq(padded.shape[0], 1 / fps, dtype=padded.dtype, device=padded.device)
    padded = torch.fft.irfft(spectrum * response(frequencies)[:, None], n=padded.shape[0], dim=0) + line
    return padded[pad : pad + frames].to(values.dtype).reshape(values.shape)
