"""The styles in words, and how a choice of them is told to the engine."""

from __future__ import annotations

LABELS = {"indian": "Indian Classical"}
"""What a style is called where its name alone is not understood."""


ABOUT = {
    "breakdance": "Breaking. Its top rock steps a lot; there is little floor work",
    "freestyle": "Social dance without fixed steps",
    "indian": "Indian classical dance",
    "modern": "Modern dance and ballet",
    "pop": "Moves in Michael Jackson's manner",
    "salsa": "Salsa, danced alone",
}
"""What a style is, and how much it moves."""


def about(name: str) -> str:
    """What a style of the model is; empty where that is not known."""
    return ABOUT.get(name, "")


def label(name: str) -> str:
    """What a style of the model is called."""
    return LABELS.get(name, name.replace("_", " ").title())


def words(told: str) -> str:
    """``Salsa``, or ``70 % Salsa, 30 % Pop`` for ``salsa:0.7,pop:0.3``. told: as ``text`` returns it."""
    parts = [(name.strip(), share.strip()) for name, _, share in (part.partition(":") for part in told.split(","))]
    if len(parts) == 1 and not parts[0][1]:
        return label(parts[0][0])
    try:
        return ", ".join(f"{float(share or 1):.0%}".replace("%", " %") + f" {label(name)}" for name, share in parts)
    except ValueError:
        return told


def text(first: str, second: str, share: float) -> str | None:
    """``salsa``, ``salsa:0.7,pop:0.3``, or None for the model's own choice.

    first, second: styles, empty where none is chosen.  share: of the second, 0 to 1.
    """
    weights = {first: 1.0 - share, second: share} if second not in ("", first) else {first: 1.0}
    told = {name: round(weight, 3) for name, weight in weights.items() if round(weight, 3) > 0}
    if not first or not told:
        return None
    return next(iter(told)) if len(told) == 1 else ",".join(f"{name}:{weight:g}" for name, weight in told.items())
