"""Reads the text files that people write and hand to a request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.errors import FootlightError

T = TypeVar("T")


def read_document(path: Path | str, parse: Callable[[str], T], expected: str = "") -> T:
    """What ``parse`` makes of a file's text.

    path: the file, UTF-8.
    parse: raises FootlightError for a text that is not as it should be.
    expected: what the file should be, for people; empty where that is plain.

    Raises FootlightError, which names the file, if it cannot be read, and as ``parse`` does.
    """
    try:
        return parse(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        wanted = f"; expected {expected}" if expected else ""
        raise FootlightError(f"{path}: cannot be read ({why}){wanted}") from None
    except FootlightError as error:
        raise FootlightError(f"{path}: {error}") from None
