"""The floor and the backdrop of a drawn picture: textured rectangles."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from . import paint
from .raster import coarse
from .spots import EVEN, Spots, enlarged, light_at
from .weave import Woven

STEP = 8  # pixels between those for which the light of spots is calculated; it is smooth between them
CLOTH_PIXELS = 2048, 512  # of the picture of a pattern, across and up
FINE = 2  # samples of a pattern along each side of a pixel
LEVELS = 6  # of a texture, each half as large as the one before


@dataclass(frozen=True)
class Plane:
    """A textured rectangle.

    corner: (3,) metres.
    sides: (2, 3), along u and v.
    levels: pictures (h, w, 3), sRGB.
    glow: light of its own, radiance of white.
    """

    corner: np.ndarray
    sides: np.ndarray
    levels: list[np.ndarray]
    glow: float

    @property
    def normal(self) -> np.ndarray:
        """The way (3,) that it faces or turns its back to, of length 1."""
        across = np.cross(*self.sides)
        return across / np.linalg.norm(across)

    def hits(self, eye: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """Where rays (h, w, 3) from ``eye`` meet it, metres."""
        return eye + rays * (((self.corner - eye) @ self.normal) / (rays @ self.normal))[..., None]

    def colours(self, eye: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """Its sRGB colours (h, w, 3) where rays (h, w, 3) from ``eye`` meet it; beyond it, those of its border."""
        if not len(rays):
            return rays
        places = self.hits(eye, rays) - self.corner
        uv = np.clip(np.stack([places @ side / (side @ side) for side in self.sides], axis=-1), 0, 1)
        pixels = np.abs(np.diff(uv[:, rays.shape[1] // 2], axis=0, append=np.nan)).max(axis=1) * len(self.levels[0])
        level = np.clip(np.log2(np.fmax(pixels, 1)), 0, len(self.levels) - 1)  # texels a row of the picture
        finer, between = level.astype(int), level % 1
        picture = np.empty(rays.shape, np.float32)
        for number in np.unique(finer):
            rows = finer == number
            picture[rows] = _sampled(self.levels[number], uv[rows])
            rows &= between > 0
            if rows.any():
                share = between[rows, None, None].astype(np.float32)
                picture[rows] += share * (_sampled(self.levels[number + 1], uv[rows]) - picture[rows])
        return picture

    def light(self, spots: Spots, eye: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """The light of spots and its glow (h, w, 3) where rays meet it, as a factor of its sRGB colours."""
        if not len(rays):
            return rays
        rows, columns = (np.unique(np.r_[np.arange(0, count, STEP), count - 1]) for count in rays.shape[:2])
        hits = self.hits(eye, rays[np.ix_(rows, columns)])
        facing = self.normal * np.sign((eye - self.corner) @ self.normal)
        light = light_at(spots, hits.reshape(-1, 3), facing).reshape(hits.shape) + self.glow
        height, width, _ = rays.shape
        return enlarged((light**EVEN).astype(np.float32), rows, columns, (height, width))


def read_plane(ob: bpy.types.Object) -> Plane:
    """The plane of an object of four corners, whose material has a picture or is woven."""
    corners = np.array([ob.matrix_world @ vertex.co for vertex in ob.data.vertices])
    sides = np.stack([corners[1] - corners[0], corners[3] - corners[0]])
    material = ob.active_material
    woven = paint.woven(material)
    levels = [_picture(material) if woven is None else _cloth(woven)]
    while len(levels) < LEVELS:
        finer = levels[-1]
        levels.append(finer.reshape(len(finer) // 2, 2, finer.shape[1] // 2, 2, 3).mean(axis=(1, 3)))
    return Plane(corners[0], sides, levels, paint.glow(material))


def _sampled(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear colours of a texture (h, w, 3) at uv (..., 2)."""
    size = np.array(texture.shape[1::-1])
    at = np.clip(uv * size - 0.5, 0, size - 1).astype(np.float32)
    low = np.minimum(at.astype(np.int32), size - 2)
    u, v = np.moveaxis((at - low).astype(np.float32), -1, 0)[..., None]
    first = low[..., 1] * size[0] + low[..., 0]
    texels = texture.reshape(-1, 3)
    below, above = (texels[first + row] * (1 - u) + texels[first + row + 1] * u for row in (0, size[0]))
    return below * (1 - v) + above * v


def _picture(material: bpy.types.Material) -> np.ndarray:
    """The picture (h, w, 3) on a material, sRGB."""
    image = next(node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE")
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, 4)[..., :3]


def _cloth(woven: Woven) -> np.ndarray:
    """A picture (h, w, 3) of a woven cloth, sRGB."""
    u, v = ((np.arange(FINE * count, dtype=np.float32) + 0.5) / (FINE * count) for count in CLOTH_PIXELS)
    share = woven.share(u[None, :], v[:, None], np.zeros((1, 1)))
    return (woven.mixed(coarse(share[..., None], FINE)[..., 0]) ** EVEN).astype(np.float32)
