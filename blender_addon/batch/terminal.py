"""What people read while a batch runs."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PROGRESS_SECONDS = 10.0  # between two words of progress where nobody looks on


class Terminal:
    """What people read: lines, and progress that is overwritten; where nobody looks on, progress now and then.

    Blender's own many words, from Python or not, go into ``log`` meanwhile.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self._file = os.fdopen(os.dup(1), "w", buffering=1, errors="backslashreplace")  # any name of a file
        self._shown = ""
        self._next = time.monotonic() + PROGRESS_SECONDS

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Everything that is printed meanwhile goes to the log."""
        sys.stdout.flush()
        kept = os.dup(1), os.dup(2)
        with self.log.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            for number, descriptor in enumerate(kept, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)

    def progress(self, text: str) -> None:
        """What is going on. Called often."""
        if self._file.isatty():
            if text != self._shown:
                print(f"\r{text:<78.78}", end="\r", flush=True, file=self._file)
                self._shown = text
        elif time.monotonic() >= self._next:
            print(text, file=self._file)
            self._next = time.monotonic() + PROGRESS_SECONDS

    def say(self, text: str) -> None:
        """A line that stays."""
        print(f"\r{'':78s}\r{text}" if self._shown else text, file=self._file)
        self._shown = ""

    def tail(self) -> str:
        """The last words in the log."""
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.is_file() else []
        return " ".join(lines[-3:]) or "none"
