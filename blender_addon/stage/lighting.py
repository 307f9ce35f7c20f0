"""A show as lamps and materials take it: how much light of which colour each gives, in tracks. Numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..shared import Show, show_channels
from . import tracks
from .played import PLACES, Played, Surface, play
from .tracks import Track

# How far tracks may be from the show: of full level, of the light that reaches the stage, of a colour, a weight or a
# roughness, of the widest and the narrowest follow spot, of the way of a beam, and of a surface's brightest glow.
LEVEL_TOLERANCE = 0.01
COLOUR_TOLERANCE = 0.01
SURFACE_TOLERANCE = 0.01
SPREAD_TOLERANCE = 1 / 60
SWING_TOLERANCE = 1 / 24
GLOW_TOLERANCE = 0.03
DARK = 1e-6
"""The level below which a lamp gives no light."""


@dataclass(frozen=True)
class Coat:
    """How a surface looks.

    base, accent: linear colours, three numbers.
    roughness, glow: a number.
    pattern: the weights of ``core.show.channels.PATTERNS``.
    """

    base: Track
    accent: Track
    roughness: Track
    pattern: Track
    glow: Track


@dataclass(frozen=True)
class Lighting:
    """A show on the frames of a scene.

    frames: how many there are.
    tracks: the numbers, by what they are of.
    """

    frames: int
    tracks: Mapping[str, Track]

    def level(self, role: str, place: float) -> Track:
        """The level of a role's lamp, 1 is full."""
        return self.tracks[f"{role} {place} level"]

    def colour(self, role: str, place: float) -> Track:
        """The linear colour of a role's lamp, whose strongest part is 1."""
        return self.tracks[f"{role} {place} colour"]

    @property
    def spread(self) -> Track:
        """Of the follow spot, 0 to 1."""
        return self.tracks["spread"]

    @property
    def swing(self) -> Track:
        """How far the beams are from the middle of their sweep, -1 to 1."""
        return self.tracks["swing"]

    def coat(self, surface: str) -> Coat:
        """How a surface of ``core.show.channels.SURFACES`` looks."""
        return Coat(*(self.tracks[f"{surface} {part}"] for part in Coat.__dataclass_fields__))


def lighting_of(show: Show, frames: int, fps: float, places: Mapping[str, tuple[float, ...]]) -> Lighting:
    """A show on so many frames, ``fps`` a second.

    places: where the lamps of each role stand, of ``PLACES``.
    """
    played = play(show, frames, fps)
    found = {
        "spread": tracks.thinned(played.spread, SPREAD_TOLERANCE),
        "swing": tracks.thinned(played.swing, SWING_TOLERANCE),
    }
    for role, stand in places.items():
        for place in stand:
            level, colour = _shining(played, role, place)
            found |= {f"{role} {place} level": level, f"{role} {place} colour": colour}
    for name in show_channels.SURFACES:
        coat = _coat(played.surfaces[name])
        found |= {f"{name} {part}": getattr(coat, part) for part in Coat.__dataclass_fields__}
    return Lighting(frames, found)


def _shining(played: Played, role: str, place: float) -> tuple[Track, Track]:
    """Level and colour of a lamp: the level is the strongest part of its light, the colour is the rest."""
    shown = played.light[role][:, PLACES.index(place)]
    level = shown.max(axis=1)
    lit = level > DARK
    last_lit = np.maximum.accumulate(np.where(lit, np.arange(len(level)), -1))
    last_lit = np.where(last_lit < 0, int(lit.argmax()), last_lit)  # what is dark keeps the colour it had
    colours = shown[last_lit] / np.maximum(level[last_lit], DARK)[:, None] if lit.any() else np.ones_like(shown)
    return (
        tracks.thinned(level, LEVEL_TOLERANCE),
        tracks.thinned(colours, COLOUR_TOLERANCE / np.maximum(level, COLOUR_TOLERANCE)),
    )


def _coat(surface: Surface) -> Coat:
    base, accent, roughness, pattern = (
        tracks.thinned(part, SURFACE_TOLERANCE)
        for part in (surface.base, surface.accent, surface.roughness, surface.pattern)
    )
    return Coat(base, accent, roughness, pattern, tracks.thinned(surface.glow, GLOW_TOLERANCE))
