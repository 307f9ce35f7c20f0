"""Motion at other frame rates and at warped times, by natural cubic splines.

A spline through every frame, with continuous velocity and acceleration, adds no jitter of its own; linear resampling,
done repeatedly, does. Resample once.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.errors import FootlightError
from core.motion import rotation
from core.types import Motion

_POLE = math.sqrt(3) - 2  # of the inverse of the sampled cubic B-spline (1, 4, 1) / 6
_TAPS = 26  # |pole|^26 < 1e-14


def spline(values: Tensor, at: Tensor) -> Tensor:
    """The natural cubic spline through ``values`` (t, ...) at frame numbers ``at`` (n,), as (n, ...).

    Up to one frame beyond either end it runs on as its own point reflection; farther out it holds.
    The coefficients come from a finite filter (Unser 1999): the inverse filter's pole is -0.27, so 26 taps reach the
    precision of a double, and reflecting the values through the end points makes the end curvature zero.
    """
    frames = values.shape[0]
    if frames == 1:
        return values.expand(at.shape[0], *values.shape[1:])
    flat = values.reshape(frames, -1).double()
    pad = _TAPS + 3
    padded = _reflected(flat, pad)
    gain = -6 * _POLE / (1 - _POLE**2)
    kernel = flat.new_tensor([gain * _POLE ** abs(tap) for tap in range(-_TAPS, _TAPS + 1)])
    coefficients = torch.nn.functional.conv1d(padded.T[:, None], kernel[None, None])[:, 0].T  # 3 more at either end
    at = at.double().clamp(-1, frames)
    base = at.floor()
    f = (at - base)[:, None]
    index = base.long() + 3
    weights = ((1 - f) ** 3 / 6, (3 * f**3 - 6 * f**2 + 4) / 6, (-3 * f**3 + 3 * f**2 + 3 * f + 1) / 6, f**3 / 6)
    limit = coefficients.shape[0] - 1
    out = sum(w * coefficients[(index + k - 1).clamp(0, limit)] for k, w in enumerate(weights))
    return out.to(values.dtype).reshape(at.shape[0], *values.shape[1:])


def _reflected(flat: Tensor, pad: int) -> Tensor:
    """``pad`` more frames at either end: the values reflected through the end points, again and again if short."""
    while pad > 0:
        step = min(pad, flat.shape[0] - 1)
        before = 2 * flat[:1] - flat[1 : step + 1].flip(0)
        after = 2 * flat[-1:] - flat[-step - 1 : -1].flip(0)
        flat = torch.cat((before, flat, after))
        pad -= step
    return flat


def at_times(motion: Motion, times: Tensor, fps: float) -> Motion:
    """The motion sampled at ``times`` (n,) seconds, to be played at ``fps``: the general time warp.

    Rotations: spline through quaternions of one sign, brought back to unit length. Contacts: linear.
    """
    frame = times.to(motion.root.device) * motion.fps
    rotations = rotation.normalise(spline(rotation.continuous(motion.rotations), frame))
    contacts = None if motion.contacts is None else _linear(motion.contacts, frame)
    return Motion(rotations, spline(motion.root, frame), float(fps), contacts)


def resample(motion: Motion, fps: float, frames: int | None = None) -> Motion:
    """The motion at another frame rate, over the same seconds. frames: their number when it must be exact."""
    if not fps > 0 or not math.isfinite(fps):
        raise FootlightError(f"a frame rate of {fps} was asked for; expected a positive number of frames per second")
    if frames is None:
        frames = max(1, round(motion.frames * fps / motion.fps))
    if fps == motion.fps and frames == motion.frames:
        return motion
    return at_times(motion, torch.arange(frames, dtype=torch.float64) / fps, fps)


def _linear(values: Tensor, at: Tensor) -> Tensor:
    at = at.clamp(0, values.shape[0] - 1).to(values.device)
    low = at.floor().long()
    high = (low + 1).clamp_max(values.shape[0] - 1)
    share = (at - low).to(values.dtype)[:, None]
    return torch.lerp(values[low], values[high], share)
