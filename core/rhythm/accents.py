"""When a motion accents: kinematic amplitude, onsets and beats.

Two different events, which on real dance do not coincide:

- *onsets*, peaks of the kinematic amplitude O (MoMu-Diffusion eq. 1-2, after Davis & Agrawala 2018, "Visual Rhythm and
  Beat"): movement that starts or turns;
- *beats*, minima of the smoothed mean joint speed (the kinematic beat of AIST++, Li et al. 2021): movement that
  arrives.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.layers.peaks import gaussian_smooth, peaks, prominence
from core.motion.contact import joint_speed
from core.types import Beats

BINS = 12  # directions a plane is divided into
_PLANES = ((0, 1), (2, 1), (0, 2))  # frontal, sagittal, horizontal

ONSET_SMOOTHING = 0.03  # seconds, standard deviation
ONSET_SPACING = 0.20  # seconds between onsets, at least
ONSET_DELTA = 0.25  # of the clip's mean amplitude: by how much an onset stands above the second around it

BEAT_SMOOTHING = 0.08  # seconds, standard deviation
BEAT_SPACING = 0.25  # seconds between hits, at least
BEAT_PROMINENCE = 0.02  # of the clip's mean speed; on captured dance this leaves a hit every 0.5-0.9 s (median)


def directogram(positions: Tensor, bins: int = BINS) -> Tensor:
    """D of eq. 1: how far the joints move, by direction; (..., t, planes, bins), metres a frame.

    positions: (..., t, j, 3), for which the frontal, sagittal and horizontal planes each have a directogram (our choice
    for 3-D), or (..., t, j, 2).  Frame 0 is zero.
    """
    steps = torch.diff(positions, dim=-3, prepend=positions[..., :1, :, :])
    planes = _PLANES if positions.shape[-1] == 3 else ((0, 1),)
    flow = torch.stack([steps[..., list(plane)] for plane in planes], -3)  # (..., t, planes, j, 2)
    share = (torch.atan2(flow[..., 1], flow[..., 0]) / (2 * math.pi)) % 1
    index = (share * bins).long().clamp_max(bins - 1)
    out = flow.new_zeros(*flow.shape[:-2], bins)
    return out.scatter_add(-1, index, torch.linalg.vector_norm(flow, dim=-1))


def amplitude(positions: Tensor, fps: float, bins: int = BINS) -> Tensor:
    """The kinematic amplitude O (..., t) of eq. 2, in [0, 1] over the clip; zero for a clip that stands still.

    positions: (..., t, j, 3 or 2) in metres.  Movement slower than 1 mm/s, all joints together, counts as none. The
    planes' directograms are rectified apart and summed; frames 0 and 1 have no change of direction and are zero.
    """
    flow = directogram(positions, bins) * fps
    rise = (flow[..., 2:, :, :] - flow[..., 1:-1, :, :]).clamp_min(0).sum((-2, -1))
    rise = torch.cat((rise.new_zeros(*rise.shape[:-1], positions.shape[-3] - rise.shape[-1]), rise), -1)
    most = rise.amax(-1, keepdim=True)
    return torch.where(most > 1e-3, rise / most.clamp_min(1e-3), torch.zeros_like(rise))


def kinematic_onsets(positions: Tensor, fps: float) -> Beats:
    """The onsets of a motion (t, j, 3 or 2): peaks of its lightly smoothed amplitude. Strength: O there."""
    height = gaussian_smooth(amplitude(positions, fps), ONSET_SMOOTHING * fps)
    around = gaussian_smooth(height, 0.5 * fps)
    return _events(height, height > around + ONSET_DELTA * height.mean(), ONSET_SPACING, fps)


def kinematic_beats(positions: Tensor, fps: float) -> Beats:
    """The kinematic beats of a motion (t, j, 3 or 2), metres: prominent minima of its mean joint speed, smoothed.

    A minimum counts when, on either side, the speed rises by ``BEAT_PROMINENCE`` of the clip's mean speed before it
    falls below that minimum.  Strength: prominence over the clip's greatest.
    """
    speed = gaussian_smooth(mean_speed(positions, fps), BEAT_SMOOTHING * fps)
    depth = prominence(-speed)
    deep = depth > max(BEAT_PROMINENCE * speed.mean().item(), 1e-3)
    return _events(-speed, deep, BEAT_SPACING, fps, depth)


def mean_speed(positions: Tensor, fps: float) -> Tensor:
    """Mean joint speed (t,), metres per second, of positions (t, j, 3 or 2)."""
    return joint_speed(positions, fps).mean(-1)


def _events(values: Tensor, allowed: Tensor, spacing: float, fps: float, strength: Tensor | None = None) -> Beats:
    """The allowed maxima of ``values`` (t,), the stronger one where two are closer than ``spacing`` seconds; their
    times refined to a fraction of a frame by the parabola through three frames."""
    if values.shape[0] < 3:
        return Beats(values.new_zeros(0), strength=values.new_zeros(0))
    strength = values if strength is None else strength
    found = peaks(values, 1, rising=True, ends=False)
    found = found[allowed[found]]
    kept: list[int] = []
    for frame in found[strength[found].argsort(descending=True, stable=True)].tolist():
        if all(abs(frame - other) >= spacing * fps for other in kept):
            kept.append(frame)
    at = torch.tensor(sorted(kept), dtype=torch.long, device=values.device)
    left, middle, right = values[at - 1].double(), values[at].double(), values[at + 1].double()
    bend = (left - 2 * middle + right).clamp_max(-1e-12)
    shift = (0.5 * (left - right) / bend).clamp(-0.5, 0.5)
    times = ((at + shift) / fps).to(values.dtype)
    at_most = strength[at].amax().clamp_min(1e-9) if len(kept) else 1.0
    tempo = 60.0 / times.diff().median().item() if len(kept) > 1 else 0.0
    return Beats(times, tempo, strength=(strength[at] / at_most).clamp(0, 1))
