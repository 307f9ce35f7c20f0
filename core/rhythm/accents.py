"""Accents of a motion: kinematic amplitude, onsets and beats.

These are different events. In real dance they do not coincide.

- Kinematic *onsets* are peaks of the kinematic amplitude O: a movement starts or changes direction (MoMu-Diffusion eq.
  1-2, after Davis & Agrawala 2018, "Visual Rhythm and Beat").
- Kinematic *beats* are minima of the smoothed mean joint speed: a movement arrives (AIST++, Li et al. 2021).
- *Strikes* are maxima of the smoothed kinetic energy, between two arrivals.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.layers.peaks import gaussian_smooth, peaks, prominence, spaced
from core.motion.contact import joint_speed
from core.types import Beats

BINS = 12  # directions into which a plane is divided
_PLANES = ((0, 1), (2, 1), (0, 2))  # frontal, sagittal, horizontal

ONSET_SMOOTHING = 0.03  # seconds, standard deviation
ONSET_SPACING = 0.20  # seconds between onsets, at least
ONSET_DELTA = 0.25  # of the clip's mean amplitude, by which an onset exceeds the mean of the second around it

BEAT_SMOOTHING = 0.08  # seconds, standard deviation
BEAT_SPACING = 0.25  # seconds between kinematic beats, at least
BEAT_PROMINENCE = 0.02  # of the clip's mean speed; in captured dance this leaves a beat every 0.5-0.9 s (median)


def directogram(positions: Tensor, bins: int = BINS) -> Tensor:
    """Directogram D (..., t, planes, bins): how far the joints move in each direction, metres per frame.

    Frame 0 is zero. In 3-D there is a directogram for each of the frontal, sagittal and horizontal planes, which is our
    choice; in 2-D there is one.

    positions: (..., t, j, 3 or 2) metres.
    bins: number of directions in a plane.

    MoMu-Diffusion, eq. 1.
    """
    steps = torch.diff(positions, dim=-3, prepend=positions[..., :1, :, :])
    planes = _PLANES if positions.shape[-1] == 3 else ((0, 1),)
    flow = torch.stack([steps[..., list(plane)] for plane in planes], -3)  # (..., t, planes, j, 2)
    share = (torch.atan2(flow[..., 1], flow[..., 0]) / (2 * math.pi)) % 1
    index = (share * bins).long().clamp_max(bins - 1)
    out = flow.new_zeros(*flow.shape[:-2], bins)
    return out.scatter_add(-1, index, torch.linalg.vector_norm(flow, dim=-1))


def amplitude(positions: Tensor, fps: float) -> Tensor:
    """Kinematic amplitude O (..., t), scaled to [0, 1] over the clip; zero if nothing moves.

    Changes below 1 mm/s, summed over all joints, count as no movement. The directograms of the planes are rectified
    separately and summed. Frames 0 and 1 have no change of direction and are zero.

    positions: (..., t, j, 3 or 2) metres.
    fps: frames per second.

    MoMu-Diffusion, eq. 2.
    """
    flow = directogram(positions) * fps
    rise = (flow[..., 2:, :, :] - flow[..., 1:-1, :, :]).clamp_min(0).sum((-2, -1))
    rise = torch.cat((rise.new_zeros(*rise.shape[:-1], positions.shape[-3] - rise.shape[-1]), rise), -1)
    most = rise.amax(-1, keepdim=True)
    return torch.where(most > 1e-3, rise / most.clamp_min(1e-3), torch.zeros_like(rise))


def kinematic_onsets(positions: Tensor, fps: float) -> Beats:
    """Kinematic onsets of a motion: peaks of its lightly smoothed amplitude, whose height is their strength.

    positions: (t, j, 3 or 2) metres.
    fps: frames per second.
    """
    height = gaussian_smooth(amplitude(positions, fps), ONSET_SMOOTHING * fps)
    around = gaussian_smooth(height, 0.5 * fps)
    return _events(height, height > around + ONSET_DELTA * height.mean(), ONSET_SPACING, fps)


def kinematic_beats(positions: Tensor, fps: float) -> Beats:
    """Kinematic beats of a motion: prominent minima of its smoothed mean joint speed.

    A minimum counts if the speed on either side rises by ``BEAT_PROMINENCE`` of the clip's mean speed before it falls
    below that minimum. The strength is the prominence relative to the greatest in the clip.

    positions: (t, j, 3 or 2) metres.
    fps: frames per second.
    """
    speed = gaussian_smooth(mean_speed(positions, fps), BEAT_SMOOTHING * fps)
    return _prominent(-speed, speed.mean().item(), 1e-3, fps)


def strikes(positions: Tensor, fps: float) -> Beats:
    """Strikes of a motion: prominent maxima of its smoothed kinetic energy, with the same mass for every joint.

    They lie between kinematic beats. Prominence, spacing and strength are as there, of the energy.

    positions: (t, j, 3 or 2) metres.
    fps: frames per second.
    """
    energy = gaussian_smooth(joint_speed(positions, fps).square().mean(-1), BEAT_SMOOTHING * fps)
    return _prominent(energy, energy.mean().item(), 1e-6, fps)


def mean_speed(positions: Tensor, fps: float) -> Tensor:
    """Mean joint speed (t,) of positions (t, j, 3 or 2), metres per second."""
    return joint_speed(positions, fps).mean(-1)


def _prominent(values: Tensor, usual: float, least: float, fps: float) -> Beats:
    """The prominent maxima of a curve (t,). usual: its mean size. least: what is less prominent is stillness."""
    height = prominence(values)
    return _events(values, height > max(BEAT_PROMINENCE * usual, least), BEAT_SPACING, fps, height)


def _events(values: Tensor, allowed: Tensor, spacing: float, fps: float, strength: Tensor | None = None) -> Beats:
    """The allowed maxima of a curve, with times refined to a fraction of a frame by a parabola through three frames.

    values: (t,) the curve.
    allowed: (t,) bool, where a maximum may be.
    spacing: seconds. Of two that are closer, the stronger one is kept.
    fps: frames per second.
    strength: (t,) None is ``values``.
    """
    if values.shape[0] < 3:
        return Beats(values.new_zeros(0), strength=values.new_zeros(0))
    strength = values if strength is None else strength
    found = peaks(values, 1, rising=True, ends=False)
    found = found[allowed[found]]
    at = found[spaced(found.tolist(), strength[found].tolist(), spacing * fps)]
    left, middle, right = values[at - 1].double(), values[at].double(), values[at + 1].double()
    bend = (left - 2 * middle + right).clamp_max(-1e-12)
    shift = (0.5 * (left - right) / bend).clamp(-0.5, 0.5)
    times = ((at + shift) / fps).to(values.dtype)
    at_most = strength[at].amax().clamp_min(1e-9) if len(at) else 1.0
    tempo = 60.0 / times.diff().median().item() if len(at) > 1 else 0.0
    return Beats(times, tempo, strength=(strength[at] / at_most).clamp(0, 1))
