"""The beats of a song: tracked, or given in a BEATS.json by somebody who knows better."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from core.audio.beat_tracking import track_beats, warn_if_unsure
from core.audio.decoding import begins
from core.errors import FootlightError
from core.grid import beats_file, ranges
from core.grid.beat_grid import Grid
from core.pipeline.documents import read_document
from core.protocol import CountedSong, ScoreRequest
from core.types import Beats, Waveform


def beats_of(song: Waveform) -> Beats:
    """Track the beats of a song. Warns the user when they are a guess."""
    beats = track_beats(song)
    warn_if_unsure(beats)
    return beats


def grid_of(beats: Beats) -> Grid:
    """Beats as a grid. Raises FootlightError for fewer than two."""
    return Grid.of(beats.times.tolist(), None if beats.downbeats is None else beats.downbeats.tolist())


def spans_of(range: str, beats: Beats, fps: float) -> tuple[ranges.Span, ...]:
    """The parts of a song that a range in words means, one or more.

    beats: of the song.
    fps: of the dance or the show whose frames it may name.

    Raises FootlightError for other words, and a range that there is not.
    """
    return ranges.parse_all(range, _counted(beats), fps)


def span_of(range: str, beats: Beats, fps: float) -> ranges.Span:
    """The part of a song that a range in words means; arguments as of ``spans_of``, which also says what is raised, and
    FootlightError for several parts."""
    return ranges.parse(range, _counted(beats), fps)


def _counted(beats: Beats) -> Grid | None:
    """The grid by which bars are counted; None for beats of which there are too few."""
    return None if len(beats.times) < 2 else grid_of(beats)


def beats_given(request: CountedSong | ScoreRequest, seconds: float) -> Beats | None:
    """The beats that a request hands over, for so many seconds from its start; None if they are to be tracked.

    Raises FootlightError as ``read_beats`` does.
    """
    if request.beats is None:
        return None
    film = Path(request.song) if isinstance(request, CountedSong) else None
    return read_beats(request.beats, request.start, seconds, film)


def read_beats(path: Path | str, start: float, seconds: float, film: Path | None = None) -> Beats:
    """The beats of a part of a song, or of a motion, by its BEATS.json.

    path: the file, see ``core.grid.beats_file``; its times are those of the whole song.
    start: where the part begins, seconds; it is second 0 of the result.
    seconds: its length.
    film: the song, whose sound may begin late; None of a motion.

    Raises FootlightError for another file, and for one with fewer than two beats in the part.
    """
    parse = partial(beats_file.from_json, sound_begins=None if film is None else partial(begins, film))
    grid = read_document(path, parse, "a file of `core beats SONG --out`")
    downbeats = torch.tensor(grid.downbeats) if any(grid.downbeats) else None
    beats = Beats(torch.tensor(grid.shifted(start).times), grid.tempo, downbeats).between(0.0, seconds)
    if len(beats.times) < 2:
        raise FootlightError(
            f"{path}: {len(beats.times)} of its beats are between {start:g} s and {start + seconds:g} s, where "
            "they are needed; expected two or more"
        )
    return beats
