"""A show: stage light over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..errors import FootlightError
from .channels import BOUNDS, CHANNELS, HUES, MIXTURES, SHOW_FPS, SLICES
from .colour import hue_degrees, hue_vector

TOLERANCE = 1e-3  # by which values of a file may miss their bounds, unit vectors their length and mixtures their sum
DECIMALS = 4  # of values in a file
HUE_DECIMALS = 2  # of degrees in a file


@dataclass(frozen=True)
class Cue:
    """A change that a designer would write into the cue list.

    seconds: when it begins.
    name: what happens, such as "section" or "blackout".
    why: what in the song or the dance asks for it.
    """

    seconds: float
    name: str
    why: str


@dataclass(frozen=True, eq=False)
class Show:
    """Stage light over time.

    values: (t, c) float32, the channels of ``core.show.channels``. Frame i is at ``i / fps`` seconds. Between two
        frames, renderers interpolate the light and not the hue (``core.show.colour``).
    fps: frames per second.
    look: by whose rules or in whose style it is; empty if unknown.
    beats: (n,) of the song, seconds, or none.
    sections: (n,) where the song's sections begin, seconds, or none.
    cues: what was decided and why, in order, or none.

    Raises FootlightError for values that are not finite or out of bounds.
    """

    values: np.ndarray
    fps: float = SHOW_FPS
    look: str = ""
    beats: tuple[float, ...] = ()
    sections: tuple[float, ...] = ()
    cues: tuple[Cue, ...] = ()

    def __post_init__(self) -> None:
        check_values(self.values)
        if not 0 < self.fps < float("inf"):
            raise FootlightError(f"a show with {self.fps} frames per second was given; expected a positive number")

    @property
    def frames(self) -> int:
        return len(self.values)

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    def part(self, name: str) -> np.ndarray:
        """The values (t, width) of a part of ``PARTS``; (t,) where its width is 1."""
        values = self.values[:, SLICES[name]]
        return values[:, 0] if values.shape[1] == 1 else values

    def with_values(self, values: np.ndarray) -> Show:
        """The show with other values (t, c)."""
        return replace(self, values=values)


def check_values(values: np.ndarray) -> None:
    """Raises FootlightError, which names part and frame, for values (t, c) that are no show."""
    if values.ndim != 2 or values.shape[1] != CHANNELS or not len(values):
        raise FootlightError(f"a show of shape {values.shape} was given; expected (frames, {CHANNELS})")
    for name, (least, most) in BOUNDS.items():
        part = values[:, SLICES[name]]
        fine = np.isfinite(part) & (part >= least - TOLERANCE) & (part <= most + TOLERANCE)
        _expect(fine.all(axis=1), name, part, f"{least:g} to {most:g}")
    for name in HUES:
        part = values[:, SLICES[name]]
        _expect(np.abs(np.hypot(part[:, 0], part[:, 1]) - 1) <= TOLERANCE, name, part, "a unit vector")
    for name in MIXTURES:
        part = values[:, SLICES[name]]
        _expect(np.abs(part.sum(axis=1) - 1) <= TOLERANCE, name, part, "weights that add up to 1")


def _expect(fine: np.ndarray, name: str, part: np.ndarray, expected: str) -> None:
    if not fine.all():
        frame = int(np.argmin(fine))
        given = ", ".join(f"{value:g}" for value in part[frame])
        raise FootlightError(f"{name} is {given} in frame {frame}; expected {expected}")


def as_valid(values: np.ndarray) -> np.ndarray:
    """The nearest valid values (t, c) float32 to any (t, c), such as a network's.

    Values are clamped to their bounds, hues get length 1, and mixtures the sum 1. A hue without a direction is red, a
    mixture without weights is plain.

    Raises FootlightError for another number of channels, and for values that are not finite.
    """
    if values.ndim != 2 or values.shape[1] != CHANNELS or not np.isfinite(values).all():
        raise FootlightError(f"finite values (frames, {CHANNELS}) are needed for a show, got {values.shape}")
    made = values.astype(np.float32)
    for name, bounds in BOUNDS.items():
        if name not in HUES:
            made[:, SLICES[name]] = made[:, SLICES[name]].clip(*bounds)
    for name in HUES:
        made[:, SLICES[name]] = _scaled(made[:, SLICES[name]], lambda part: np.hypot(part[:, 0], part[:, 1]))
    for name in MIXTURES:
        made[:, SLICES[name]] = _scaled(made[:, SLICES[name]], lambda part: part.sum(axis=1))
    return made


def rounded(values: np.ndarray) -> np.ndarray:
    """Valid values (t, c) with the precision of a file: writing and reading them again changes nothing."""
    exact = values.astype(np.float64)
    made = exact.round(DECIMALS)
    for name in HUES:
        made[:, SLICES[name]] = hue_vector(hue_degrees(exact[:, SLICES[name]]).round(HUE_DECIMALS))
    for name in MIXTURES:
        part = made[:, SLICES[name]]
        part[np.arange(len(part)), part.argmax(axis=1)] += 1 - part.sum(axis=1)
    return as_valid(made)


def _scaled(part: np.ndarray, size: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Rows divided by their size. Rows of size 1 stay as they are, those without one become the first unit vector."""
    length = size(part)
    empty, fine = length < 1e-6, np.abs(length - 1) < 1e-6
    made = part / np.where(empty | fine, 1, length)[:, None]
    made[empty] = np.eye(1, part.shape[1], dtype=np.float32)
    return made
