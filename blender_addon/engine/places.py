"""Where an installed engine lies, what is known of it, and how it is replaced without ever being lost.

Everything is in one folder, which the add-on chooses. A new engine is built beside the one that works and takes its
place only when it is whole:

    engine/             the engine that is used
    engine.new/         one that is being made, or whose making was broken off
    engine.old/         the former one, for the moment of the exchange
    engine.downloads/   what was downloaded so far, so that another try need not begin again

Standard library alone: the installer uses this in a Python that has nothing installed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO

COMPLETE = "footlight-engine.json"
"""Written last, into the environment's folder: without it an installation was broken off."""

BIN = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
"""The Python of a virtual environment, below its folder."""

PATIENCE = 10.0
"""Seconds in which a folder that another program looks into, a virus scanner say, is moved again and again."""

WORTHWHILE = 500_000
"""Bytes of downloads that are kept for another try."""


@dataclass(frozen=True)
class Record:
    """What is written into a whole engine.

    python: its version.
    packages: their versions, by name.
    size: bytes on the disk.
    addon: the version of the add-on that installed it.
    """

    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    addon: str = ""


@dataclass(frozen=True)
class Places:
    """The engine's folders, in ``folder``."""

    folder: Path

    @property
    def engine(self) -> Path:
        return self.folder / "engine"

    @property
    def new(self) -> Path:
        return self.folder / "engine.new"

    @property
    def old(self) -> Path:
        return self.folder / "engine.old"

    @property
    def downloads(self) -> Path:
        return self.folder / "engine.downloads"


def read_record(engine: Path) -> Record | None:
    """What an engine's folder says of itself, or None where there is no whole engine."""
    try:
        found = json.loads((engine / COMPLETE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    known = {item.name for item in fields(Record)}
    record = Record(**{name: value for name, value in found.items() if name in known})
    return record if isinstance(record.packages, dict) else Record(python=record.python)


def write_record(engine: Path, record: Record) -> None:
    """Raises OSError."""
    part = engine / f"{COMPLETE}.part"
    part.write_text(json.dumps(asdict(record), indent=1), "utf-8")
    os.replace(part, engine / COMPLETE)


def swap(places: Places) -> None:
    """The new engine takes the place of the old one. Raises OSError, and the old one is then where it was."""
    _delete(places.old)
    if places.engine.exists():
        _move(places.engine, places.old)
    try:
        _move(places.new, places.engine)
    except OSError:
        if places.old.exists():
            _move(places.old, places.engine)
        raise
    _delete(places.old)


def recover(places: Places) -> None:
    """Finish an exchange that was broken off: by a power cut, say. An engine that is whole is always kept."""
    if read_record(places.engine) is None:
        if read_record(places.new) is not None:
            _delete(places.engine)
            _move(places.new, places.engine)
        elif read_record(places.old) is not None:
            _delete(places.engine)
            _move(places.old, places.engine)
    if read_record(places.engine) is not None:
        _delete(places.old)


@contextlib.contextmanager
def alone(places: Places) -> Iterator[bool]:
    """Whether nobody else installs at this moment, in another Blender say; and nobody begins to while this lasts. The
    lock goes with the process that has it."""
    places.folder.mkdir(parents=True, exist_ok=True)
    with open(places.folder / "engine.lock", "wb") as file:
        try:
            _lock(file)
        except OSError:
            yield False
        else:
            yield True


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def tidy(places: Places) -> None:
    """After an installation that failed: what is of no use to the next one goes."""
    with alone(places) as nobody_installs:
        if nobody_installs:
            recover(places)
            _delete(places.new)
            for name in ("tmp", "pip", "packages"):
                _delete(places.downloads / name)
            if read_record(places.engine) is not None or size_on_disk(places.downloads) < WORTHWHILE:
                _delete(places.downloads)


def unfinished(places: Places) -> bool:
    """Whether an installation was begun and not finished."""
    return (
        places.new.exists()
        or places.downloads.exists()
        or (places.engine.exists() and read_record(places.engine) is None)
    )


def remove(places: Places) -> None:
    """Take away everything that was installed. Raises OSError when something is in use."""
    for folder in (places.engine, places.new, places.old, places.downloads):
        if folder.exists():
            # First of all: half an engine must never look like a whole one.
            (folder / COMPLETE).unlink(missing_ok=True)
            shutil.rmtree(long(folder))


def size_on_disk(folder: Path) -> int:
    """Bytes of all files below ``folder``; a link counts for nothing."""
    total = 0
    for here, _folders, files in os.walk(long(folder)):
        for name in files:
            try:
                found = os.lstat(os.path.join(here, name))
            except OSError:
                continue
            total += found.st_size
    return total


def _move(source: Path, target: Path) -> None:
    """Rename a folder, again for a while where somebody else has it open. Raises OSError."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            source.rename(target)
            return
        except PermissionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def _delete(folder: Path) -> None:
    shutil.rmtree(long(folder), ignore_errors=True)


def long(path: Path) -> Path:
    """A path in the form in which Windows takes more than 260 letters; elsewhere as it is."""
    if sys.platform != "win32" or str(path).startswith("\\\\?\\"):
        return path
    full = os.path.abspath(path)
    return Path("\\\\?\\UNC" + full[1:] if full.startswith("\\\\") else "\\\\?\\" + full)
