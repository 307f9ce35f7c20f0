"""The beats of a song: tracked, or given in a BEATS.json by somebody who knows better."""

from __future__ import annotations

from pathlib import Path

import torch

from core.audio.beat_tracking import track_beats, warn_if_unsure
from core.errors import FootlightError
from core.grid import beats_file
from core.grid.beat_grid import Grid
from core.types import Beats, Waveform


def beats_of(song: Waveform) -> Beats:
    """Track the beats of a song. Warns the user when they are a guess."""
    beats = track_beats(song)
    warn_if_unsure(beats)
    return beats


def grid_of(beats: Beats) -> Grid:
    """Beats as a grid. Raises FootlightError for fewer than two."""
    return Grid.of(beats.times.tolist(), None if beats.downbeats is None else beats.downbeats.tolist())


def read_beats(path: Path | str, start: float, seconds: float) -> Beats:
    """The beats of a part of a song, or of a motion, by its BEATS.json.

    path: the file, see ``core.grid.beats_file``; its times are those of the whole song.
    start: where the part begins, seconds; it is second 0 of the result.
    seconds: its length.

    Raises FootlightError for another file, and for one with fewer than two beats in the part.
    """
    try:
        grid = beats_file.from_json(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise FootlightError(f"{path}: cannot be read ({why}); expected a file of `core beats SONG --out`") from None
    except FootlightError as error:
        raise FootlightError(f"{path}: {error}") from None
    downbeats = torch.tensor(grid.downbeats) if any(grid.downbeats) else None
    beats = Beats(torch.tensor(grid.shifted(start).times), grid.tempo, downbeats).between(0.0, seconds)
    if len(beats.times) < 2:
        raise FootlightError(
            f"{path}: {len(beats.times)} of its beats are between {start:g} s and {start + seconds:g} s, where "
            "they are needed; expected two or more"
        )
    return beats
