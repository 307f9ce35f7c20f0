"""What results are called."""

from __future__ import annotations

from collections.abc import Container

from .. import styles

LONGEST = 60
"""Bytes of a name: Blender 4.5 keeps 63, and some are for the number that makes one unique."""

SHORTEST = 12
"""Bytes of what it is for."""

SEPARATOR = " - "


def title(about: str, style: str | None, seed: int, taken: Container[str] = (), edited: str = "") -> str:
    """``Song - Salsa - seed 7``, or ``Song - Salsa - seed 7 (2)`` where that is taken.

    about: what it is for; it is shortened where the whole would be too long.
    style: as the engine is told it.
    edited: which part was made anew, which stands before the style: ``Song - 0:12-0:20 arms - Salsa - seed 7``. A style
        for which there is no room is left out then.
    """
    number = 1
    while True:
        again = f" ({number})" if number > 1 else ""
        ending = SEPARATOR.join(["", *filter(None, (edited, style and styles.words(style))), f"seed {seed}"]) + again
        if edited and len(ending.encode()) > LONGEST - SHORTEST:
            ending = SEPARATOR.join(["", edited, f"seed {seed}"]) + again
        name = _shortened(about, LONGEST - len(ending.encode())) + ending
        if name not in taken:
            return name
        number += 1


def _shortened(text: str, longest: int) -> str:
    """The text in at most so many bytes, but in no fewer than ``SHORTEST``."""
    longest = max(longest, SHORTEST)
    if len(text.encode()) <= longest:
        return text
    return text.encode()[: longest - 3].decode(errors="ignore").rstrip() + "..."
