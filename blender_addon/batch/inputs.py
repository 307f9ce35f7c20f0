"""What a batch is made from: the files that folders and patterns mean, and what their results are called."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

_WILD = "*?"
"""What makes a name a pattern. The shells of Windows leave patterns to programs."""


def found(given: Iterable[Path], endings: Collection[str], out: Path) -> list[Path]:
    """The files that are meant, each once: of a folder those below it with one of these endings, of a pattern those
    that match. What is hidden, or lies in a folder ``out`` for results, is left out. A path that means nothing stays,
    and so does a link that leads nowhere.
    """
    files: dict[Path, None] = {}
    for path in given:
        if path.is_dir():
            files |= dict.fromkeys(_below(path, endings, out))
        elif set(path.name) & set(_WILD) and not path.exists():
            files |= dict.fromkeys(sorted(path.parent.glob(path.name)) or [path])
        else:
            files[path] = None
    return list(files)


def _below(folder: Path, endings: Collection[str], out: Path) -> list[Path]:
    def meant(path: Path) -> bool:
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        made = out != folder.absolute() and out in path.absolute().parents
        return path.suffix.lower() in endings and not path.is_dir() and not hidden and not made

    return sorted(path for path in folder.rglob("*") if meant(path))


def stems(files: Sequence[Path]) -> list[str]:
    """What the results of each file are called: as the file, and where several are called alike, or alike but for
    capitals, with their folders before, and with their endings behind where they lie in one folder."""
    alike = Counter(path.stem.casefold() for path in files)
    return [path.stem if alike[path.stem.casefold()] == 1 else _apart(path, files) for path in files]


def _apart(file: Path, files: Sequence[Path]) -> str:
    others = [path for path in files if path.stem.casefold() == file.stem.casefold()]
    beside = [path for path in others if path.absolute().parent == file.absolute().parent]
    ending = file.suffix.replace(".", "_") if len(beside) > 1 else ""
    return "_".join((*_folders(file, others), file.stem)) + ending


def _folders(file: Path, others: Sequence[Path]) -> tuple[str, ...]:
    """The folders of a file below the one that all others are in too; on Windows they may be on several drives."""
    parent = file.absolute().parent
    try:
        return parent.relative_to(os.path.commonpath([path.absolute().parent for path in others])).parts
    except ValueError:
        drive = re.sub(r"\W+", "_", parent.drive).strip("_")
        return (*filter(None, [drive]), *parent.parts[1:])
