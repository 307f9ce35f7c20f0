"""Writes files atomically, each whole or not at all, and of a group either all or none; and tells files apart."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from pathlib import Path

from .errors import FootlightError


def file_digest(path: Path | str) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to a temporary file beside ``path`` and rename it, so that a reader never sees half a file.

    An existing file stays as it is until the rename.

    Raises FootlightError when the folder cannot be written to or the disk is full. No temporary file is left behind.
    """
    write_together({path: data})


def write_together(files: dict[Path, bytes]) -> None:
    """Write several files atomically: all are written in full before the first is renamed.

    files: path -> contents.

    Raises FootlightError as ``write_atomically`` does.
    """
    written: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            try:
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                part = path.parent / f".{secrets.token_hex(8)}.part"
                with open(part, "xb") as file:
                    written[path] = part
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise _unwritable(path, error) from None
        for path, part in written.items():
            try:
                os.replace(part, path)
            except OSError as error:
                raise _unwritable(path, error) from None
    finally:
        for part in written.values():
            part.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> FootlightError:
    reason = error.strerror or error
    return FootlightError(f"{path}: cannot be written ({reason}); free space or choose another place")
