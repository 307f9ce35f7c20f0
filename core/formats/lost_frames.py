"""Frames that a capture lost, and how short gaps are bridged.

Where a recorder has no body for a moment, it writes NaN, or a row of one number throughout: mostly zeros, which would
be a body that stands in its rest pose at the origin. Short gaps are interpolated, as animators do.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError, warn
from core.motion import rotation
from core.rig.runs import runs

LONGEST = 0.75  # seconds that are bridged
MOST = 0.1  # of a capture's frames
_JUMP = 3.0  # times the steps between frames that only one in twenty exceeds
_COLLAPSED = 0.05  # of the usual extent; all joints in one place mark a lost frame
_MOST_NAMED = 3  # gaps that are listed
BOUNDS = f"at most {LONGEST:g} s at a time and {MOST:.0%} of a capture can be bridged"


def without_numbers(values: np.ndarray) -> np.ndarray:
    """Which frames (t,) of values (t, ...) hold a NaN."""
    return np.isnan(values.reshape(len(values), -1)).any(1)


def of_one_number(rows: np.ndarray) -> np.ndarray:
    """Which rows (t,) of channel values (t, c) are one number throughout, and are entered and left by a jump.

    Zeros at the beginning are not, since many captures begin in the T-pose.
    """
    alike = (rows == rows[:, :1]).all(1) if rows.shape[1] > 1 else np.zeros(len(rows), dtype=bool)
    if not alike.any():
        return alike
    steps = np.abs(np.diff(rows, axis=0)).mean(1)
    ordinary = steps[~(alike[1:] | alike[:-1])]
    most = _JUMP * float(np.nanquantile(ordinary, 0.95)) if np.isfinite(ordinary).any() else np.inf
    made = np.zeros_like(alike)
    for first, end in _of_one(alike, rows[:, 0]):
        jumps = steps[[edge - 1 for edge in (first, end) if 0 < edge < len(rows)]]
        if (first or rows[0, 0]) and len(jumps) and jumps.min() > most:
            made[first:end] = True
    return made


def _of_one(alike: np.ndarray, numbers: np.ndarray) -> list[tuple[int, int]]:
    """The stretches of frames (t,) that are ``alike`` and have one of ``numbers`` (t,) throughout."""
    changes = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
    edges = ([first, *changes[(first < changes) & (changes < end)].tolist(), end] for first, end in runs(alike))
    return [pair for some in edges for pair in pairwise(some)]


def named(lost: np.ndarray) -> str:
    """The lost frames (t,) in words, counted from 0."""
    found = runs(lost)
    words = ", ".join(str(a) if b == a + 1 else f"{a}-{b - 1}" for a, b in found[:_MOST_NAMED])
    return words + (f" and {len(found) - _MOST_NAMED} more stretches" if len(found) > _MOST_NAMED else "")


def can_be_bridged(lost: np.ndarray, fps: float) -> bool:
    """Whether the lost frames (t,) are few enough, and no gap among them is too long."""
    return lost.mean() <= MOST and all(end - first <= LONGEST * fps for first, end in runs(lost))


def bridged(values: Tensor, lost: np.ndarray) -> Tensor:
    """Values (t, ...) that are interpolated in the lost frames (t,), and held at the ends."""
    before, after, share = _neighbours(lost)
    share = share.to(values.dtype).reshape(-1, *[1] * (values.dim() - 1))
    made = values[before] + share * (values[after] - values[before])
    return torch.where(torch.from_numpy(lost).reshape(share.shape), made, values)


def bridged_turns(turns: Tensor, lost: np.ndarray) -> Tensor:
    """Rotations (t, j, 4), as ``bridged``, each by the shorter way."""
    before, after, share = _neighbours(lost)
    gaps = torch.from_numpy(lost)
    made = turns.clone()
    made[gaps] = rotation.slerp(turns[before[gaps]], turns[after[gaps]], share[gaps].to(turns.dtype)[:, None])
    return made


def bridged_places(path: object, places: Tensor, fps: float) -> Tensor:
    """Places (t, j, d) of joints, of which lost ones are interpolated. A joint is lost where it is NaN, and all are
    where they lie in one place. Warns, naming the file ``path``.

    Raises FootlightError for more than can be bridged.
    """
    extent = (places.amax(1) - places.amin(1)).norm(dim=-1)
    in_one = (extent <= _COLLAPSED * extent.nanmedian()).numpy()
    lost = in_one[:, None] | places.isnan().any(-1).numpy()
    whole = lost.any(1)
    if not whole.any():
        return places
    where = f"{path}: joints are lost in frames {named(whole)}, being NaN or all in one place"
    if not all(can_be_bridged(of_joint, fps) for of_joint in lost.T):
        raise FootlightError(f"{where}; {BOUNDS}: interpolate them, or cut the motion there")
    warn(f"{where}; they are interpolated")
    return torch.stack([bridged(joint, lost[:, k]) for k, joint in enumerate(places.unbind(1))], 1)


def _neighbours(lost: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """For every frame (t,) the last one before it that is not lost, the next one, and how far it lies between."""
    kept = np.flatnonzero(~lost)
    at = np.arange(len(lost))
    after = kept[np.searchsorted(kept, at).clip(max=len(kept) - 1)]
    before = kept[(np.searchsorted(kept, at, side="right") - 1).clip(min=0)]
    share = (at - before) / np.maximum(after - before, 1)
    return torch.from_numpy(before), torch.from_numpy(after), torch.from_numpy(share.clip(0.0, 1.0))
