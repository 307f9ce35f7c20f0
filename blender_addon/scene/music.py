"""Music that the engine made: kept beside the .blend, heard in the sequencer."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

import bpy

from ..errors import UserError
from ..names import PREFIX
from . import strips


def folder() -> Path:
    """Where music is kept: beside the .blend, or among the temporary files while it is not saved."""
    return Path(bpy.data.filepath).parent if bpy.data.filepath else temporary_folder()


def temporary_folder() -> Path:
    return Path(bpy.context.preferences.filepaths.temporary_directory or tempfile.gettempdir())


LOST = "Save your file now, or this music will be lost: it is in a temporary folder."


def may_be_lost(strip: bpy.types.Strip) -> bool:
    """Whether the music of a strip lies among the temporary files, and nowhere else."""
    sound = strip.sound
    if sound is None or sound.packed_file:
        return False
    return Path(bpy.path.abspath(sound.filepath)).parent.resolve() == temporary_folder().resolve()


def check_folder() -> None:
    """Raises UserError when no music could be kept."""
    try:
        with tempfile.TemporaryFile(dir=folder()) as file:
            file.write(b"\0")
    except OSError as error:
        raise _unwritable(error) from None


def warning() -> str:
    """What the user should know about the place where music is kept; empty when nothing is wrong with it."""
    return "" if bpy.data.filepath else LOST


def keep(made: Path, ending: str) -> Path:
    """Copy the file at ``made`` to where music is kept, whole or not at all, under a name that is free.

    ending: comes after the .blend's name.

    Raises UserError when it cannot be written.
    """
    place, stem = folder(), f"{Path(bpy.data.filepath).stem or 'untitled'}_{ending}"
    names = (f"{stem}{number}{made.suffix}" for number in itertools.chain([""], (f"_{i}" for i in itertools.count(2))))
    partial = place / f".{stem}.part"
    try:
        shutil.copyfile(made, partial)
        path = next(path for name in names if not (path := place / name).exists())
        return partial.rename(path)
    except OSError as error:
        raise _unwritable(error) from None
    finally:
        partial.unlink(missing_ok=True)


def add(scene: bpy.types.Scene, path: Path, frame: int, properties: dict) -> bpy.types.Strip:
    """Put the music at ``path`` into the sequencer of ``scene``, on a free channel from ``frame`` on.

    properties: custom properties of the strip.

    Raises UserError when it cannot be read; then nothing is changed.
    """
    strip = strips.add_song(scene, path, frame)
    for key, value in properties.items():
        strip[PREFIX + key] = value
    return strip


def add_copy(scene: bpy.types.Scene, made: Path, ending: str, frame: int, properties: dict) -> bpy.types.Strip:
    """As ``add``, with a copy of the music at ``made``.

    ending: as for ``keep``.

    Raises UserError when it cannot be written or read; then nothing is changed.
    """
    path = keep(made, ending)
    try:
        strip = add(scene, path, frame, properties)
    except UserError:
        path.unlink()
        raise
    if bpy.data.filepath:
        strip.sound.filepath = bpy.path.relpath(str(path))
    return strip


def remove(scene: bpy.types.Scene, strip: bpy.types.Strip) -> None:
    """Take back what ``add`` or ``add_copy`` did, the file too."""
    path = Path(bpy.path.abspath(strip.sound.filepath))
    strips.remove_song(scene, strip)
    path.unlink()


def _unwritable(error: OSError) -> UserError:
    return UserError(f"The music cannot be written to {folder()} ({error.strerror}). Save the .blend in another place.")
