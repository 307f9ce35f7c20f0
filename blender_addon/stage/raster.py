"""What is nearest at each sample of a picture of quads, by numpy alone.

The quads are cut into samples no larger than a pixel, and a depth buffer keeps the nearest ones, as in Cook, Carpenter
and Catmull (1987), "The Reyes Image Rendering Architecture".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128)  # cuts along a side of a quad: the next one to its length


@dataclass(frozen=True)
class Nearest:
    """What is nearest at each sample of a picture (h, w). quad: its number, -1 for none; u, v: where on it, 0-1."""

    quad: np.ndarray
    u: np.ndarray
    v: np.ndarray


def nearest(points: np.ndarray, quads: np.ndarray, size: tuple[int, int]) -> Nearest:
    """What is nearest at each sample. points: (v, 3), samples across, samples up and depth, of the vertices that
    ``quads`` (q, 4) names.  size: width and height, in samples."""
    width, height = size
    corners = points[quads]
    edges = np.abs(np.roll(corners[..., :2], -1, axis=1) - corners[..., :2]).sum(
        axis=2
    )  # no gap, however a quad is turned
    inside = (np.abs(corners[..., 2]) < 1).all(axis=1)
    cuts = np.searchsorted(SIZES[:-1], np.maximum(edges[:, :2], edges[:, 2:]))  # (q, 2): along u and v
    depth = np.full(width * height, np.inf)
    found: list[tuple[np.ndarray, ...]] = []
    for across, up in np.unique(cuts, axis=0):
        chosen = np.flatnonzero(inside & (cuts == (across, up)).all(axis=1))
        steps = ((np.arange(SIZES[side]) + 0.5) / SIZES[side] for side in (across, up))
        u, v = (axis.ravel() for axis in np.meshgrid(*steps))
        samples = weights_at(u, v) @ corners[chosen]
        x, y = samples[..., 0].astype(np.int32), samples[..., 1].astype(np.int32)
        row, sample = np.nonzero((x >= 0) & (x < width) & (y >= 0) & (y < height))
        cell, far = (y * width + x)[row, sample], samples[row, sample, 2]
        np.minimum.at(depth, cell, far)
        found.append((cell, far, chosen[row], u[sample], v[sample]))
    quad, u, v = np.full(width * height, -1), np.zeros(width * height), np.zeros(width * height)
    for cell, far, number, across, up in found:
        won = far <= depth[cell]
        quad[cell[won]], u[cell[won]], v[cell[won]] = number[won], across[won], up[won]
    return Nearest(*(values.reshape(height, width) for values in (quad, u, v)))


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
