"""BEATS.json: the beats of a song in a file that people can read, correct and hand back.

    {
      "format": "footlight-beats 1",
      "beats": [0.46, 0.96, 1.46, ...],       seconds from the beginning of the song, increasing
      "downbeats": [0.46, 2.46, ...],         those of the beats that begin a bar
      "metre": 4,                             beats in most bars
      "tempo": 120.0,                         beats per minute
      "sound_begins": 1.5                     seconds, of a film whose sound begins after its picture
    }

Only ``beats`` is needed. Without ``downbeats``, ``metre`` counts bars from the first beat on. Metre and tempo are told
for people: given with beats that say otherwise, they are an error. What ``python -m core beats`` prints is read too.

Not every program counts the seconds of a film from its picture: in Blender's sequencer its sound begins with its strip.
``sound_begins`` says on which clock the beats are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import records
from ..errors import FootlightError
from .beat_grid import LARGEST_METRE, Grid, with_metre

FORMAT = "footlight-beats 1"
DECIMALS = 4  # of a second
SAME = 0.005  # seconds by which a downbeat may miss its beat
TEMPO_TOLERANCE = 0.1  # share by which a told tempo may miss the beats'


@dataclass(frozen=True)
class _File:
    """The fields, as ``core.records`` reads them."""

    beats: tuple[float, ...]
    downbeats: tuple[float, ...] | None = None
    metre: int = 0
    tempo: float = 0.0
    sound_begins: float | None = None
    confidence: float | None = None
    warnings: tuple[str, ...] = ()
    format: str = FORMAT


def to_json(grid: Grid, sound_begins: float | None = None) -> str:
    """A text that ``from_json`` reads.

    sound_begins: the second at which the sound begins; None leaves it open.
    """
    times = [round(time, DECIMALS) for time in grid.times]
    fields = {
        "format": FORMAT,
        "beats": times,
        "downbeats": [time for time, one in zip(times, grid.downbeats, strict=True) if one],
        "metre": grid.metre,
        "tempo": round(grid.tempo, 3),
    }
    if sound_begins is not None:
        fields["sound_begins"] = round(sound_begins, DECIMALS)
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def from_json(text: str | bytes, sound_begins: Callable[[], float] | None = None) -> Grid:
    """The grid of a text of ``to_json``, or of one that was written by hand.

    sound_begins: gives the second at which the sound begins on the clock of whoever reads; asked only if the text says
        it of its own clock, and then the beats are moved.

    Raises FootlightError, saying what is wrong and where, for anything else.
    """
    file = records.from_text(_File, text, "beats", FORMAT, "beats as `core beats SONG --out` writes them")
    if any(time < 0 for time in file.beats):
        raise FootlightError(
            f"a beat is at {min(file.beats):g} s; expected seconds from the song's beginning, 0 or more"
        )
    grid = Grid.of(file.beats)
    grid = _with_bars(grid, file)
    _check_tempo(grid, file.tempo)
    if sound_begins is None or file.sound_begins is None:
        return grid
    return grid.shifted(file.sound_begins - sound_begins())


def _with_bars(grid: Grid, file: _File) -> Grid:
    if not 0 <= file.metre <= LARGEST_METRE:
        raise FootlightError(f"metre is {file.metre}; expected beats in a bar, 1 to {LARGEST_METRE}, or 0 if unknown")
    if file.downbeats is None:
        return with_metre(grid, file.metre) if file.metre else grid
    times = np.array(grid.times)
    downbeats = np.zeros(len(times), bool)
    for time in file.downbeats:
        beat = grid.nearest(time)
        if not abs(times[beat] - time) <= SAME:
            raise FootlightError(
                f"the downbeat at {time:g} s is none of the beats; the nearest is at {times[beat]:g} s"
            )
        downbeats[beat] = True
    grid = Grid.of(times, downbeats)
    if file.metre and grid.metre and file.metre != grid.metre:
        raise FootlightError(
            f"metre is {file.metre}, but most bars between the downbeats have {grid.metre} beats; correct one of them, "
            "or leave the downbeats out and they are counted from the first beat on"
        )
    return grid


def _check_tempo(grid: Grid, tempo: float) -> None:
    if tempo and not abs(tempo - grid.tempo) <= TEMPO_TOLERANCE * grid.tempo:
        raise FootlightError(
            f"tempo is {tempo:g}, but the beats come at {grid.tempo:.1f} a minute; correct one of them, "
            "or leave the tempo out"
        )
