"""Progress of long operations. The function that works reports, the caller that waits listens.

Functions between the two pass nothing on. A long function reports how much of its own work is done. It does not know
which operation it is part of::

    with progress.part(0.15, 0.8, "Dancing"):
        for step, sample in enumerate(samples, 1):
            progress.report(step / steps)

Whoever started the operation listens. To cancel it, the listener raises an exception, which leaves the work at its next
report::

    with progress.listen(show, check):
        dance = generate_dance(model, song)

In a thread without a listener, a report does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

Show = Callable[[str, float], None]
"""Called with the name of the current step, for the user, and the fraction of the operation that is done (0-1)."""


GRAIN = 3  # decimals of a fraction that are shown; smaller changes are not passed on


class _Listener:
    """Passes on changes only. The fraction never falls, and nothing is passed on twice."""

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
    """The place of the current part in the whole operation, and the listener."""

    listener: _Listener
    start: float = 0.0
    length: float = 1.0
    stage: str = ""


_scope: ContextVar[_Scope | None] = ContextVar("progress", default=None)


def report(fraction: float | None = None) -> None:
    """Report that a fraction of the current part is done.

    Call it several times a second: an operation can be cancelled only here.

    fraction: 0-1; None reports only that work goes on.

    Raises whatever the listener raises. This is how an operation is cancelled.
    """
    scope = _scope.get()
    if scope is None:
        return
    scope.listener.check()
    if fraction is not None:
        scope.listener.hear(scope.stage, scope.start + scope.length * fraction)


@contextmanager
def part(start: float, end: float, stage: str = "") -> Iterator[None]:
    """Map the reports inside to the range from ``start`` to ``end`` of the enclosing part, and report the start.

    start: where this part begins, 0-1.
    end: where it ends, 0-1.
    stage: the name of this part, for the user. The name of an enclosing part takes precedence, because the caller knows
        better what the step is for.
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
    """Receive the reports of everything that runs inside, in this thread.

    show: called with (stage, fraction) when either has changed. The fraction never falls.
    check: called at every report. An exception that it raises ends the work.
    """
    token = _scope.set(_Scope(_Listener(show, check)))
    try:
        yield
    finally:
        _scope.reset(token)
