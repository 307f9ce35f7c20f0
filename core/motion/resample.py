"""Resamples motion to other frame rates and to warped times, by natural cubic splines.

A spline through every frame has continuous velocity and acceleration and adds no jitter. Repeated linear resampling
does add some, so resample once. Fast captures are decimated: what lies above half of the new rate is filtered out
first, or it would come back as slow movement.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.errors import FootlightError
from core.motion import rotation
from core.types import Motion

_POLE = math.sqrt(3) - 2  # pole of the inverse filter of the sampled cubic B-spline (1, 4, 1) / 6
_TAPS = 26  # |pole|^26 < 1e-14
_PASSED = 0.4  # cutoff of decimation, of the new rate; flat to 0.3, and 60 dB down at half the rate
_REACH = 9  # frames of the new rate to either side that the low-pass filter covers
_KAISER = 5.65  # shape of its window, for 60 dB (Kaiser 1974)


def spline(values: Tensor, at: Tensor) -> Tensor:
    """Values (n, ...) of the natural cubic spline through ``values``.

    Up to one frame beyond either end, the spline continues as its own point reflection. Farther out it is constant.

    The coefficients come from a finite filter (Unser 1999, "Splines: a perfect fit for signal and image processing").
    The pole of the inverse filter is -0.27, so 26 taps to either side reach double precision. Reflecting the values
    through the end points makes the curvature there zero.

    values: (t, ...) one value per frame.
    at: (n,) frame numbers, fractions allowed.
    """
    frames = values.shape[0]
    if frames == 1:
        return values.expand(at.shape[0], *values.shape[1:])
    flat = values.reshape(frames, -1).double()
    pad = _TAPS + 3
    padded = _reflected(flat, pad)
    both = _echoed(padded) + _echoed(padded.flip(0)).flip(0) - padded
    coefficients = -6 * _POLE / (1 - _POLE**2) * both[_TAPS:-_TAPS]  # 3 more at either end
    at = at.double().clamp(-1, frames)
    base = at.floor()
    f = (at - base)[:, None]
    index = base.long() + 3
    weights = ((1 - f) ** 3 / 6, (3 * f**3 - 6 * f**2 + 4) / 6, (-3 * f**3 + 3 * f**2 + 3 * f + 1) / 6, f**3 / 6)
    limit = coefficients.shape[0] - 1
    parts = (w * coefficients[(index + k - 1).clamp(0, limit)] for k, w in enumerate(weights))
    out = sum(parts, start=flat.new_zeros(()))
    return out.to(values.dtype).reshape(at.shape[0], *values.shape[1:])


def _echoed(flat: Tensor) -> Tensor:
    """Each value (t, c) plus ``_POLE`` times the one before, plus ``_POLE`` squared times the one before that, ...

    The geometric series is a product, 1 + p + p^2 + ... = (1 + p)(1 + p^2)(1 + p^4)..., of which five factors are 32
    terms.
    """
    for delay in (1, 2, 4, 8, 16):
        flat = torch.cat((flat[:delay], flat[delay:] + _POLE**delay * flat[:-delay]))
    return flat


def _reflected(flat: Tensor, pad: int) -> Tensor:
    """Extend by ``pad`` frames at either end: reflect the values through the end points, repeatedly if they are few."""
    while pad > 0:
        step = min(pad, flat.shape[0] - 1)
        before = 2 * flat[:1] - flat[1 : step + 1].flip(0)
        after = 2 * flat[-1:] - flat[-step - 1 : -1].flip(0)
        flat = torch.cat((before, flat, after))
        pad -= step
    return flat


def at_times(motion: Motion, times: Tensor, fps: float) -> Motion:
    """Sample a motion at any times: the general time warp.

    Positions and quaternions (made sign-continuous, then normalised) follow splines. Contacts are interpolated
    linearly.

    times: (n,) seconds in ``motion``.
    fps: frames per second at which the result is played.
    """
    frame = times.to(motion.root.device) * motion.fps
    rotations = rotation.normalise(spline(rotation.continuous(motion.rotations), frame))
    contacts = None if motion.contacts is None else _linear(motion.contacts, frame)
    return Motion(rotations, spline(motion.root, frame), float(fps), contacts)


def resample(motion: Motion, fps: float, frames: int | None = None) -> Motion:
    """The motion at another frame rate, over the same seconds.

    fps: the new rate, frames per second.
    frames: number of frames, where it must be exact; None rounds.

    Raises FootlightError for a rate that is not positive and finite.
    """
    if not fps > 0 or not math.isfinite(fps):
        raise FootlightError(f"a frame rate of {fps} was asked for; expected a positive number of frames per second")
    if frames is None:
        frames = max(1, round(motion.frames * fps / motion.fps))
    if fps == motion.fps and frames == motion.frames:
        return motion
    return at_times(motion, torch.arange(frames, dtype=torch.float64) / fps, fps)


def decimate(values: Tensor, factor: int) -> Tensor:
    """Every ``factor``-th of the values (t, ...), after a low-pass filter without delay: a Kaiser-windowed sinc.

    The first value stays the first. Beyond the ends, the values continue as their own point reflections.
    """
    if factor == 1 or values.shape[0] < 2:
        return values[::factor]
    reach = _REACH * factor
    taps = torch.arange(-reach, reach + 1, dtype=torch.float64)
    kernel = torch.special.sinc(2 * _PASSED / factor * taps)
    kernel = kernel * torch.kaiser_window(len(taps), periodic=False, beta=_KAISER, dtype=torch.float64)
    padded = _reflected(values.reshape(values.shape[0], -1).double(), reach)
    made = torch.nn.functional.conv1d(padded.T[:, None], (kernel / kernel.sum())[None, None], stride=factor)[:, 0].T
    return made.reshape(-1, *values.shape[1:]).to(values.dtype)


def decimate_turns(rotations: Tensor, factor: int) -> Tensor:
    """As ``decimate``, for unit quaternions (t, ..., 4)."""
    return rotation.normalise(decimate(rotation.continuous(rotations), factor))


def _linear(values: Tensor, at: Tensor) -> Tensor:
    at = at.clamp(0, values.shape[0] - 1).to(values.device)
    low = at.floor().long()
    high = (low + 1).clamp_max(values.shape[0] - 1)
    share = (at - low).to(values.dtype)[:, None]
    return torch.lerp(values[low], values[high], share)
