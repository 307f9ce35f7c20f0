"""The one exception whose message is shown to the user. It imports nothing, so every program can raise and catch it."""

from __future__ import annotations


class FootlightError(Exception):
    """Bad input. The message says what was given, what was expected and what to do."""
