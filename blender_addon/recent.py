"""Songs that were chosen last, on this computer: kept in the extension's own folder, not in the .blend."""

from __future__ import annotations

import json
import os
from pathlib import Path

from . import environment

MOST = 10
"""So many are kept."""


def songs() -> list[Path]:
    """The songs that were chosen last, the last one first, without those whose files are gone."""
    return [path for path in _read() if os.path.isfile(path)]  # which raises nothing, unlike Path.is_file


def any_there() -> bool:
    """Whether ``songs`` has any: the panel asks whenever it is drawn, and one file that is there answers it."""
    return any(map(os.path.isfile, _read()))


def folder() -> Path | None:
    """The folder of the song that was chosen last, else the user's folder for music; None where there is neither."""
    places = (*(path.parent for path in _read()), Path.home() / "Music")
    return next((path for path in places if os.path.isdir(path)), None)


def remember(path: Path) -> None:
    """Put a song at the head of the list. What cannot be written is not remembered: it is a convenience."""
    path = path.absolute()
    kept = [path, *(other for other in _read() if other != path)][:MOST]
    try:
        _file().write_text(json.dumps([str(one) for one in kept]), encoding="utf-8")
    except OSError:
        return


def _file() -> Path:
    return environment.user_folder() / "recent_songs.json"


def _read() -> list[Path]:
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [Path(one) for one in found if isinstance(one, str)] if isinstance(found, list) else []
