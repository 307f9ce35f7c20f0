"""How far a running job is, and how long it still takes: the engine's fractions, put right by what was learnt here.

A job has up to three parts: something is read in Blender, the engine starts and loads its model, the engine works. The
engine's fractions say which step it is at. How much of the time that is differs between computers, so a curve turns
them into shares of the working time. Between two words of the engine time goes on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from .timings import LOADED, Expected, Took, curve_through

EARLY = 0.08
"""The share of the work below which its own pace tells nothing."""


class Pace:
    """Follows one job.

    expected: how long its parts are likely to take.
    curve: shares of the working time at evenly spaced fractions.
    cold: whether the engine has to be started.
    clock: seconds.
    """

    def __init__(
        self, expected: Expected, curve: Sequence[float], cold: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._expected, self._curve, self._cold, self._clock = expected, tuple(curve), cold, clock
        self._begun = clock()
        self._preparing: tuple[float, float] | None = None  # when it was last heard of, and the fraction then
        self._prepared: float | None = None  # when the reading ended
        self._working: float | None = None  # when the work began
        self._heard: list[tuple[float, float]] = []  # fractions of the work, and when
        self._shown = 0.0

    def saw(self, fraction: float, preparing: bool = False) -> None:
        """The job has come to this fraction.

        preparing: of what is read in Blender before.
        """
        now = self._clock()
        if preparing:
            if self._preparing is None or fraction > self._preparing[1]:
                self._preparing = (now, fraction)
            return
        if self._prepared is None:
            self._prepared = now
        if self._working is None and (fraction >= LOADED or not self._cold):
            self._working = now
        if self._working is not None and (not self._heard or fraction > self._heard[-1][0]):
            self._heard.append((fraction, now))

    @property
    def left(self) -> float | None:
        """Seconds until the job is done; None where nothing can be said yet."""
        now, work = self._clock(), self._expected.work
        if self._working is None:
            ahead = [work]
            if self._prepared is None and (self._preparing or self._expected.prepare):
                ahead.append(self._reading_left(now))
            if self._cold:
                start = self._expected.start
                ahead.append(None if start is None else _waning(start, now - self._begun))
            return None if None in ahead else sum(part for part in ahead if part is not None)
        fraction, when = self._heard[-1]
        share, passed = share_at(self._curve, fraction), when - self._working
        total = work
        if share >= EARLY:
            seen = passed / share
            total = seen if work is None else (1 - share) * work + share * seen
        return None if total is None else _waning((1 - share) * total, now - when)

    @property
    def fraction(self) -> float:
        """How much of the whole time has passed, 0 to 1; it never falls."""
        passed, left = self._clock() - self._begun, self.left
        if left is None:
            found = share_at(self._curve, self._heard[-1][0]) if self._heard else 0.0
        else:
            found = passed / max(passed + left, 1e-6)
        self._shown = max(self._shown, min(found, 0.99))
        return self._shown

    def took(self) -> Took:
        """How long the parts took; asked for when the job is done."""
        now = self._clock()
        prepared = self._prepared or now
        working = self._working or now
        return Took(
            work=now - working,
            start=working - self._begun if self._cold else None,
            prepare=prepared - self._begun if self._preparing else None,
            curve=curve_through([(fraction, when - working) for fraction, when in self._heard], now - working),
        )

    def _reading_left(self, now: float) -> float | None:
        if self._preparing is None:
            return self._expected.prepare
        when, fraction = self._preparing
        if fraction < EARLY:
            return self._expected.prepare
        return _waning((when - self._begun) / fraction * (1 - fraction), now - when)


def share_at(curve: Sequence[float], fraction: float) -> float:
    """The share of the working time that has passed at a fraction of the engine's."""
    place = min(max((fraction - LOADED) / (1 - LOADED), 0.0), 1.0) * (len(curve) - 1)
    below = min(int(place), len(curve) - 2)
    return curve[below] + (place - below) * (curve[below + 1] - curve[below])


def _waning(seconds: float, passed: float) -> float:
    """What is left of ``seconds`` of which nothing was heard since: never none."""
    return seconds * math.exp(-passed / seconds) if seconds > 0 else 0.0


def per_cent(fraction: float) -> str:
    return f"{fraction:.0%}".replace("%", " %")


def about(seconds: float) -> str:
    """A time as one says it: "about 20 s", "about 3 min"."""
    if seconds < 4:
        return "a few seconds"
    if seconds < 10:
        return f"about {round(seconds)} s"
    if seconds < 90:
        return f"about {5 * round(seconds / 5)} s"
    if seconds < 600:
        halves = round(seconds / 30) / 2
        return f"about {halves:g} min"
    return f"about {round(seconds / 60)} min"
