"""Pictures of lit stages, painted from a frame of a show: enough for a style encoder to learn what colours look like.

They are no renderings: the cloth, the floor and a figure are flat shapes that take up the light of their roles.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.show.channels import PATTERNS, SLICES
from core.show.colour import encoded, light_of, linear, share_at, srgb

SIZE = (48, 64)  # rows and columns
FLOOR = 0.7  # of the height, at which the floor begins
GREY = np.array([0.35, 0.35, 0.35])  # of the floor, linear
AMBIENT = 0.02
LAMP = ("saturation", "level", "across", "spread")


def paint(values: np.ndarray, generator: torch.Generator) -> Tensor:
    """A picture (3, h, w) of sRGB values in [0, 1].

    values: (c,) a frame of a show (``core.show.channels``).
    generator: draws where the dancer stands, and grain.
    """
    rows, columns = SIZE
    across = np.linspace(-1, 1, columns)
    place = float(torch.rand((), generator=generator)) - 0.5

    def light(role: str) -> np.ndarray:
        """The light (w, 3) of a role along the stage."""
        hue, (saturation, level, where, spread) = values[SLICES[f"{role}_hue"]], _ones(values, role, LAMP)
        return share_at(where, spread, across)[:, None] * light_of(hue, saturation, level)

    shine = AMBIENT + sum(light(role) for role in ("front", "side", "back", "follow"))
    cloth = _surface(values, "backdrop", rows, columns) * (AMBIENT + light("backdrop") + 0.2 * light("back"))
    floor = np.broadcast_to(GREY * (AMBIENT + light("top") + 0.3 * shine), cloth.shape)
    height = np.arange(rows)[:, None] / rows
    picture = np.where((height < FLOOR)[..., None], cloth, floor)
    body = ((across - place) / 0.12) ** 2 + ((height - 0.6) / 0.25) ** 2 < 1
    costume = _surface(values, "costume", rows, columns) * (shine + 0.5 * light("top"))
    picture = np.where(body[..., None], costume, picture)
    grain = 0.01 * torch.randn(rows, columns, 3, generator=generator).numpy()
    return torch.from_numpy((encoded(np.clip(picture, 0, 1)) + grain).clip(0, 1)).float().permute(2, 0, 1)


def _ones(values: np.ndarray, name: str, parts: tuple[str, ...]) -> list[np.ndarray]:
    """The values () of parts of one channel."""
    return [values[SLICES[f"{name}_{part}"]][0] for part in parts]


def _surface(values: np.ndarray, name: str, rows: int, columns: int) -> np.ndarray:
    """What a surface (h, w, 3) reflects and glows: its two colours in its pattern."""
    base, accent = (
        linear(srgb(values[SLICES[f"{paint}_hue"]], *_ones(values, paint, ("saturation", "value"))))
        for paint in (f"{name}_base", f"{name}_accent")
    )
    y, x = np.mgrid[:rows, :columns]
    shapes = {
        "plain": np.zeros((rows, columns)),
        "stripes": (x // 4 % 2).astype(float),
        "dots": ((x % 6 < 2) & (y % 6 < 2)).astype(float),
        "sparkle": ((x * 7 + y * 13) % 17 == 0).astype(float),
    }
    weights = values[SLICES[f"{name}_pattern"]]
    share = np.sum([weight * shapes[pattern] for weight, pattern in zip(weights, PATTERNS, strict=True)], axis=0)
    (glow,) = _ones(values, name, ("glow",))
    return (base + share[..., None] * (accent - base)) * (1 + glow)
