"""Whole songs for the music autoencoder, pairing and evaluation: log-mel, onset strength, loudness and beats."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from torch import Tensor

from core.audio import io
from core.audio.beat_tracking import track_beats
from core.audio.mel import log_mel
from core.audio.onsets import loudness, onset_strength
from core.audio.representation import to_int16
from core.files import file_digest
from core.types import Beats, Waveform
from train.data.jobs import Job, Records
from train.data.music import arrange
from train.data.rates import AUDIO_RATE, HOP_SAMPLES, MEL_FPS, prepared_signal
from train.data.shards import key, slug

ARRANGED_SECONDS = 60.0
SLOWEST = 76.0  # beats a minute of arrangements
FASTEST = 146.0


def heard(waveform: Waveform, beats: Beats | None = None) -> tuple[dict[str, Tensor], float]:
    """A waveform as the tensors of a record, and its tempo.

    ``wave`` (t * hop,) holds the samples at 16 bits, on the mel's clock. See ``stored``.

    beats: where they are known. Otherwise they are tracked.
    """
    waveform = io.resample(waveform, AUDIO_RATE)
    mel = log_mel(waveform.samples, prepared_signal())
    beats = track_beats(waveform) if beats is None else beats
    downbeats = beats.times.bool() & False if beats.downbeats is None else beats.downbeats
    parts = {
        "mel": mel,
        "wave": to_int16(waveform.samples[: len(mel) * HOP_SAMPLES]),
        "onset": onset_strength(mel),
        "loudness": loudness(mel),
        "beats": beats.times.float(),
        "downbeats": downbeats,
    }
    return parts, float(beats.tempo)


def cut(parts: dict[str, Tensor], start: float, seconds: float) -> dict[str, Tensor]:
    """A stretch of a song record's tensors. The beats count from its start.

    start: seconds, rounded to a mel frame.
    """
    first = round(start * MEL_FPS)
    last = min(len(parts["mel"]), first + round(seconds * MEL_FPS))
    times = parts["beats"].double() - first / MEL_FPS
    inside = (times >= 0) & (times < (last - first) / MEL_FPS)
    made = {name: parts[name][first:last] for name in ("mel", "onset", "loudness")}
    if "wave" in parts:
        made["wave"] = parts["wave"][first * HOP_SAMPLES : last * HOP_SAMPLES]
    return made | {"beats": times[inside].float(), "downbeats": parts["downbeats"][inside]}


def stored(parts: dict[str, Tensor], waveforms: bool) -> dict[str, Tensor]:
    """A record's tensors as they go into the shard. The waveform is kept only where it is asked for."""
    return parts if waveforms else {name: value for name, value in parts.items() if name != "wave"}


def with_waveforms(made_from: str, waveforms: bool) -> str:
    """The key of a shard that may hold waveforms. It differs with them, so that neither shard passes for the other."""
    return key(made_from, "waveforms") if waveforms else made_from


def song_jobs(data: Path, out: Path, entries: list[dict], waveforms: bool = False) -> list[Job]:
    """A job for every audio entry of ``index.jsonl``.

    waveforms: keep the songs' samples.
    """
    made = []
    for entry in entries:
        path, name = data / entry["path"], slug(Path(entry["path"]).with_suffix("").as_posix().removeprefix("audio/"))
        make = partial(_song, path, name, entry["split"], entry["genre"], waveforms)
        shard = out / f"songs-{entry['split']}-{name}.safetensors"
        made_from = key(file_digest(path), name, entry["split"], entry["genre"])
        made.append(Job(entry["path"], shard, with_waveforms(made_from, waveforms), make))
    return made


def _song(path: Path, name: str, split: str, genre: str, waveforms: bool, shard: str) -> Records:
    parts, tempo = heard(io.read(path, AUDIO_RATE))
    line = _line(parts, name=name, split=split, genre=genre, shard=shard, path=str(path), exact=False, tempo=tempo)
    return [(line, stored(parts, waveforms))]


def arrangement_jobs(data: Path, out: Path, split: str, count: int, seed: int, waveforms: bool = False) -> list[Job]:
    """Jobs for ``count`` arrangements of the split, a minute long each.

    Their tempi are spread evenly on a log scale.
    """
    made = []
    for number in range(count):
        bpm = round(float(SLOWEST * (FASTEST / SLOWEST) ** ((number + 0.5) / count)), 1)
        name = f"arranged-{split}-{number:03d}"
        shard = out / f"songs-{split}-{name}.safetensors"
        make = partial(_arrangement, data, name, split, bpm, seed + number, waveforms)
        made_from = key("arrangement", file_digest(data / "index.jsonl"), bpm, seed + number)
        made.append(Job(name, shard, with_waveforms(made_from, waveforms), make))
    return made


def _arrangement(data: Path, name: str, split: str, bpm: float, seed: int, waveforms: bool, shard: str) -> Records:
    song, take = arrange.choose(data, split, bpm, seed)
    waveform, beats = arrange.arrange(data, song, take, bpm, ARRANGED_SECONDS, seed)
    parts, _ = heard(waveform, beats)
    line = _line(parts, name=name, split=split, genre="arrangement", shard=shard, path="", exact=True, tempo=bpm)
    return [(line, stored(parts, waveforms))]


def _line(
    parts: dict[str, Tensor], *, name: str, split: str, genre: str, shard: str, path: str, exact: bool, tempo: float
) -> dict:
    """A song's line in the index.

    path: the audio file, or empty for a rendered arrangement.
    exact: whether the beats are known rather than tracked.
    """
    return {
        "id": name,
        "shard": shard,
        "split": split,
        "genre": genre,
        "path": path,
        "exact": exact,
        "tempo": round(tempo, 3),
        "frames": len(parts["mel"]),
    }
