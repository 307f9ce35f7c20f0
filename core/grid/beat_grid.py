"""A grid of beats and bars, and how it is put right.

Times are seconds. A bar begins on a downbeat, "the one". All functions return a new grid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..errors import FootlightError

CLOSEST = 0.1  # seconds between two beats; nobody counts faster
METRES = (2, 3, 4, 6)  # beats in a bar that are offered
USUAL_METRE = 4  # where no bars are known
UNSURE = 0.4  # confidence of tracked beats below which they are a guess (docs/decisions.md), and their bars too
LARGEST_METRE = 32
TINY = 1e-6  # seconds
ROUNDING = 1e-3  # seconds, of times that were written and read
SPAN = 8  # beats over which a tempo is measured
NEAR = 4  # intervals at an end by which a grid goes on


@dataclass(frozen=True)
class Grid:
    """Beats and bars.

    times: (n,) seconds, two or more, increasing by ``CLOSEST`` at least.
    downbeats: (n,) whether each beat begins a bar; none where bars are unknown.

    Creating one raises FootlightError for other values.
    """

    times: tuple[float, ...]
    downbeats: tuple[bool, ...]

    def __post_init__(self) -> None:
        times = np.array(self.times, dtype=float)
        if len(times) < 2:
            raise FootlightError(f"there are {len(times)} beats; expected two or more")
        if len(self.downbeats) != len(times):
            raise FootlightError(f"there are {len(times)} beats, but {len(self.downbeats)} say whether a bar begins")
        if not np.isfinite(times).all():
            raise FootlightError("the time of a beat is no finite number")
        close = np.flatnonzero(np.diff(times) < CLOSEST - ROUNDING)
        if len(close):
            first, second = times[close[0]], times[close[0] + 1]
            raise FootlightError(
                f"the beats at {first:g} s and {second:g} s; expected each {CLOSEST:g} s or more after the one before"
            )

    @classmethod
    def of(cls, times: Iterable[float], downbeats: Iterable[bool] | None = None) -> Grid:
        """The grid of any sequences. Without ``downbeats`` bars are unknown."""
        known = tuple(float(time) for time in times)
        return cls(known, (False,) * len(known) if downbeats is None else tuple(bool(one) for one in downbeats))

    @property
    def tempo(self) -> float:
        """Beats per minute."""
        return tempo_of(np.array(self.times))

    @property
    def starts(self) -> tuple[int, ...]:
        """Which beats begin a bar; the first beat alone where bars are unknown."""
        return tuple(np.flatnonzero(self.downbeats).tolist()) or (0,)

    @property
    def metre(self) -> int:
        """How many beats most bars have, of two the smaller number; 0 if unknown."""
        lengths = np.diff(self.starts)
        if len(lengths) == 0:
            return 0
        found, counts = np.unique(lengths, return_counts=True)
        return int(found[counts.argmax()])

    def nearest(self, time: float) -> int:
        """The beat that is nearest to a time, seconds."""
        return int(np.abs(np.array(self.times) - time).argmin())

    def shifted(self, seconds: float) -> Grid:
        """The same beats with times relative to an origin that is ``seconds`` later (negative: earlier)."""
        return replace(self, times=tuple(time - seconds for time in self.times))


def tempo_of(times: np.ndarray) -> float:
    """Tempo of beats (n,) in beats per minute: the median over spans of up to ``SPAN`` beats; 0 of fewer than two."""
    reach = min(SPAN, len(times) - 1)
    return float(60 * reach / np.median(times[reach:] - times[:-reach])) if reach > 0 else 0.0


def told_metre(metre: int, confidence: float | None) -> int:
    """The beats in a bar that people are told: 0, unknown, where the beats themselves are a guess.

    confidence: of tracked beats; None of others.
    """
    return 0 if confidence is not None and confidence < UNSURE else metre


def thinned(grid: Grid, step: int) -> Grid:
    """Every ``step``-th beat, counted from each downbeat on.

    Where ``step`` does not divide the bars, it is counted from the first downbeat on, and a bar begins where a downbeat
    is left.
    """
    index, starts = np.arange(len(grid.times)), np.array(grid.starts)
    if grid.metre % step:
        since = index - starts[0]
    else:
        since = index - starts[np.searchsorted(starts, index, side="right").clip(1) - 1]
    kept = since % step == 0
    return Grid.of(np.array(grid.times)[kept], np.array(grid.downbeats)[kept])


def halved(grid: Grid) -> Grid:
    """Half the tempo: every second beat, the ones among them. ``doubled`` gives the grid back where bars are even."""
    return thinned(grid, 2)


def doubled(grid: Grid) -> Grid:
    """Double the tempo: a beat in the middle between every two. The bars stay, with twice as many beats."""
    count = 2 * len(grid.times) - 1
    times = np.interp(np.arange(count) / 2, np.arange(len(grid.times)), grid.times)
    downbeats = np.zeros(count, bool)
    downbeats[::2] = grid.downbeats
    return Grid.of(times, downbeats)


def shifted_half(grid: Grid) -> Grid:
    """Half a beat later: the beats are in the middle between the old ones, and each downbeat half a beat after the old
    one. The beat before the first old one is there too."""
    times = np.array(grid.times)
    head, tail = np.diff(times)[[0, -1]] / 2
    middle = (times[1:] + times[:-1]) / 2
    return Grid.of([times[0] - head, *middle, times[-1] + tail], [False, *grid.downbeats])


def with_one(grid: Grid, beat: int) -> Grid:
    """The grid in which that beat begins a bar, and all bars begin as many beats later as it comes after its downbeat.

    beat: its number from 0.
    """
    assert 0 <= beat < len(grid.times)
    if not grid.metre:
        return with_metre(grid, USUAL_METRE, beat)
    starts = np.array(_bars_around(grid))
    later = int(beat - starts[starts <= beat][-1])
    return _with_starts(grid, starts + later)


def with_metre(grid: Grid, metre: int, beat: int | None = None) -> Grid:
    """The grid in bars of ``metre`` beats throughout.

    beat: one that begins a bar; None keeps the first downbeat where it is.
    """
    one = grid.starts[0] if beat is None else beat
    return _with_starts(grid, np.arange(one % metre, len(grid.times), metre))


def continued(grid: Grid, start: float, end: float) -> Grid:
    """The beats in ``[start, end)``, seconds, with those that the grid lacks there: at the spacing of its first or last
    beats, in bars of its metre."""
    before, after = beyond(np.array(grid.times), start, end)
    downbeats = [False] * len(before) + [*grid.downbeats] + [False] * len(after)
    longer = Grid.of([*before, *grid.times, *after], downbeats)
    if grid.metre:
        longer = _with_starts(longer, np.array(_bars_around(longer)))
    whole = np.array(longer.times)
    inside = (whole >= start - TINY) & (whole < end)
    return Grid.of(whole[inside], np.array(longer.downbeats)[inside])


def beyond(times: np.ndarray, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    """The beats that lie in ``[start, end)``, seconds, before and after beats (n,), at the spacing of the first and of
    the last ``NEAR`` intervals."""
    spacing = np.diff(times)
    head, tail = np.median(spacing[:NEAR]), np.median(spacing[-NEAR:])
    return np.arange(times[0] - head, start - TINY, -head)[::-1], np.arange(times[-1] + tail, end, tail)


def _bars_around(grid: Grid) -> list[int]:
    """Where bars begin, from before the first beat to after the last; bars at both ends are of the usual length."""
    starts, metre = [*grid.starts], grid.metre
    before = range(starts[0] - metre, -metre, -metre)
    return [*reversed(before), *starts, *range(starts[-1] + metre, len(grid.times), metre)]


def _with_starts(grid: Grid, starts: np.ndarray) -> Grid:
    downbeats = np.zeros(len(grid.times), bool)
    downbeats[starts[(starts >= 0) & (starts < len(downbeats))]] = True
    return replace(grid, downbeats=tuple(downbeats.tolist()))
