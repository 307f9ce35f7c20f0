"""The colours of looks and of shows as palettes for the style encoder: sRGB colours with weights."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from core.light.look import WHITE_ROLES, Look
from core.show.channels import ROLES, SLICES, SURFACES
from core.show.colour import hue_vector, srgb

EVERY = 4  # frames between those whose colours count
SURFACE_WEIGHT = 0.15  # of a surface's colour; a role's is its level
_WHEEL = (0.0, 2 / 3, 1 / 3)  # turns by which green and blue follow red


def rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """sRGB colours (..., 3) of the HSV wheel. Differentiable.

    hue: (..., 2) cosine and sine, of any length.
    saturation: (...) in [0, 1].
    value: (...) in [0, 1].
    """
    turn = torch.atan2(hue[..., 1], hue[..., 0])[..., None] / (2 * math.pi)
    wheel = (((turn + turn.new_tensor(_WHEEL)) % 1 * 6 - 3).abs() - 1).clamp(0, 1)
    return value[..., None] * (1 - saturation[..., None] * (1 - wheel))


def palette_of_look(look: Look) -> tuple[Tensor, Tensor]:
    """The colours (n, 3) of a look and their weights (n,): of its lamps by the levels at home, and of its surfaces.

    The rules give the palette's colours to the roles in turn, so each has an equal part of their level.
    """
    white = sum(look.levels[role] for role in WHITE_ROLES)
    coloured = sum(look.levels.values()) - white
    lamps = [(colour.hue, colour.saturation, 1.0, coloured / len(look.palette)) for colour in look.palette]
    lamps.append((look.white.hue, look.white.saturation, 1.0, white))
    paints = (paint for surface in (look.costume, look.backdrop) for paint in (surface.base, surface.accent))
    painted = [(paint.hue, paint.saturation, paint.value, SURFACE_WEIGHT) for paint in paints]
    hue, saturation, value, weight = np.array([*lamps, *painted]).T
    colours = srgb(hue_vector(hue), saturation, value)
    return torch.from_numpy(colours).float(), torch.from_numpy(weight).float()


def palette_of_light(values: Tensor) -> tuple[Tensor, Tensor]:
    """The colours (b, n, 3) of shows and their weights (b, n): of every role by its level, and of the surfaces.

    values: (b, t, c) channels of ``core.show.channels``. Values out of bounds count as the nearest within.
    """
    some = values[:, ::EVERY]

    def one(name: str) -> Tensor:
        return some[..., SLICES[name]][..., 0].clamp(0, 1)

    def colour(name: str, value: Tensor) -> Tensor:
        return rgb(some[..., SLICES[f"{name}_hue"]], one(f"{name}_saturation"), value)

    colours, weights = [], []
    for role in ROLES:
        level = one(f"{role}_level")
        colours.append(colour(role, torch.ones_like(level)))
        weights.append(level)
    for paint in (f"{surface}_{part}" for surface in SURFACES for part in ("base", "accent")):
        value = one(f"{paint}_value")
        colours.append(colour(paint, value))
        weights.append(torch.full_like(value, SURFACE_WEIGHT))
    return torch.stack(colours, dim=-2).flatten(1, 2), torch.stack(weights, dim=-1).flatten(1, 2)
