"""Files that appear whole or not at all, and of several either all or none."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from core.errors import FootlightError


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside the target and rename, so that a reader never sees half a file; what was there stays until then.

    Raises FootlightError where the place cannot be written to or is full; nothing is left behind.
    """
    write_together({path: data})


def write_together(files: dict[Path, bytes]) -> None:
    """``write_atomically`` of several: all are written out before the first is renamed, so they come or fail as one."""
    written: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            try:
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
                written[path] = Path(name)
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(name, 0o644)
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
