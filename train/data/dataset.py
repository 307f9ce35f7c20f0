"""Prepared pairs and songs as values, read from a folder that ``train.prepare`` wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from core.errors import FootlightError
from core.rhythm.features import Rhythm, rhythm_features
from core.types import Beats, Motion
from train.data.rates import MOTION_FPS
from train.data.shards import read_index, read_records

PAIRS = "pairs.jsonl"  # the indices of a prepared folder
SONGS = "songs.jsonl"
BEATS = "beats.jsonl"


class Recorded:
    """What is known of the music of a pair or a song."""

    tempo: float
    onset: Tensor
    loudness: Tensor
    beats: Tensor
    downbeats: Tensor

    def grid(self) -> Beats:
        """Its beats, with tempo and downbeats."""
        return Beats(self.beats, self.tempo, self.downbeats)

    def heard(self) -> Rhythm:
        """Its rhythm."""
        return Rhythm(self.grid(), self.onset, self.loudness)


@dataclass(frozen=True, eq=False)
class Pair(Recorded):
    """A motion and its music on one clock, t motion frames and 2t mel frames long.

    motion_name, music_name: the sources.
    tempo: beats a minute.
    rotations: (t, 22, 4) unit quaternions wxyz.
    root: (t, 3) metres.
    contacts: (t, 4) in [0, 1].
    mel: (2t, m).
    onset, loudness: (2t,).
    beats: (n,) seconds.
    downbeats: (n,) bool.
    wave: (2t * hop,) int16 samples of the music, or None where they were not asked for.
    group: takes that were recorded together share it.
    about: the pair's line in the index, which says how it was made and what was measured.
    """

    id: str
    genre: str
    motion_name: str
    music_name: str
    tempo: float
    rotations: Tensor
    root: Tensor
    contacts: Tensor
    mel: Tensor
    onset: Tensor
    loudness: Tensor
    beats: Tensor
    downbeats: Tensor
    wave: Tensor | None = None
    group: str = ""
    about: dict = field(default_factory=dict)

    def motion(self) -> Motion:
        """The motion at the rate of the data, 31.25 frames a second."""
        return Motion(self.rotations, self.root, MOTION_FPS, self.contacts)

    def rhythm(self, frames: int, fps: float) -> Tensor:
        """Rhythm features (frames, r) at any frame rate. See ``core.rhythm.features.rhythm_features``."""
        return rhythm_features(self.grid(), self.onset, self.loudness, frames, fps)


@dataclass(frozen=True, eq=False)
class SongRecord(Recorded):
    """A whole song.

    path: the audio file, or empty for a rendered arrangement.
    exact: whether the beats are known rather than tracked.
    tempo: beats a minute.
    mel: (t, m).
    onset, loudness: (t,).
    beats: (n,) seconds.
    downbeats: (n,) bool.
    wave: (t * hop,) int16 samples, or None where they were not asked for.
    """

    id: str
    path: str
    exact: bool
    tempo: float
    mel: Tensor
    onset: Tensor
    loudness: Tensor
    beats: Tensor
    downbeats: Tensor
    wave: Tensor | None = None


def motion_tensors(motion: Motion) -> dict[str, Tensor]:
    """The motion's part of a pair's record."""
    assert motion.contacts is not None, "a motion in a data set says which feet stand"
    return {"rotations": motion.rotations, "root": motion.root, "contacts": motion.contacts}


def load_pairs(folder: Path, split: str, waveforms: bool = False) -> list[Pair]:
    """All pairs of a split: ``train``, ``val``, or ``test`` where there is one. A folder of songs alone has no pairs.

    waveforms: read the samples of their music too.

    Raises FootlightError for a folder that was not prepared, or was prepared without what is asked for.
    """
    folder = Path(folder)
    if not (folder / PAIRS).is_file() and (folder / SONGS).is_file():
        return []
    lines = _lines(folder / PAIRS, split)
    return [
        Pair(
            id=line["id"],
            genre=line["genre"],
            motion_name=line["motion"],
            music_name=line["music"],
            tempo=line["tempo"],
            group=line["group"],
            about=line,
            **parts,
        )
        for line, parts in zip(lines, _records(folder, lines, waveforms), strict=True)
    ]


def load_song_records(folder: Path, split: str, waveforms: bool = False, only: str | None = None) -> list[SongRecord]:
    """All songs of a split with their rhythm.

    waveforms: read their samples too.
    only: the id of a single song to read.

    Raises FootlightError for a folder that was not prepared, or was prepared without what is asked for.
    """
    folder = Path(folder)
    lines = [line for line in _lines(folder / SONGS, split) if only in (None, line["id"])]
    return [
        SongRecord(id=line["id"], path=line["path"], exact=line["exact"], tempo=line["tempo"], **parts)
        for line, parts in zip(lines, _records(folder, lines, waveforms), strict=True)
    ]


def load_songs(folder: Path, split: str) -> list[Tensor]:
    """The log-mels (t, m) of all songs of a split, in half precision."""
    return [song.mel for song in load_song_records(folder, split)]


def load_waves(folder: Path, split: str) -> list[Tensor]:
    """The waveforms (s,), int16, of all songs of a split."""
    waves = (song.wave for song in load_song_records(folder, split, waveforms=True))
    return [wave for wave in waves if wave is not None]


def _records(folder: Path, lines: list[dict], waveforms: bool) -> list[dict[str, Tensor]]:
    records = read_records(folder, lines, () if waveforms else ("wave",))
    if waveforms and any("wave" not in parts for parts in records):
        raise FootlightError(f"{folder} holds no waveforms: run train.prepare again, with --waveforms")
    return records


def _lines(path: Path, split: str) -> list[dict]:
    if split not in ("train", "val", "test"):
        raise FootlightError(f"unknown split {split!r}: choose train, val or test")
    return [line for line in read_index(path) if line["split"] == split]
