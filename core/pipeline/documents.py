"""Reads the text files that people write and hand to a request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.errors import FootlightError

T = TypeVar("T")


def read_document(path: Path | str, parse: Callable[[bytes], T], expected: str = "") -> T:
    """What ``parse`` makes of a file.

    parse: takes the bytes of the file; raises FootlightError if they are not as they should be.
    expected: what the file should be, for people; empty where that is plain.

    Raises FootlightError, which names the file, if it cannot be read, and as ``parse`` does.
    """
    try:
        return parse(Path(path).read_bytes())
    except OSError as error:
        wanted = f"; expected {expected}" if expected else ""
        raise FootlightError(f"{path}: cannot be read ({error.strerror}){wanted}") from None
    except FootlightError as error:
        raise FootlightError(f"{path}: {error}") from None
