"""What results are called."""

from __future__ import annotations

from collections.abc import Container

from .. import styles

LONGEST = 60
"""Bytes of a name: Blender 4.5 keeps 63, and some are for the number that makes one unique."""

SEPARATOR = " - "


def title(about: str, style: str | None, seed: int, taken: Container[str] = ()) -> str:
    """``Song - Salsa - seed 7``, or ``Song - Salsa - seed 7 (2)`` where that is taken.

    about: what it is for; it is shortened where the whole would be too long.
    style: as the engine is told it.
    """
    number = 1
    while True:
        rest = [styles.words(style)] if style else []
        again = f" ({number})" if number > 1 else ""
        ending = SEPARATOR.join(["", *rest, f"seed {seed}"]) + again
        name = _shortened(about, LONGEST - len(ending.encode())) + ending
        if name not in taken:
            return name
        number += 1


def _shortened(text: str, longest: int) -> str:
    """The text in at most so many bytes, but in no fewer than twelve."""
    longest = max(longest, 12)
    if len(text.encode()) <= longest:
        return text
    return text.encode()[: longest - 3].decode(errors="ignore").rstrip() + "..."
