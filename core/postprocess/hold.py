"""What post-processing must not touch.

``hold`` (t, j) is true where a joint's rotation in a frame is to stay as it is. With the pelvis, the root stays where
it is. None holds nothing. Corrections fade out towards what is held.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.rig import runs as rig_runs

FADE = 0.15  # seconds in which a correction rises beside a held frame


def fade(held: Tensor, fps: float, seconds: float = FADE) -> Tensor:
    """Weights (t,) that are 0 in held frames (t,) bool and rise smoothly to 1 within ``seconds`` of them."""
    last, following, frame = _around(held)
    away = torch.minimum(frame - last, following - frame) / (seconds * fps)
    return 0.5 - 0.5 * torch.cos(math.pi * away.clamp_max(1.0))


def between(values: Tensor, held: Tensor, pace: Tensor | None = None) -> Tensor:
    """The values (t, c) of held frames (t,) bool, and smooth steps from one to the next in all others.

    Before the first held frame and after the last one they are constant. Without held frames they are zero.

    pace: (t,) above 0, how fast a step goes on in each frame beside its others. It fades out towards held frames. None
        is a step of the fifth order.
    """
    if not bool(held.any()):
        return torch.zeros_like(values)
    last, following, frame = _around(held)
    first, final = held.nonzero()[:, 0][[0, -1]].tolist()
    before = last.clamp(min=first).long()
    after = following.clamp(max=final).long()
    if pace is None:
        share = torch.where(following > last, (frame - last) / (following - last).clamp_min(1), torch.zeros_like(frame))
        share = share.nan_to_num(0.0).clamp(0, 1)
        share = share**3 * (10 - 15 * share + 6 * share**2)
    else:
        gone = torch.cumulative_trapezoid(pace.double())
        gone = torch.cat((gone.new_zeros(1), gone))
        share = (gone - gone[before]) / (gone[after] - gone[before]).clamp_min(1e-12)
    return torch.lerp(values[before], values[after], share.to(values)[:, None])


def runs(frames: Tensor) -> list[tuple[int, int]]:
    """The runs [start, end) of true frames in (t,) bool."""
    return rig_runs.runs(frames.cpu().numpy())


def alone(frames: Tensor) -> Tensor:
    """The true frames of (t, ...) bool whose neighbours are both false. The first and the last frame are neighbours."""
    return frames & ~torch.roll(frames, 1, 0) & ~torch.roll(frames, -1, 0)


def _around(held: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The last held frame up to each frame (t,), the first one from it on, and the frame; infinite where none is."""
    frame = torch.arange(len(held), dtype=torch.float64, device=held.device)
    last = torch.where(held, frame, -math.inf).cummax(0).values
    following = torch.where(held, frame, math.inf).flip(0).cummin(0).values.flip(0)
    return last, following, frame
