"""What spots give to places in their light, as Blender's engines have it, without shadows. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EVEN = 1 / 2.2  # exponent of the display: light is multiplied with textures after it


@dataclass(frozen=True)
class Spots:
    """Spots on one frame.

    places: (n, 3) metres.
    ways: (n, 3) where they point, of length 1.
    light: (n, 3) linear radiance of white a metre away.
    edges: (n, 2) cosines of the angles from the axis at which a cone ends and at which its soft edge begins.
    """

    places: np.ndarray
    ways: np.ndarray
    light: np.ndarray
    edges: np.ndarray

    def lit(self) -> Spots:
        """Those that give light at all."""
        on = self.light.any(axis=1)
        return Spots(self.places[on], self.ways[on], self.light[on], self.edges[on])


def light_at(spots: Spots, points: np.ndarray, normals: np.ndarray, reaches: np.ndarray | None = None) -> np.ndarray:
    """Radiance (m, 3) of white at points (m, 3) whose surfaces face along ``normals``, (m, 3) or (3,).

    reaches: (n, m), which part of each spot's light comes to each point; all of it otherwise.
    """
    found = np.zeros((len(points), 3))
    reaches = np.ones((len(spots.places), 1)) if reaches is None else reaches
    each = zip(spots.places, spots.ways, spots.light, spots.edges, reaches, strict=True)
    for place, way, light, (end, soft), part in each:
        to_lamp = place - points
        square = np.einsum("ij,ij->i", to_lamp, to_lamp)
        distance = np.sqrt(square)
        facing = (to_lamp * normals).sum(axis=1).clip(0)
        inside = ((-(to_lamp @ way) / distance - end) / (soft - end)).clip(0, 1)
        found += (part * facing * inside * inside * (3 - 2 * inside) / (distance * square))[:, None] * light
    return found


def enlarged(coarse: np.ndarray, rows: np.ndarray, columns: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture (h, w, c) of ``size`` = (h, w) from its values (r, k, c) at some rows (r,) and columns (k,), the first
    and the last among them; bilinear between."""
    down, across = _between(rows, size[0]), _between(columns, size[1])
    tall = np.tensordot(down, coarse, axes=(1, 0))
    return np.matmul(across, tall)


def _between(at: np.ndarray, count: int) -> np.ndarray:
    """The matrix (count, n) that interpolates values at places (n,) to all places from 0 on."""
    places = np.arange(count)
    return np.stack([np.interp(places, at, unit) for unit in np.eye(len(at))], axis=1).astype(np.float32)
