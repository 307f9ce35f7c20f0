"""Names of styles and looks, however people write them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import FootlightError

_LOOK_FILES = "give a picture (jpg, png or webp) or a LOOK.json"


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


def no_look(asked: str, names: str) -> FootlightError:
    """What is wrong with an asked look that is no name and no file.

    names: the words that name the looks that there are.
    """
    path = Path(asked)
    if asked and path.is_dir():
        return FootlightError(f"{asked}: is a folder; {_LOOK_FILES}")
    if path.suffix or path.name != asked:
        return FootlightError(f"{asked}: there is no such file; {_LOOK_FILES}, or the name of a look (`core looks`)")
    return FootlightError(f"unknown look {asked!r}: {names}; or {_LOOK_FILES}")
