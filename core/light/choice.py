"""Which look is meant: a name, a file of a look, or a reference picture."""

from __future__ import annotations

from pathlib import Path

from core.errors import FootlightError
from core.light.look import Look, read_look, shipped_looks


def look_of(asked: str) -> Look:
    """The look that is asked for.

    asked: the name of a shipped look, the path of a look (LOOK.json), or that of a picture (jpg, png, webp).

    Raises FootlightError for anything else.
    """
    looks = shipped_looks()
    if asked in looks:
        return looks[asked]
    path = Path(asked)
    if path.suffix.lower() == ".json":
        return read_look(path)
    if not path.is_file():
        raise FootlightError(
            f"unknown look {asked!r}: choose one of {', '.join(looks)}, or give a LOOK.json or a picture"
        )
    from core.light.picture import look_of_picture, read_picture  # Pillow takes a moment to import

    return look_of_picture(read_picture(path), looks)
