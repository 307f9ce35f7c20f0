"""Colours of light: hue and saturation to linear light and back, luminance, and the distribution over the stage.

A colour is given as designers pick it, by hue and saturation on the sRGB wheel at full value. Light adds up linearly,
so it is calculated with linear RGB (IEC 61966-2-1). A level multiplies linear light.
"""

from __future__ import annotations

import math

import numpy as np

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of linear sRGB (IEC 61966-2-1)
NARROWEST = 0.2  # standard deviation of a narrow patch, in half widths of the stage
_WHEEL = np.array([0.0, 2 / 3, 1 / 3])  # turns by which green and blue follow red


def hue_vector(degrees: np.ndarray | float) -> np.ndarray:
    """Cosine and sine (..., 2) of hues (...) in degrees."""
    angle = np.radians(np.asarray(degrees, dtype=np.float64))
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def hue_degrees(vector: np.ndarray) -> np.ndarray:
    """Hues (...) in degrees, 0 to below 360, of (..., 2)."""
    return np.degrees(np.arctan2(vector[..., 1], vector[..., 0])) % 360


def linear(encoded: np.ndarray) -> np.ndarray:
    """Linear light (...) of sRGB values (...) in [0, 1]."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((np.maximum(encoded, 0) + 0.055) / 1.055) ** 2.4)


def encoded(light: np.ndarray) -> np.ndarray:
    """sRGB values (...) in [0, 1] of linear light (...): the inverse of ``linear``."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def srgb(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray | float = 1.0) -> np.ndarray:
    """sRGB colours (..., 3) of the HSV wheel.

    hue: (..., 2) cosine and sine.
    saturation: (...) in [0, 1].
    value: (...) in [0, 1].
    """
    turn = (np.arctan2(hue[..., 1], hue[..., 0]) / (2 * math.pi))[..., None]
    wheel = np.clip(np.abs((turn + _WHEEL) % 1 * 6 - 3) - 1, 0, 1)
    return np.asarray(value)[..., None] * (1 - np.asarray(saturation)[..., None] * (1 - wheel))


def light_of(hue: np.ndarray, saturation: np.ndarray, level: np.ndarray | float = 1.0) -> np.ndarray:
    """Linear RGB light (..., 3) of a lamp, whose level (...) multiplies the light of its colour at full value."""
    return linear(srgb(hue, saturation)) * np.asarray(level)[..., None]


def hsv(colours: np.ndarray) -> np.ndarray:
    """Hue in degrees, saturation and value (..., 3) of sRGB colours (..., 3). The hue of grey is 0."""
    value, least = colours.max(axis=-1), colours.min(axis=-1)
    spread = value - least
    safe = np.where(spread > 0, spread, 1)
    red, green, blue = (colours[..., i] for i in range(3))
    sixth = np.select(
        [spread <= 0, value == red, value == green],
        [np.zeros_like(value), (green - blue) / safe, 2 + (blue - red) / safe],
        4 + (red - green) / safe,
    )
    return np.stack([sixth * 60 % 360, spread / np.where(value > 0, value, 1), value], axis=-1)


def share_at(across: np.ndarray, spread: np.ndarray, place: np.ndarray | float) -> np.ndarray:
    """How much (...) of a role's level reaches a place on the stage, in (0, 1].

    It is a Gaussian around ``across``, ``NARROWEST / (1 - spread)`` wide. With spread 1 the light is even.

    across: (...) where the role is brightest, -1 to 1.
    spread: (...) 0 to 1.
    place: -1 the audience's left, 1 its right.
    """
    return np.exp(-0.5 * ((place - across) * (1 - spread) / NARROWEST) ** 2)
