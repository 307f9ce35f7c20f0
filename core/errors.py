"""The one exception that is shown to people. It imports nothing, so that every program can raise and catch it."""

from __future__ import annotations


class FootlightError(Exception):
    """Bad input, said in words for the person who gave it: what was given, what was expected, what to do."""
