"""Which look is meant: a name, a file of a look, or a reference picture."""

from __future__ import annotations

from pathlib import Path

from core.light.look import Look, read_look, shipped_looks
from core.protocol import named, no_look


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
