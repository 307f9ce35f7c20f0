"""Curves over time: smoothing them and finding their peaks, for onsets, drums, kinematic beats and metrics alike."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def peaks(
    values: Tensor,
    before: int,
    after: int | None = None,
    *,
    above: float | None = None,
    rising: bool = False,
    falling: bool = False,
    ends: bool = True,
) -> Tensor:
    """Where a curve is highest: (t,) -> (n,) frames, increasing.

    before, after: a peak is at least as high as so many frames before and after it, fewer near an end; ``after`` None
    is as many as ``before``.  above: it exceeds this.  rising, falling: it is higher than all of those before, or
    after, and not merely as high.  ends: whether the first and the last frame may be peaks.
    """
    after = before if after is None else after
    if len(values) == 0:
        return torch.zeros(0, dtype=torch.long, device=values.device)
    around = functional.pad(values, (before, after), value=-math.inf).unfold(0, before + 1 + after, 1)
    nothing = values.new_full((len(values),), -math.inf)
    left = around[:, :before].amax(dim=1) if before else nothing
    right = around[:, before + 1 :].amax(dim=1) if after else nothing
    found = (values > left if rising else values >= left) & (values > right if falling else values >= right)
    if above is not None:
        found &= values > above
    if not ends:
        found[0] = found[-1] = False
    return found.nonzero()[:, 0]


def prominence(values: Tensor) -> Tensor:
    """How far each local maximum of ``values`` (t,) stands above the higher of the two lowest points that part it from
    higher ground (or from the ends); 0 elsewhere. As topographers and ``scipy.signal.peak_prominences`` have it."""
    out = torch.zeros_like(values)
    heights = values.tolist()
    for peak in peaks(values, 1, rising=True, ends=False).tolist():
        lows = []
        for way in (range(peak - 1, -1, -1), range(peak + 1, len(heights))):
            low = heights[peak]
            for i in way:
                if heights[i] > heights[peak]:
                    break
                low = min(low, heights[i])
            lows.append(low)
        out[peak] = heights[peak] - max(lows)
    return out


def gaussian_smooth(values: Tensor, sigma: float) -> Tensor:
    """``values`` (t,) under a Gaussian of ``sigma`` frames, cut at 4 sigma; edges are mirrored."""
    radius = int(4 * sigma + 0.5)
    if radius < 1 or values.shape[0] < 2:
        return values
    # mirroring with the edge value repeated has period 2 t, so clips shorter than the kernel work as well
    at = torch.arange(-radius, values.shape[0] + radius, device=values.device) % (2 * values.shape[0])
    at = torch.minimum(at, 2 * values.shape[0] - 1 - at)
    offsets = torch.arange(-radius, radius + 1, device=values.device, dtype=values.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    return functional.conv1d(values[at][None, None], (kernel / kernel.sum())[None, None])[0, 0]
