"""What systems are measured on: excerpts of songs, capture, and real pairs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import torch
from torch import Tensor

from core.audio import io
from core.errors import FootlightError
from core.files import file_digest
from core.metrics import beat
from core.motion.resample import resample
from core.rhythm.features import Rhythm, analyse
from core.types import Beats, Motion, Waveform
from train.data.dataset import Pair, load_pairs
from train.data.latents import style_of
from train.data.motion.sources import load as load_source
from train.data.shards import key, read_index
from train.evaluation.cache import Cache, sources_digest

NOT_DANCE = ("martial",)
SHORTEST_PAIR = 8.0  # seconds; beat scores of less are noise


@dataclass(frozen=True, eq=False)
class Excerpt:
    """A stretch of a song and its rhythm. Beats count from the start of the stretch.

    heard: what the analysis found.
    number: its place among the songs.
    """

    name: str
    waveform: Waveform
    heard: Rhythm
    number: int = 0

    @property
    def beats(self) -> Beats:
        return self.heard.beats

    @property
    def seconds(self) -> float:
        return self.waveform.seconds

    @cached_property
    def onsets(self) -> Tensor:
        """The onsets of the sound (n,) in seconds, as MoMu-Diffusion takes them."""
        return beat.music_onsets(self.waveform)

    @cached_property
    def digest(self) -> str:
        """A digest of the sound itself. Another stretch, or another file of the same name, is another excerpt."""
        samples = self.waveform.samples.float().contiguous().numpy().tobytes()
        return hashlib.sha256(samples + str(self.waveform.rate).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Capture:
    """A captured clip at the evaluation's frame rate, never warped.

    genre: as the data names it.
    tempo: beats per minute that it was danced to, where that is known.
    """

    name: str
    genre: str
    split: str
    motion: Motion
    tempo: float | None = None

    @property
    def style(self) -> str:
        return style_of(self.genre)


@dataclass(frozen=True, eq=False)
class RealPair:
    """A val pair: captured motion that was warped onto its music's beats.

    loudness: (t,) of the music, as ``Rhythm`` has it.
    """

    motion_name: str
    music_name: str
    genre: str
    motion: Motion
    beats: Beats
    loudness: Tensor


@dataclass(frozen=True, eq=False)
class Material:
    """Everything that is danced to and compared with."""

    songs: list[Excerpt]
    captures: list[Capture]
    pairs: list[RealPair]

    @property
    def held_out(self) -> list[Capture]:
        return [clip for clip in self.captures if clip.split == "val"]


def song_excerpts(
    source: Path, start: float, seconds: float, split: str = "val", most: int | None = None
) -> list[Excerpt]:
    """An excerpt of each song of the split that the data folder names.

    start: seconds. Shorter songs start earlier.
    seconds: its length.
    most: how many songs at most.

    Raises FootlightError when there is no such song.
    """
    entries = [e for e in read_index(source / "index.jsonl") if e["kind"] == "audio" and e["split"] == split][:most]
    if not entries:
        raise FootlightError(f"{source}: its index names no {split} song; add one, or choose another folder")
    found = []
    for number, entry in enumerate(entries):
        begin = max(0.0, min(start, entry["seconds"] - seconds))
        waveform = io.read(source / entry["path"], start=begin, seconds=min(seconds, entry["seconds"]))
        found.append(Excerpt(Path(entry["path"]).stem, waveform, analyse(waveform), number))
    return found


def captures(source: Path, fps: float, cache: Cache) -> list[Capture]:
    """Every usable capture of dance, train and val, at ``fps``. Cleaned capture is kept in the cache."""
    code = sources_digest("core/motion", "train/data")
    found = []
    for entry in cache.progress(dances(source), "capture"):
        path = source / entry["path"]
        motion = cache.get(key("capture", code, file_digest(path), entry), partial(cleaned, path, entry))
        if motion is not None:
            found.append(Capture(path.stem, entry["genre"], entry["split"], resample(motion, fps), entry.get("bpm")))
    return found


def dances(source: Path) -> list[dict]:
    """The lines of a data folder's index that are capture of dance.

    Takes that it calls ``static`` are left out, as they are of training pairs: nobody dances there.
    """
    entries = (entry for entry in read_index(source / "index.jsonl") if entry["kind"] == "motion")
    return [entry for entry in entries if is_dance(entry["genre"]) and not entry.get("static")]


def cleaned(path: Path, entry: dict) -> Motion | None:
    """The motion of a capture, as preparation cleans it; None where that left it out."""
    try:
        loaded = load_source(path, entry)
    except FootlightError:  # which preparation said
        return None
    return None if loaded.report["dropped"] else loaded.motion


def motions_by_style(clips: list[Capture]) -> dict[str, list[Motion]]:
    """The motions of each style, in the order of its name."""
    found: dict[str, list[Motion]] = {}
    for clip in sorted(clips, key=lambda clip: clip.style):
        found.setdefault(clip.style, []).append(clip.motion)
    return found


def real_pairs(data: Path, fps: float) -> list[RealPair]:
    """``val_dances`` at ``fps``."""
    found = []
    for pair in val_dances(data):
        beats = pair.grid()
        body = resample(pair.motion(), fps)
        found.append(RealPair(pair.motion_name, pair.music_name, pair.genre, body, beats, pair.loudness))
    return found


def val_dances(data: Path, waveforms: bool = False) -> list[Pair]:
    """The val pairs of dance of ``SHORTEST_PAIR`` seconds and more. Their capture was never trained on.

    Parameters and errors are those of ``load_pairs``.
    """
    pairs = load_pairs(data, "val", waveforms)
    return [pair for pair in pairs if pair.motion().seconds >= SHORTEST_PAIR and is_dance(pair.genre)]


def is_dance(genre: str) -> bool:
    return not any(word in genre for word in NOT_DANCE)


def tempo_of(beats: Beats, seconds: float) -> float:
    """Beats a minute within the clip, or 0 when there are fewer than two."""
    times = beats.between(0, seconds).times.double()
    return float(60 / torch.diff(times).median()) if len(times) > 1 else 0.0
