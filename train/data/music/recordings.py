"""The songs that ``index.jsonl`` lists, by split: recordings and MIDI, with their licences and ways to hear them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.audio import io
from core.errors import FootlightError
from core.types import Beats, Waveform
from train.data.music import midi, synth

SPLITS = ("train", "val")
KINDS = ("audio", "pop909", "groove")


@dataclass(frozen=True)
class Song:
    """One piece of music.

    name: unique, a file-name-like word.  kind: "audio", "pop909" (a MIDI song) or "groove" (a MIDI drum take).
    seconds: its length.  bpm: as listed, 0 where unknown.  group: songs of one group belong to one split.
    licence, author, title: as listed, for credits.
    """

    name: str
    split: str
    kind: str
    path: Path
    genre: str
    seconds: float
    bpm: float
    group: str
    licence: str
    author: str = ""
    title: str = ""

    def load(self, rate: int | None = None) -> Waveform:
        """The whole song, mono; MIDI is rendered. rate: Hz; None is the file's own, or 44 100 for MIDI."""
        if self.kind == "audio":
            return io.read(self.path, rate)
        parts = midi.read(self.path)
        return synth.render(parts, self.seconds, rate=rate or synth.RATE)

    def beats(self) -> Beats | None:
        """Exact beats with downbeats where the source states them (MIDI); None for recordings."""
        if self.kind == "pop909":
            table = np.loadtxt(self.path.with_name("beat_midi.txt"), ndmin=2)
            times, downbeats = table[:, 0], table[:, 2] > 0.5
        elif self.kind == "groove":
            times = np.arange(0, self.seconds, 60 / self.bpm)
            downbeats = np.arange(len(times)) % 4 == 0
        else:
            return None
        return Beats(torch.from_numpy(times).float(), self.bpm, torch.from_numpy(downbeats))

    @property
    def credit(self) -> str:
        """Who made it and under which licence, in one line."""
        who = " by ".join(part for part in (self.title or self.name, self.author) if part)
        return f"{who} ({self.licence})"


def song_list(data_dir, split: str, kinds: tuple[str, ...] = KINDS) -> list[Song]:
    """The songs of a split in the index's order. Raises FootlightError for an unknown split or a broken index."""
    if split not in SPLITS:
        raise FootlightError(f"split {split!r}; expected one of {', '.join(SPLITS)}")
    index = Path(data_dir) / "index.jsonl"
    if not index.is_file():
        raise FootlightError(f"{index}: no such file; give the folder that holds index.jsonl")
    songs = []
    for number, line in enumerate(index.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = json.loads(line)
            if entry["kind"] in ("audio", "midi") and entry["split"] == split:
                songs.append(_song(Path(data_dir), entry))
        except (ValueError, KeyError) as error:
            raise FootlightError(
                f"{index}, line {number}: not a song's entry ({error}); expected one JSON object"
            ) from None
    return [song for song in songs if song.kind in kinds]


def _song(data_dir: Path, entry: dict) -> Song:
    path = Path(entry["path"])
    kind = "audio" if entry["kind"] == "audio" else path.parts[1]
    name = "-".join((path.parts[1], path.stem))
    return Song(
        name=name,
        split=entry["split"],
        kind=kind,
        path=data_dir / path,
        genre=entry.get("genre", ""),
        seconds=float(entry["seconds"]),
        bpm=float(entry.get("bpm") or entry.get("bpm_est") or 0),
        group=entry.get("group") or name,
        licence=entry["licence"],
        author=entry.get("author", ""),
        title=entry.get("title", ""),
    )
