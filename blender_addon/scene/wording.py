"""Lists of names in sentences."""

from __future__ import annotations

from collections.abc import Sequence

NAMES = 3
"""At most so many are told."""


def listed(names: Sequence[str], thing: str = "") -> str:
    """The first few names, and how many more there are. thing: what they are, in the plural."""
    rest = len(names) - NAMES
    more = f" and {rest} more {thing}".rstrip() if rest > 0 else ""
    return ", ".join(names[:NAMES]) + more
