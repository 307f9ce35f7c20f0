"""Progress of long operations: who works reports, who waits listens, and nobody between them passes anything on.

A long function says how much of itself is done, and knows nothing of the operation that it is a part of::

    with progress.part(0.15, 0.8, "Dancing"):
        for step, sample in enumerate(samples, 1):
            progress.report(step / steps)

Whoever started the operation listens. To cancel it, the listener raises; the exception leaves the work at its next
report, as any other does::

    with progress.listen(show, check):
        dance = generate_dance(model, song)

A thread that does not listen is not disturbed: a report without a listener does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

Show = Callable[[str, float], None]
"""Takes the name of what is going on, for a person, and the share of the whole operation that is done (0-1)."""


GRAIN = 3
"""Decimals of a fraction that are shown: finer steps are not worth a word."""


class _Listener:
    """Passes on what is new: a bar never goes back, and nothing is said twice."""

    def __init__(self, show: Show, check: Callable[[], None]) -> None:
        self.check = check
        self._show = show
        self._shown = ("", -1.0)

    def hear(self, stage: str, fraction: float) -> None:
        shown = stage, max(self._shown[1], round(fraction, GRAIN))
        if shown != self._shown:
            self._shown = shown
            self._show(*shown)


@dataclass(frozen=True)
class _Scope:
    """Where in the whole operation the present part lies, and who listens."""

    listener: _Listener
    start: float = 0.0
    length: float = 1.0
    stage: str = ""


_scope: ContextVar[_Scope | None] = ContextVar("progress", default=None)


def report(fraction: float | None = None) -> None:
    """Say that ``fraction`` (0-1) of the present part is done; None says only that work goes on.

    Raises whatever the listener raises, which is how an operation is cancelled. Call it so often that nobody waits
    for longer than a fraction of a second.
    """
    scope = _scope.get()
    if scope is None:
        return
    scope.listener.check()
    if fraction is not None:
        scope.listener.hear(scope.stage, scope.start + scope.length * fraction)


@contextmanager
def part(start: float, end: float, stage: str = "") -> Iterator[None]:
    """Reports inside count from ``start`` to ``end`` (0-1) of the part around this one, and its beginning is reported.

    stage: what is going on, for a person. Where the part around has a name, that one stays: the caller knows better
    what a step means in what it does.
    """
    scope = _scope.get()
    if scope is None:
        yield
        return
    inner = replace(
        scope,
        start=scope.start + scope.length * start,
        length=scope.length * (end - start),
        stage=scope.stage or stage,
    )
    token = _scope.set(inner)
    try:
        report(0.0)
        yield
    finally:
        _scope.reset(token)


@contextmanager
def listen(show: Show, check: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hear the reports of everything inside, in this thread.

    show: called with (stage, fraction) when one of them has changed; the fraction never falls.  check: called at every
    report; what it raises ends the work.
    """
    token = _scope.set(_Scope(_Listener(show, check)))
    try:
        yield
    finally:
        _scope.reset(token)
