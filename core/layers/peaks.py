"""Smoothing and peak picking of curves over time, shared by onsets, drums, kinematic beats and metrics."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Sequence

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
    """Frames (n,) of a curve's peaks, increasing.

    values: (t,) the curve.
    before: a peak is at least as high as this many frames before it; fewer at the start.
    after: the same for frames after it; None is as many as ``before``.
    above: a peak exceeds this value.
    rising: a peak is strictly higher than the frames before it.
    falling: a peak is strictly higher than the frames after it.
    ends: whether the first and the last frame may be peaks.
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
    """Prominence (t,) of each local maximum of ``values`` (t,), and 0 elsewhere.

    On either side of a peak, the lowest point before a higher peak or the end is its base. The prominence is the height
    above the higher base, as in topography and in ``scipy.signal.peak_prominences``.
    """
    if len(values) < 3:
        return torch.zeros_like(values)
    steps = values.diff()
    turns = functional.pad(steps[:-1] * steps[1:] <= 0, (1, 1), value=True).nonzero()[:, 0]  # slopes hold no base
    heights = values[turns].tolist()
    bases = values.new_tensor([*map(max, _lowest(heights), _lowest(heights[::-1])[::-1])])
    found = peaks(values, 1, rising=True, ends=False)
    out = torch.zeros_like(values)
    out[found] = values[found] - bases[torch.searchsorted(turns, found)]
    return out


def _lowest(heights: list[float]) -> list[float]:
    """For each height, the lowest one since a higher one, or since the start; itself included."""
    lows, higher = [], []  # the second holds (height, its low) of those not yet exceeded, falling
    for height in heights:
        low = height
        while higher and higher[-1][0] <= height:
            low = min(low, higher.pop()[1])
        lows.append(low)
        higher.append((height, low))
    return lows


def spaced(places: Sequence[float], strength: Sequence[float], distance: float) -> list[int]:
    """The events that stay where any two have to be ``distance`` apart, by their index, increasing.

    The stronger of two that are closer stays, of two that are equally strong the earlier one in the list. It is the
    rule of ``distance`` in ``scipy.signal.find_peaks``.

    places: (n,) where the events are, such as frames or seconds.
    strength: (n,) theirs.
    """
    taken: list[float] = []  # places, increasing
    kept = []
    for event in sorted(range(len(places)), key=lambda event: -strength[event]):
        after = bisect(taken, places[event])
        if all(abs(places[event] - other) >= distance for other in taken[max(0, after - 1) : after + 1]):
            taken.insert(after, places[event])
            kept.append(event)
    return sorted(kept)


def gaussian_smooth(values: Tensor, sigma: float) -> Tensor:
    """Smooth ``values`` (t,) with a Gaussian of ``sigma`` frames, truncated at 4 sigma. The ends are mirrored."""
    radius = int(4 * sigma + 0.5)
    if radius < 1 or values.shape[0] < 2:
        return values
    # mirroring with the edge value repeated has period 2 t, so clips shorter than the kernel work as well
    at = torch.arange(-radius, values.shape[0] + radius, device=values.device) % (2 * values.shape[0])
    at = torch.minimum(at, 2 * values.shape[0] - 1 - at)
    offsets = torch.arange(-radius, radius + 1, device=values.device, dtype=values.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    return functional.conv1d(values[at][None, None], (kernel / kernel.sum())[None, None])[0, 0]
