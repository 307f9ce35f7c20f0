"""What is nearest at each sample of a picture of quads, by numpy alone.

The quads are cut into samples no larger than a pixel, and a depth buffer keeps the nearest ones, as in Cook, Carpenter
and Catmull (1987), "The Reyes Image Rendering Architecture".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128)  # cuts along a side of a quad: the next one to its length


@dataclass(frozen=True)
class Nearest:
    """What is nearest at each sample of a picture (h, w).

    quad: its number, -1 for none.
    u, v: where on it, 0-1.
    """

    quad: np.ndarray
    u: np.ndarray
    v: np.ndarray


def nearest(points: np.ndarray, quads: np.ndarray, size: tuple[int, int]) -> Nearest:
    """What is nearest at each sample.

    points: (v, 3), samples across, samples up and depth, of the vertices that ``quads`` (q, 4) names.
    size: width and height, in samples.
    """
    width, height = size
    depth = np.full(width * height, np.inf)
    found = list(_samples(points, quads, size))
    for cell, far, *_ in found:
        np.minimum.at(depth, cell, far)
    quad, u, v = np.full(width * height, -1), np.zeros(width * height), np.zeros(width * height)
    for cell, far, number, across, up in found:
        won = far <= depth[cell]
        quad[cell[won]], u[cell[won]], v[cell[won]] = number[won], across[won], up[won]
    return Nearest(*(values.reshape(height, width) for values in (quad, u, v)))


def covered(points: np.ndarray, quads: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Which samples (h, w) have anything at all: arguments as of ``nearest``."""
    width, height = size
    mask = np.zeros(width * height, bool)
    for cell, *_ in _samples(points, quads, size):
        mask[cell] = True
    return mask.reshape(height, width)


def _samples(points: np.ndarray, quads: np.ndarray, size: tuple[int, int]) -> Iterator[tuple[np.ndarray, ...]]:
    """Samples (s,) on the quads that are in the picture: their places in it, depths, quads, u and v."""
    width, height = size
    corners = points[quads]
    places = corners[..., :2]
    in_picture = (places.max(axis=1) >= 0).all(axis=1) & (places.min(axis=1) < size).all(axis=1)
    shown = np.flatnonzero(in_picture & (np.abs(corners[..., 2]) < 1).all(axis=1))
    edges = np.abs(np.roll(places[shown], -1, axis=1) - places[shown]).sum(axis=2)  # no gap, however a quad is turned
    along = np.searchsorted(SIZES[:-1], np.maximum(edges[:, :2], edges[:, 2:]))  # u and v
    kinds, kind = np.unique(along @ (len(SIZES), 1), return_inverse=True)
    for number, cuts in enumerate(kinds):
        u, v, weights = _cut(*divmod(int(cuts), len(SIZES)))
        chosen = shown[kind == number]
        samples = weights @ corners[chosen]
        x, y = samples[..., 0].astype(np.int32), samples[..., 1].astype(np.int32)
        row, sample = np.nonzero((x >= 0) & (x < width) & (y >= 0) & (y < height))
        yield (y * width + x)[row, sample], samples[row, sample, 2], chosen[row], u[sample], v[sample]


@cache
def _cut(across: int, up: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples on a quad with ``SIZES[across]`` and ``SIZES[up]`` of them along its sides: u, v (n,), weights (n, 4)."""
    steps = ((np.arange(SIZES[side]) + 0.5) / SIZES[side] for side in (across, up))
    u, v = (axis.ravel() for axis in np.meshgrid(*steps))
    return u, v, weights_at(u, v)


def faces_us(points: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Which quads turn their front to the camera; points as ``nearest`` takes them."""
    one, two, three, four = np.moveaxis(points[quads, :2], 1, 0)
    first, second = three - one, four - two
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] > 0


def weights_at(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Bilinear weights (n, 4) of a quad's corners at u and v (n,)."""
    return np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=-1)


def coarse(picture: np.ndarray, by: int) -> np.ndarray:
    """The mean of ``by`` by ``by`` samples (h, w, c)."""
    height, width, channels = picture.shape
    return picture.reshape(height // by, by, width // by, by, channels).mean(axis=(1, 3))
