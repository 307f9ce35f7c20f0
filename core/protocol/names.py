"""Names of styles and looks, however people write them."""

from __future__ import annotations

from collections.abc import Iterable


def letters(name: str) -> str:
    """What tells names apart: their letters and digits. Capitals, blanks and hyphens do not count."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def named(asked: str, known: Iterable[str]) -> str | None:
    """The name among ``known`` that is asked for: that very one, or else the first one with the same letters ("Hip Hop"
    for "hip-hop"). None where there is none.
    """
    known = tuple(known)
    if asked in known:
        return asked
    return next((name for name in known if letters(asked) and letters(name) == letters(asked)), None)
