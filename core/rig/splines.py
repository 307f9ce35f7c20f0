"""Curves through some frames of others, as Blender draws them between keys.

A straight curve is linear from key to key. A smooth one is a cubic (Hermite) that leaves each key as fast as the frames
around it run: of Blender's Bezier curves those whose handles end at a third of the way to the next key. A corner is
a key at which the frames before and those after run differently, such as a foot that lands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Keyed:
    """Which frames are keyed, and what the curve is between them.

    at: (m,) indices of frames, rising.
    corners: (m,) bool, which of them are corners.
    smooth: whether curves are cubic.
    """

    at: np.ndarray
    corners: np.ndarray
    smooth: bool = False


def keyed(at: np.ndarray, corners: np.ndarray | None = None, *, smooth: bool = False) -> Keyed:
    """Keys at some frames.

    at: (m,) the frames, in any order.
    corners: frames that are corners where they are keyed.
    smooth: as of ``Keyed``.
    """
    at = np.unique(np.asarray(at, dtype=int))
    return Keyed(at, np.isin(at, () if corners is None else corners), smooth)


def slopes(values: np.ndarray, keys: Keyed) -> tuple[np.ndarray, np.ndarray]:
    """By how much a frame the curve changes just before and just after every key: two of (m, c).

    values: (t, c) of all frames.
    """
    steps = np.diff(values, axis=0)
    if not len(steps):
        return np.zeros_like(values[keys.at]), np.zeros_like(values[keys.at])
    before, after = steps[np.maximum(keys.at - 1, 0)], steps[np.minimum(keys.at, len(steps) - 1)]
    even, corners = (before + after) / 2, keys.corners[:, None]
    return np.where(corners, before, even), np.where(corners, after, even)


def hermite(
    share: np.ndarray,
    length: np.ndarray | float,
    start: np.ndarray,
    end: np.ndarray,
    leaving: np.ndarray,
    coming: np.ndarray,
) -> np.ndarray:
    """The cubic (n, c) from ``start`` to ``end`` with given speeds at both (Hermite).

    share: (n, 1) of the way, in [0, 1].
    length: of the way, frames.
    start, end: (n, c) or (c,).
    leaving, coming: (n, c) or (c,) the speeds there, per frame.
    """
    rest = 1.0 - share
    curve = rest**2 * (1 + 2 * share) * start + share**2 * (3 - 2 * share) * end
    return curve + length * share * rest * (rest * leaving - share * coming)


def sampled(values: np.ndarray, keys: Keyed) -> np.ndarray:
    """The curve (t, c) through the keyed ones of ``values`` (t, c), in every frame."""
    if len(keys.at) == 1:
        return np.broadcast_to(values[keys.at], values.shape)
    frames = np.arange(len(values))
    i = np.clip(np.searchsorted(keys.at, frames, side="right") - 1, 0, len(keys.at) - 2)
    gap = (keys.at[i + 1] - keys.at[i])[:, None].astype(float)
    share = np.clip((frames - keys.at[i])[:, None] / gap, 0.0, 1.0)
    start, end = values[keys.at[i]], values[keys.at[i + 1]]
    if not keys.smooth:
        return start + (end - start) * share
    before, after = slopes(values, keys)
    return hermite(share, gap, start, end, after[i], before[i + 1])
