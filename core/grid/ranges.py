"""Parts of a song in words, as seconds and frames: "bars 17:20", "the third eight", "12.5:20".

    12.5:20              from second 12.5 to second 20
    bars 17:20, bar 17   from the beginning of bar 17 to the end of bar 20, or bar 17 alone
    eights 3:4, eight 3  the same with eights
    beats 5:8, beat 5    the same with beats, counted from the first downbeat
    the third eight      also "3rd eight", "the last bar"
    frames 375:600       from frame 375 to frame 600, where there is a frame rate; frame 375 alone

For ":" there may be "-" or "to". ``parse_all`` reads several parts, separated by commas.

``core.grid.counts`` says how they are counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..errors import FootlightError
from .beat_grid import Grid
from .counts import bar_starts, eight_starts

FORMS = 'expected seconds (12.5:20), "bars 17:20", "beats 5:8", "eights 3:4", "the third eight" or "frames 375:600"'

_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
]
_TO = r"\s*(?::|-|\u2013|to)\s*"
_NUMBERED = re.compile(rf"(bar|beat|eight)s?\s+(\d+)(?:{_TO}(\d+))?")
_ORDINAL = re.compile(rf"(?:the\s+)?(last|{'|'.join(_ORDINALS)}|(\d+)(?:st|nd|rd|th))\s+(bar|beat|eight)")
_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_SECONDS = re.compile(rf"{_NUMBER}\s*s?{_TO}{_NUMBER}\s*s?")
_FRAMES = re.compile(rf"frames?\s+(\d+)(?:{_TO}(\d+))?")
_LAST = -1


@dataclass(frozen=True)
class Span:
    """A part of a song, ``[start, end)`` in seconds."""

    start: float
    end: float

    def frames(self, fps: float) -> tuple[int, int]:
        """The first frame of the part and the first one after it, at ``fps`` frames per second from second 0 on."""
        return round(self.start * fps), round(self.end * fps)


def parse(text: str, grid: Grid | None = None, fps: float | None = None) -> Span:
    """The part of a song that a text names.

    text: see above.
    grid: its beats; seconds and frames can do without.
    fps: frames per second, of frames.

    Raises FootlightError for another text, an empty part, one that the song does not have, or counts without a grid.
    """
    told = " ".join(text.lower().split())
    frames = _FRAMES.fullmatch(told) if fps else None
    if found := frames or _SECONDS.fullmatch(told):
        rate = fps if frames and fps else 1.0
        span = Span(float(found[1]) / rate, (float(found[1]) + 1 if found[2] is None else float(found[2])) / rate)
        if not (math.isfinite(span.end) and span.start <= span.end):
            raise FootlightError(f"the part {text!r} ends before it begins; expected START:END")
        if span.start == span.end:
            raise FootlightError(f"the part {text!r} is empty: its end is not part of it")
        return span
    if found := _NUMBERED.fullmatch(told):
        unit, first = found[1], int(found[2])
        last = int(found[3]) if found[3] else first
    elif found := _ORDINAL.fullmatch(told):
        unit = found[3]
        first = last = _LAST if found[1] == "last" else int(found[2] or _ORDINALS.index(found[1]) + 1)
    else:
        raise FootlightError(f"unknown part of the song {text!r}; {FORMS}")
    if grid is None:
        raise FootlightError(
            f"{text!r} is counted in beats, and there are none; give the beats of the song, or seconds"
        )
    return _counted(text, unit, first, last, grid)


def parse_all(text: str, grid: Grid | None = None, fps: float | None = None) -> tuple[Span, ...]:
    """The parts of a song that a text names, separated by commas, as ``parse`` reads each. Raises FootlightError as it
    does."""
    return tuple(parse(part.strip(), grid, fps) for part in text.split(","))


def _counted(text: str, unit: str, first: int, last: int, grid: Grid) -> Span:
    starts = _starts(unit, grid)
    if first == _LAST:
        first = last = len(starts)
    if first < 1:
        raise FootlightError(f"the part {text!r} is not there: {unit}s are counted from 1")
    if first > last:
        raise FootlightError(f"the part {text!r} ends before it begins")
    if last > len(starts):
        raise FootlightError(f"the part {text!r} is not in the song, which has {len(starts)} {unit}s")
    return Span(_time(grid, starts, first - 1), _time(grid, starts, last))


def _starts(unit: str, grid: Grid) -> Sequence[int]:
    """The beats on which the units begin."""
    if unit == "beat":
        return range(bar_starts(grid)[0], len(grid.times))
    return bar_starts(grid) if unit == "bar" else eight_starts(grid)


def _time(grid: Grid, starts: Sequence[int], unit: int) -> float:
    """When a unit begins, seconds; after the last one, when that ends: it is as long as most are."""
    if unit < len(starts):
        return grid.times[starts[unit]]
    lengths = [after - before for before, after in pairwise(starts)] or [1]
    beat = starts[-1] + max(set(lengths), key=lengths.count)
    beyond = beat - (len(grid.times) - 1)
    return grid.times[beat] if beyond <= 0 else grid.times[-1] + beyond * (grid.times[-1] - grid.times[-2])
