"""A show on the frames of a scene: how much light of which colour each lamp gives. Numpy only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..shared import Show, colour, flashes, show_channels

PLACES = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Where lamps of a role stand at most, from the audience's left to its right. Each gets the role's light there."""


@dataclass(frozen=True)
class Surface:
    """A surface on every frame.

    base, accent: (t, 3) linear colours.
    roughness, glow: (t,).
    pattern: (t, 4) weights of ``core.show.channels.PATTERNS``.
    """

    base: np.ndarray
    accent: np.ndarray
    roughness: np.ndarray
    pattern: np.ndarray
    glow: np.ndarray


@dataclass(frozen=True)
class Played:
    """A show on every frame of a scene.

    light: role -> (t, places, 3) linear RGB at ``PLACES``, with the strobe; 1 is a full lamp.
    spread: (t,) of the follow spot, 0 to 1.
    surfaces: by their names.
    swing: (t,) how far the beams are from the middle of their sweep, -1 to 1.
    """

    light: dict[str, np.ndarray]
    spread: np.ndarray
    surfaces: dict[str, Surface]
    swing: np.ndarray


def play(show: Show, frames: int, fps: float) -> Played:
    """A show on so many frames of a scene. After its end it stays as it ends.

    fps: frames a second of the scene.

    Linear light is interpolated between the show's frames, as ``docs/light.md`` asks. The light of each lamp is watched
    for flashes once more: a fourth within a second does not come, and the light stays as it was.
    """
    seconds = np.arange(frames) / fps
    clock = np.arange(show.frames) / show.fps

    def at(values: np.ndarray) -> np.ndarray:
        flat = values.reshape(show.frames, -1)
        columns = [np.interp(seconds, clock, column) for column in flat.T]
        return np.stack(columns, axis=1).reshape(frames, *values.shape[1:])

    gate = flashes.strobe_gate(show.part("strobe"), show.fps)
    light = flashes.role_light(_following(show.values), PLACES) * gate[:, None, None, None]
    safe = _without_flashes(at(light), fps)
    half_turns = np.cumsum(at(show.part("move"))) / fps  # a sweep goes from one side to the other
    return Played(
        {role: safe[:, index] for index, role in enumerate(show_channels.ROLES)},
        at(show.part("follow_spread")),
        {name: _surface(show, name, at) for name in show_channels.SURFACES},
        np.sin(math.pi * half_turns),
    )


def _following(values: np.ndarray) -> np.ndarray:
    """The same values (t, c), but the follow spot is as bright everywhere: it goes where the dancer is."""
    made = values.copy()
    made[:, show_channels.SLICES["follow_spread"]] = 1.0
    return made


def _without_flashes(light: np.ndarray, fps: float) -> np.ndarray:
    """Light (t, roles, places, 3) in which no second has a fourth flash."""
    watched = flashes.signals(light)
    if flashes.most_changes(watched, fps) <= flashes.MOST:
        return light
    made = light.copy()
    counter = flashes.Counter(watched[0], fps)
    previous = watched[0]
    for frame in range(1, len(made)):
        now = watched[frame]
        if counter.most_with(now) > flashes.MOST:
            made[frame], now = made[frame - 1], previous
        counter.take(now)
        previous = now
    return made


def _surface(show: Show, name: str, at: Callable[[np.ndarray], np.ndarray]) -> Surface:
    """A surface of a show.

    at: takes the show's frames to those of the scene.
    """

    def paint(part: str) -> np.ndarray:
        hue, saturation, value = (show.part(f"{name}_{part}_{what}") for what in ("hue", "saturation", "value"))
        return at(colour.linear(colour.srgb(hue, saturation, value)))

    roughness, pattern, glow = (at(show.part(f"{name}_{part}")) for part in ("roughness", "pattern", "glow"))
    return Surface(paint("base"), paint("accent"), roughness, pattern, glow)
