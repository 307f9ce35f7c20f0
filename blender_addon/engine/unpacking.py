"""Wheels, unpacked into an environment: no program is needed for that, and no network.

pip would do the same, and on Windows stumbles: PyTorch has licence texts whose paths are longer than Windows allows in
the folder where an extension keeps its files, unless a path is written in the long form that ``places.long`` gives.
"""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from . import places
from .telling import InstallError, Telling

DAMAGED = "A download was damaged on its way. Try again; if it happens again, a proxy or virus scanner changes it."

UNWANTED = ("torch/include/",)
"""What is needed to compile against PyTorch: ten thousand files."""


def unpack(wheels: Sequence[Path], folder: Path, told: Telling) -> None:
    """Unpack packages into ``folder``, where a Python looks for them. Raises InstallError for a damaged file, OSError
    when it cannot be written."""
    folder = places.long(folder)
    try:
        contents = [(wheel, _entries(wheel)) for wheel in wheels]
        whole, done = sum(entry.file_size for _, entries in contents for entry in entries), 0
        for wheel, entries in contents:
            with zipfile.ZipFile(wheel) as archive:
                for entry in entries:
                    _write(archive, entry, folder)
                    done += entry.file_size
                    told.installing(done, whole)
    except (zipfile.BadZipFile, EOFError) as error:
        raise InstallError(DAMAGED) from error


def _entries(wheel: Path) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(wheel) as archive:
        return [entry for entry in archive.infolist() if _place(entry.filename)]


def _place(name: str) -> tuple[str, ...]:
    """Where a file of a wheel belongs, below the folder of the packages; nothing for what is not wanted: programs,
    manual pages and headers."""
    if found := re.match(r"[^/]+\.data/([^/]+)/", name):
        if found[1] not in ("purelib", "platlib"):
            return ()
        name = name[found.end() :]
    if not name or name.endswith("/") or name.startswith(UNWANTED):
        return ()
    parts = tuple(name.split("/"))
    if ".." in parts or any("\\" in part or ":" in part for part in parts) or not parts[0]:
        raise InstallError(DAMAGED)
    return parts


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    target = os.path.join(folder, *_place(entry.filename))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with archive.open(entry) as source, open(target, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    if entry.external_attr >> 16 & 0o111:
        os.chmod(target, 0o755)
