"""The song's form: which sections follow each other, in blocks of four bars. Times are beats."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import NamedTuple

BEATS_PER_BAR = 4
BLOCK_BARS = 4
BLOCK_BEATS = BEATS_PER_BAR * BLOCK_BARS
ENERGY = {"intro": 0.35, "verse": 0.6, "lift": 0.75, "chorus": 1.0, "break": 0.3, "outro": 0.5}
_CYCLE = ("verse", "verse", "lift", "chorus", "chorus")  # a longer song has more of these before the break
_FORM = ("intro", *_CYCLE, "verse", "verse", "break", "break", "chorus", "chorus", "chorus", "outro")
# What a shorter song leaves out, in this order. Of several blocks with the name, the last one goes.
_SPARED = (
    *("chorus", "verse", "break", "verse", "chorus", "lift"),
    *("verse", "break", "chorus", "verse", "chorus", "intro", "outro"),
)


class Block(NamedTuple):
    """Four bars.

    at: their first beat.
    turn: its place in a run of equal blocks.
    round: the number of that run.
    last: whether it ends the run.
    follows: the next block's name.
    """

    name: str
    at: int
    turn: int
    round: int
    last: bool
    follows: str


@dataclass(frozen=True)
class Section:
    """A stretch of one character.

    start, end: beats.
    energy: 0 to 1.
    """

    name: str
    start: float
    end: float
    energy: float


def form_of(blocks: int) -> list[str]:
    """The names of so many four-bar blocks, 1 or more. The whole form has fourteen."""
    names: list[str] = list(_FORM)
    while len(names) < blocks:
        at = names.index("break")
        names[at:at] = _CYCLE
    for spared in cycle(_SPARED):
        if len(names) <= blocks:
            break
        if spared in names:
            del names[len(names) - 1 - names[::-1].index(spared)]
    return names


def plan(names: Sequence[str]) -> list[Block]:
    """A song of four-bar blocks of these names, each a key of ``ENERGY``."""
    planned, rounds, turn = [], defaultdict(int), 0
    for index, name in enumerate(names):
        turn = turn + 1 if index and names[index - 1] == name else 0
        rounds[name] += turn == 0
        follows = names[index + 1] if index + 1 < len(names) else ""
        planned.append(Block(name, index * BLOCK_BEATS, turn, rounds[name] - 1, follows != name, follows))
    return planned


def sections(blocks: Sequence[Block], beats: float) -> tuple[Section, ...]:
    """The runs of equal blocks, up to the song's end.

    beats: the song's length.
    """
    found: list[Section] = []
    for block in blocks:
        end = min(float(block.at + BLOCK_BEATS), beats)
        start = found.pop().start if block.turn else float(block.at)
        found.append(Section(block.name, start, end, ENERGY[block.name]))
    return tuple(found)
