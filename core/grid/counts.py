"""Bars and eights, as musicians and dancers count them.

Both are numbered from 1, and the first begins on the first downbeat; what comes before is bar 0 and eight 0. An eight
is eight beats, in whole bars: two bars of four, four of two. In three and six it is six beats. Other bars count two to
an eight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .beat_grid import USUAL_METRE, Grid

BARS_IN_EIGHT = {2: 4, 3: 2, 4: 2, 6: 1, 8: 1}


@dataclass(frozen=True)
class Count:
    """How a beat is counted.

    bar: its bar.
    beat: in the bar, from 1.
    eight: its eight.
    count: in the eight, from 1.
    """

    bar: int
    beat: int
    eight: int
    count: int


def counts(grid: Grid) -> list[Count]:
    """How each beat (n,) is counted. Where bars are unknown, they have four beats from the first on."""
    bars, eights = bar_starts(grid), eight_starts(grid)
    pickup = bars[0]
    in_bar = grid.metre or USUAL_METRE
    in_eight = in_bar * _bars_in_eight(grid)
    found = [
        Count(0, (i - pickup) % in_bar + 1, 0, (i - pickup) % in_eight + 1)
        for i in range(pickup)
    ]  # fmt: skip
    for i in range(pickup, len(grid.times)):
        bar = int(np.searchsorted(bars, i, side="right"))
        eight = int(np.searchsorted(eights, i, side="right"))
        found.append(Count(bar, i - bars[bar - 1] + 1, eight, i - eights[eight - 1] + 1))
    return found


def bar_starts(grid: Grid) -> Sequence[int]:
    """The beats that begin a bar; where bars are unknown, every fourth."""
    return grid.starts if grid.metre else range(grid.starts[0], len(grid.times), USUAL_METRE)


def eight_starts(grid: Grid) -> Sequence[int]:
    """The beats that begin an eight."""
    return bar_starts(grid)[:: _bars_in_eight(grid)]


def _bars_in_eight(grid: Grid) -> int:
    return BARS_IN_EIGHT.get(grid.metre or USUAL_METRE, 2)
