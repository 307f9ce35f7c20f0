"""The styles in words, and how a choice of them is told to the engine."""

from __future__ import annotations

from .engine.pace import per_cent

LABELS = {
    "indian": "Indian Classical",
    "lock": "Locking",
    "waack": "Waacking",
    "la hip-hop": "LA-Style Hip-Hop",
}
"""What a style is called where its name alone is not understood."""


ABOUT = {
    "ballet jazz": "Jazz with ballet's arms: two steps a second, to a lively song two and a half",
    "breakdance": "Breaking: crouches and sweeps, hardly any floor work; two and a half steps a second and more",
    "freestyle": "Social dance. To a calm song it sways half of the time, to a lively one it steps once a second",
    "hip-hop": "Middle hip-hop, bouncing in the knees: two steps a second, to a lively song three",
    "house": "House, all footwork: nearly two steps a second to a calm song, nearly three to a lively one",
    "indian": "Indian classical dance: nearly two steps a second, to a lively song two and a half",
    "krump": "Krump: chest and arms, with feet that mostly stand; to a calm song they hardly step at all",
    "la hip-hop": "Hip-hop of Los Angeles, wide and low: two steps a second, to a lively song nearly three",
    "lock": "Locking: arms that stop on the beat, feet that stand more than half of the time",
    "modern": "Modern dance and ballet: one and a half steps a second to a calm song, two to a lively one",
    "pop": "Popping, and moves in Michael Jackson's manner: a step a second, to a lively song one and a half",
    "salsa": "Salsa without a partner: one small step a second to a calm song, two to a lively one",
    "street jazz": "Jazz of the street, deep in the knees: one to two steps a second",
    "waack": "Waacking, all arms: one and a half steps a second to a calm song, more than two to a lively one",
}
"""What a style is, and how much it moves, by the figures in docs/panel.md.

They are of dances of the shipped model to nine songs, 30 s and one seed of each: the second fewest and the second most
steps a second stand for a calm and for a lively song.
"""


def about(name: str) -> str:
    """What a style of the model is; empty where that is not known."""
    return ABOUT.get(name.lower(), "")


def label(name: str) -> str:
    """What a style of the model is called."""
    return LABELS.get(name.lower(), name.replace("_", " ").title())


def words(told: str) -> str:
    """``Salsa``, or ``70 % Salsa, 30 % Pop`` for ``salsa:0.7,pop:0.3``.

    told: as ``text`` returns it.
    """
    parts = [(name.strip(), share.strip()) for name, _, share in (part.partition(":") for part in told.split(","))]
    if len(parts) == 1 and not parts[0][1]:
        return label(parts[0][0])
    try:
        return ", ".join(f"{per_cent(float(share or 1))} {label(name)}" for name, share in parts)
    except ValueError:
        return told


def names(told: str) -> tuple[str, ...]:
    """The names of the styles in ``told``, as ``text`` returns it."""
    return tuple(part.partition(":")[0].strip() for part in told.split(",") if part.strip())


def text(first: str, second: str, share: float) -> str | None:
    """``salsa``, ``salsa:0.7,pop:0.3``, or None for the model's own choice.

    first, second: styles, empty where none is chosen.
    share: of the second, 0 to 1.
    """
    weights = {first: 1.0 - share, second: share} if second not in ("", first) else {first: 1.0}
    told = {name: round(weight, 3) for name, weight in weights.items() if round(weight, 3) > 0}
    if not first or not told:
        return None
    return next(iter(told)) if len(told) == 1 else ",".join(f"{name}:{weight:g}" for name, weight in told.items())
