"""Names and sentences in a row, and what is left out of a message."""

from __future__ import annotations

import os
from collections.abc import Sequence

NAMES = 3
"""At most so many are told."""


def listed(names: Sequence[str], thing: str = "") -> str:
    """The first few names, and how many more there are.

    thing: what they are, in the plural.
    """
    rest = len(names) - NAMES
    more = f" and {rest} more {thing}".rstrip() if rest > 0 else ""
    return ", ".join(names[:NAMES]) + more


def joined(*sentences: str) -> str:
    """Sentences one after the other, without the empty ones."""
    return " ".join(sentence for sentence in sentences if sentence)


def without_folder(text: str, folder: str | os.PathLike[str]) -> str:
    """A message without a temporary folder's name before that of a file in it, which means nothing to the user."""
    return text.replace(f"{os.fspath(folder)}{os.sep}", "")
