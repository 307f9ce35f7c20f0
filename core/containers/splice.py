"""Parts of a file, read as if they were a file of their own."""

from __future__ import annotations

import bisect
import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .types import Piece


class Spliced(io.RawIOBase):
    """The pieces of a file, read-only and seekable. Nothing is copied.

    path: the file.
    pieces: as in ``core.containers.types.Stretch``.
    """

    def __init__(self, path: Path | str, pieces: Sequence[Piece]) -> None:
        super().__init__()
        self._pieces = [piece for piece in pieces if (len(piece) if isinstance(piece, bytes) else piece[1])]
        lengths = [len(piece) if isinstance(piece, bytes) else piece[1] for piece in self._pieces]
        self._starts = [0, *itertools.accumulate(lengths)]
        self._at = 0
        self._file = open(path, "rb")  # noqa: SIM115 - closed by close()

    def close(self) -> None:
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view, got = memoryview(buffer).cast("B"), 0
        while got < len(view) and self._at < self._starts[-1]:
            index = bisect.bisect_right(self._starts, self._at) - 1
            piece, inside = self._pieces[index], self._at - self._starts[index]
            count = min(len(view) - got, self._starts[index + 1] - self._at)
            if isinstance(piece, bytes):
                part = piece[inside : inside + count]
            else:
                self._file.seek(piece[0] + inside)
                part = self._file.read(count)
            if not part:  # the file has become shorter meanwhile
                break
            view[got : got + len(part)] = part
            got += len(part)
            self._at += len(part)
        return got
