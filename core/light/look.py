"""A look: how a designer lights a song, as data that can be edited.

A look names colours, the levels of its *visual home* (the state to which the stage returns), behaviours and materials.
``core/light/looks`` has ten. A behaviour that is missing is not done. ``docs/light.md`` explains the fields.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from core import records
from core.errors import FootlightError
from core.show.channels import FASTEST_MOVE, FASTEST_STROBE, PATTERNS, ROLES

FORMAT = "footlight-look 1"
FOLDER = Path(__file__).parent / "looks"
MOST_BYTES = 1 << 20  # of a file
FEWEST_COLOURS = 2
MOST_COLOURS = 8
WHITE_ROLES = ("front", "follow")  # they show faces and have the look's white
COLOURED_ROLES = tuple(role for role in reversed(ROLES) if role not in WHITE_ROLES)  # the palette's, in its order


def _bounded(name: str, value: float, least: float, most: float) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        raise FootlightError(f"{name} is {value:g}; expected {least:g} to {most:g}")


def _known(roles: Iterable[str]) -> None:
    if wrong := [role for role in roles if role not in ROLES]:
        raise FootlightError(f"unknown role {wrong[0]!r}: choose from {', '.join(ROLES)}")


_LIMITS = {
    "hue": (0.0, 360.0), "bars": (0.5, 64.0), "beats": (0.25, 64.0), "build": (0.0, 64.0), "lead": (0.0, 4.0),
    "fade": (0.0, 20.0), "decay": (0.05, 4.0), "strobe": (0.0, FASTEST_STROBE), "move": (0.0, FASTEST_MOVE),
    "variation": (0.0, 180.0),
    **dict.fromkeys(
        ("saturation", "value", "roughness", "glow", "depth", "chance", "keep", "spread", "contrast", "loudness"),
        (0.0, 1.0),
    ),
}  # fmt: skip
"""The least and the largest value of every field that is a number, by its name."""


@dataclass(frozen=True)
class Bounded:
    """Values within their bounds, and roles that there are.

    Creating one with others raises FootlightError, which names the field or the role.
    """

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "roles":
                _known(value)
            elif field.name in _LIMITS:
                _bounded(field.name, value, *_LIMITS[field.name])


@dataclass(frozen=True)
class Colour(Bounded):
    """A colour of light: hue in degrees, saturation 0-1."""

    hue: float
    saturation: float


@dataclass(frozen=True)
class Paint(Bounded):
    """A colour of a surface: hue in degrees, saturation and value 0-1."""

    hue: float
    saturation: float
    value: float


@dataclass(frozen=True)
class Material(Bounded):
    """A surface: two colours, how they are laid out (``PATTERNS``), roughness and glow 0-1."""

    base: Paint
    accent: Paint
    roughness: float
    pattern: str
    glow: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pattern not in PATTERNS:
            raise FootlightError(f"unknown pattern {self.pattern!r}: choose one of {', '.join(PATTERNS)}")


@dataclass(frozen=True)
class Cues(Bounded):
    """A cue for each section of the song.

    chance: 0-1, of taking a cue; otherwise the scene stays.
    lead: seconds by which a cue comes before its section.
    fade: seconds that it takes.
    """

    chance: float
    lead: float
    fade: float


@dataclass(frozen=True)
class Pulse(Bounded):
    """Roles strike on strong beats.

    depth: 0-1 of the level.
    decay: seconds.
    chance: 0-1, of each beat.
    """

    roles: tuple[str, ...]
    depth: float
    decay: float
    chance: float


@dataclass(frozen=True)
class Chase(Bounded):
    """A patch of light runs over the stage.

    beats: for each step.
    spread: of the patch.
    chance: of each section.
    """

    roles: tuple[str, ...]
    beats: float
    spread: float
    chance: float


@dataclass(frozen=True)
class Fade(Bounded):
    """Roles breathe.

    bars: of one breath.
    depth: 0-1 of the level.
    """

    roles: tuple[str, ...]
    bars: float
    depth: float


@dataclass(frozen=True)
class Blackout(Bounded):
    """The stage goes dark when the music stops.

    chance: of each stop.
    keep: 0-1, what the follow spot keeps.
    """

    chance: float
    keep: float


@dataclass(frozen=True)
class Bloom(Bounded):
    """The stage opens on a drop.

    chance: 0-1, of each drop.
    build: beats before it in which the stage narrows.
    beats: after it in which the opening fades.
    depth: 0-1, how far to full and to white.
    strobe: flashes per second in the first two of those beats; 0 is none.
    """

    chance: float
    build: float
    beats: float
    depth: float
    strobe: float


@dataclass(frozen=True)
class Energy(Bounded):
    """Levels follow the dancer's energy.

    depth: 0-1 of the level, which a standing dancer takes away.
    """

    roles: tuple[str, ...]
    depth: float


@dataclass(frozen=True)
class Harmony(Bounded):
    """Colours move on in the palette as the harmony leaves home.

    depth: 0-1 of the way to the next colour.
    """

    roles: tuple[str, ...]
    depth: float


@dataclass(frozen=True)
class Behaviours:
    """What a look does; None is not done."""

    pulse: Pulse | None = None
    chase: Chase | None = None
    fade: Fade | None = None
    blackout: Blackout | None = None
    bloom: Bloom | None = None
    energy: Energy | None = None
    harmony: Harmony | None = None


@dataclass(frozen=True)
class Look(Bounded):
    """A look.

    name: by which it is asked for.
    title: for people.
    about: what it is for, in a sentence.
    palette: the colours of all roles but front and follow; the first is the home colour.
    white: the colour of front and follow.
    levels: role -> level 0-1 of the visual home, in the loudest section.
    contrast: 0-1 of the levels, which the quietest section loses.
    loudness: 0-1 of the levels, which quiet moments lose within a section.
    variation: degrees by which hues differ from show to show.
    move: sweeps per second of the beams in the loudest section.
    cues: of sections.
    behaviours: all others.
    costume: its material.
    backdrop: the cloth's material.
    """

    format: str
    name: str
    title: str
    about: str
    palette: tuple[Colour, ...]
    white: Colour
    levels: dict[str, float]
    contrast: float
    loudness: float
    variation: float
    move: float
    cues: Cues
    behaviours: Behaviours
    costume: Material
    backdrop: Material

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.format != FORMAT:
            raise FootlightError(f"format is {self.format!r}; expected {FORMAT!r}")
        if not self.name.strip():
            raise FootlightError("name is empty; expected a word")
        if not FEWEST_COLOURS <= len(self.palette) <= MOST_COLOURS:
            raise FootlightError(
                f"palette has {len(self.palette)} colours; expected {FEWEST_COLOURS} to {MOST_COLOURS}"
            )
        _known(self.levels)
        if missing := [role for role in ROLES if role not in self.levels]:
            raise FootlightError(f"levels lacks the role {missing[0]!r}; give 0 for one that is not used")
        for role, level in self.levels.items():
            _bounded(f"levels.{role}", level, 0.0, 1.0)


def look_from_json(values: Any, name: str) -> Look:
    """The look of JSON values. Raises FootlightError, which begins with ``name``, the file's."""
    try:
        return records.from_json(Look, values, "look")
    except FootlightError as error:
        raise FootlightError(f"{name}: {error}") from None


def read_look(path: Path | str) -> Look:
    """Read a look. Raises FootlightError, which names file and field, for any other file."""
    return look_from_json(records.read_values(path, MOST_BYTES, "look"), str(path))


def encoded_look(look: Look) -> bytes:
    """The bytes of a look's file, which a designer can edit. Behaviours that are not done are left out."""
    values = records.to_json(look)
    values["behaviours"] = {name: value for name, value in values["behaviours"].items() if value is not None}
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


def shipped_looks() -> dict[str, Look]:
    """The looks that come with Footlight, by name."""
    return {look.name: look for look in _shipped()}


@cache
def _shipped() -> tuple[Look, ...]:
    return tuple(read_look(path) for path in sorted(FOLDER.glob("*.json")))
