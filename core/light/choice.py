"""Which look is meant: a name, a file of a look, or a reference picture."""

from __future__ import annotations

from pathlib import Path

from core.errors import FootlightError
from core.light.look import Look, read_look, shipped_looks
from core.protocol import named

_FILES = "give a picture (jpg, png or webp) or a LOOK.json"


def look_of(asked: str) -> Look:
    """The look that is asked for.

    asked: the name of a shipped look, however it is written, the path of a look (LOOK.json), or that of a picture (jpg,
        png, webp).

    Raises FootlightError for anything else.
    """
    looks = shipped_looks()
    if (name := named(asked, looks)) is not None:
        return looks[name]
    path = Path(asked)
    if path.suffix.lower() == ".json":
        return read_look(path)
    if not path.is_file():
        raise no_look(asked, f"choose one of {', '.join(looks)}")
    from core.light.picture import look_of_picture, read_picture  # Pillow takes a moment to import

    return look_of_picture(read_picture(path), looks)


def no_look(asked: str, names: str) -> FootlightError:
    """What is wrong with an asked look that is no name and no file.

    names: the words that name the looks that there are.
    """
    path = Path(asked)
    if asked and path.is_dir():
        return FootlightError(f"{asked}: is a folder; {_FILES}")
    if path.suffix or path.name != asked:
        return FootlightError(f"{asked}: there is no such file; {_FILES}, or the name of a look (`core looks`)")
    return FootlightError(f"unknown look {asked!r}: {names}; or {_FILES}")
