"""What a frame of a show contains: named slices of channels.

A *role* is a group of lamps with one task: ``front`` makes faces visible, ``side`` models bodies, ``back`` draws their
outlines, ``top`` colours the floor, ``follow`` is the spot on the dancer, and ``backdrop`` lights the cloth behind. A
role has a colour, a level, and a distribution over the stage. A *surface* is what light falls on: the costume, and the
cloth of the backdrop.
"""

from __future__ import annotations

from ..errors import FootlightError

SHOW_FPS = 15.625  # frames per second: the clock of the default model's latents
ROLES = ("front", "side", "back", "top", "follow", "backdrop")
SURFACES = ("costume", "backdrop")
PATTERNS = ("plain", "stripes", "dots", "sparkle")  # how a surface's two colours are laid out
FASTEST_STROBE = 2.5  # Hz; of 3 Hz, four flashes can begin within a second
FASTEST_MOVE = 2.0  # Hz

HUE = "cos and sin of the hue, a unit vector; red is (1, 0), green 120 degrees, blue 240"
SHARE = "0-1"


def _colour(name: str) -> tuple[tuple[str, int, str], ...]:
    return ((f"{name}_hue", 2, HUE), (f"{name}_saturation", 1, SHARE))


def _role(name: str) -> tuple[tuple[str, int, str], ...]:
    return (
        *_colour(name),
        (f"{name}_level", 1, "0-1 of full, linear in light"),
        (f"{name}_across", 1, "where it is brightest: -1 the audience's left, 1 its right"),
        (f"{name}_spread", 1, "0 a narrow patch, 1 even over the stage's width"),
    )


def _surface(name: str) -> tuple[tuple[str, int, str], ...]:
    return (
        *_colour(f"{name}_base"),
        (f"{name}_base_value", 1, SHARE),
        *_colour(f"{name}_accent"),
        (f"{name}_accent_value", 1, SHARE),
        (f"{name}_roughness", 1, "0 a mirror, 1 matt"),
        (f"{name}_pattern", len(PATTERNS), f"weights of {', '.join(PATTERNS)}, which add up to 1"),
        (f"{name}_glow", 1, "0-1, light of its own"),
    )


PARTS: tuple[tuple[str, int, str], ...] = (
    *(part for role in ROLES for part in _role(role)),
    *(part for surface in SURFACES for part in _surface(surface)),
    ("strobe", 1, f"flashes per second of all roles together, 0-{FASTEST_STROBE:g}; 0 is none"),
    ("move", 1, f"sweeps per second of the beams, 0-{FASTEST_MOVE:g}"),
)
"""(name, width, unit) of each slice of channels, in order."""


def _slices() -> dict[str, slice]:
    found, start = {}, 0
    for name, width, _ in PARTS:
        found[name] = slice(start, start + width)
        start += width
    return found


SLICES = _slices()
"""The channels of each part."""

CHANNELS = sum(width for _, width, _ in PARTS)
HUES = tuple(name for name, _, _ in PARTS if name.endswith("_hue"))
MIXTURES = tuple(name for name, _, _ in PARTS if name.endswith("_pattern"))

KINDS = (*ROLES, "costume", "strobe", "move")
"""What can be chosen by name: lamps with their cloth, the costume, and rates."""


def channels_of(text: str) -> list[int]:
    """The channels of chosen ``KINDS``, of which a text has the names, separated by commas.

    Raises FootlightError for another name.
    """
    found: set[int] = set()
    for word in text.lower().split(","):
        name = word.strip()
        if name not in KINDS:
            raise FootlightError(f"unknown part of the light {name!r}: choose among {', '.join(KINDS)}")
        for part, place in SLICES.items():
            if part == name or part.startswith(f"{name}_"):
                found |= set(range(place.start, place.stop))
    return sorted(found)


BOUNDS: dict[str, tuple[float, float]] = {
    **{name: (0.0, 1.0) for name, _, _ in PARTS},
    **dict.fromkeys((*HUES, *(f"{role}_across" for role in ROLES)), (-1.0, 1.0)),
    "strobe": (0.0, FASTEST_STROBE),
    "move": (0.0, FASTEST_MOVE),
}
"""The least and the largest value of each part."""
