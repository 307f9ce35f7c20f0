"""The exception and the warning whose messages are shown to the user. Every program can import it: it needs nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class FootlightError(Exception):
    """Bad input. The message says what was given, what was expected and what to do."""


class FootlightWarning(UserWarning):
    """Input that was used, but not as it stood. The message says what was found, what was made of it and what to do."""


def one_line(text: str) -> str:
    """The text with its lines and runs of blanks joined by single blanks."""
    return " ".join(text.split())


def reason(error: BaseException) -> str:
    """Why a library failed, in one short line: the error's message, or its kind if it has none."""
    return one_line(str(error))[:120] or type(error).__name__


def warn(message: str) -> None:
    """Warn the user about the input of the work that is going on. A result with a warning is still a result."""
    warnings.warn(message, FootlightWarning, stacklevel=2)


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """The messages of all FootlightWarnings given inside, in order and each once, for whoever shows them.

    Other warnings are shown as before. As with ``warnings.catch_warnings``, only one thread may do so at a time.
    """
    messages: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", FootlightWarning)
        show = warnings.showwarning

        def collect(message: Warning | str, category: type[Warning], *place: Any) -> None:
            if not issubclass(category, FootlightWarning):
                show(message, category, *place)
            elif str(message) not in messages:
                messages.append(str(message))

        warnings.showwarning = collect
        yield messages
