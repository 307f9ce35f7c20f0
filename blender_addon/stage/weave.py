"""Patterns on a surface of two colours: where its accent is. Numpy only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

SPOTS = {"dots": (1.0, 0.30, 0.0), "sparkle": (3.0, 0.16, 1.0)}
"""Of a pattern: how many to a pitch, their radius, both as a share of their distance, and how irregular they are."""
FILLED = {
    "plain": 0.0,
    "stripes": 0.5,
    "dots": math.pi * SPOTS["dots"][1] ** 2,
    "sparkle": 4 / 3 * math.pi * SPOTS["sparkle"][1] ** 3,
}
"""The part of a surface that a pattern covers. Dots are on a plane; sparkles are spheres that the surface cuts."""
PLAIN = {"plain": 1.0}
"""The weights of no pattern at all."""


@dataclass(frozen=True)
class Weave:
    """How patterns lie on a surface.

    coordinates: the output of Blender's Texture Coordinate node.
    size: of the surface along these, in metres.
    stripes: the axis across which they run.
    pitch: metres from one stripe to the next; dots and sparkles are as far.
    """

    coordinates: str
    size: tuple[float, float, float]
    stripes: int
    pitch: float


@dataclass(frozen=True)
class Woven:
    """A surface of two colours.

    base, accent: (3,) linear.
    weights: of the patterns, by their names.
    """

    weave: Weave
    base: np.ndarray
    accent: np.ndarray
    weights: dict[str, float]

    @property
    def mean(self) -> np.ndarray:
        """The mean colour (3,) of the whole surface."""
        return self.mixed(np.array(sum(weight * FILLED[name] for name, weight in self.weights.items())))

    def at(self, places: np.ndarray) -> np.ndarray:
        """The colours (n, 3) at places (n, 3) as ``share`` takes them."""
        return self.mixed(self.share(*places.T))

    def share(self, *places: np.ndarray) -> np.ndarray:
        """The part (...) that the accent has at places in the weave's coordinates, 0 to 1: an array (...) for each.
        Sparkles are too small to be seen one by one: they count by their mean."""
        pitches = [place * size / self.weave.pitch for place, size in zip(places, self.weave.size, strict=True)]
        share = np.zeros(np.broadcast_shapes(*(place.shape for place in places)), np.float32)
        for name, weight in self.weights.items():
            if name == "stripes":
                share += weight * (np.abs((pitches[self.weave.stripes] + 1) % 2 - 1) > 0.5)
            elif name == "dots":
                square = sum((pitch - np.round(pitch)) ** 2 for pitch in pitches)
                share += weight * (square < SPOTS[name][1] ** 2)
            else:
                share += weight * FILLED[name]
        return share

    def mixed(self, share: np.ndarray) -> np.ndarray:
        """The colours (..., 3) where the accent has a share (...)."""
        return self.base + share[..., None] * (self.accent - self.base)
