"""Measure the beat tracker on music whose beats are known exactly: ``python -m train.bench.beats DATA_DIR``.

The music is rendered here: the val songs of POP909 as they were played, the val takes of Groove, and improvised music
in many styles, metres and tempi that no training excerpt repeats, by bands and by others. F is mir_eval's, with beats
counted as found within 70 ms; nothing is trimmed. *Any level* is the best F against every second or third beat and
against beats put evenly between. librosa's tracker hears the same sound in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import librosa
import mir_eval
import numpy as np
import torch
import tyro

from core.audio.beat_tracking import track_beats
from core.audio.io import resample
from core.types import Beats, Waveform
from train.bench.results import write_results
from train.command import run_program
from train.data.music import arrange, known_beats, midi, synth
from train.data.music.known_beats import Music

SONG_SECONDS = 90.0
_LIBROSA_RATE = 22_050
_SEED = 7_000_000  # no seed of a training excerpt
IMPROVISED: dict[str, tuple[tuple[str, float, str], ...]] = {  # (style, beats a minute, freedom of the clock)
    "waltz": tuple(("waltz", bpm, "steady") for bpm in (92, 108, 126, 150, 180))
    + tuple(("slow three", bpm, "steady") for bpm in (62, 76, 92))
    + tuple(("jazz waltz", bpm, "steady") for bpm in (116, 150)),
    "6/8 and 12/8": tuple(("six-eight", bpm, "steady") for bpm in (52, 60, 70, 84))
    + tuple(("jig", bpm, "steady") for bpm in (104, 124))
    + tuple(("bembe", bpm, "steady") for bpm in (96, 116))
    + tuple(("slow blues", bpm, "steady") for bpm in (56, 70)),
    "5/4 and 7/8": tuple(("five", bpm, "steady") for bpm in (104, 132, 170))
    + tuple(("seven", bpm, "steady") for bpm in (160, 190, 215)),
    "2/4": tuple((style, bpm, "steady") for style in ("polka", "march", "country") for bpm in (104, 120)),
    "fast": tuple(("drum and bass", bpm, "steady") for bpm in (160, 168, 174, 180))
    + tuple(("punk", bpm, "steady") for bpm in (160, 176, 190, 205))
    + tuple(("trance", bpm, "steady") for bpm in (138, 145, 147, 150)),
    "fast trance": tuple(("hard trance", bpm, "steady") for bpm in range(205, 251, 5)),
    "slow": tuple(("ballad", bpm, "steady") for bpm in (50, 54, 60, 66, 73.5, 74))
    + tuple(("trap", bpm, "steady") for bpm in (64, 70, 73.5)),
    "off-beat": tuple(("one drop", bpm, "steady") for bpm in (66, 75, 84))
    + tuple(("steppers", bpm, "steady") for bpm in (70, 80))
    + tuple(("ska", bpm, "steady") for bpm in (118, 140))
    + tuple(("samba", bpm, "steady") for bpm in (88, 104))
    + (("skate punk", 96, "steady"), ("reggaeton", 92, "steady"), ("salsa", 96, "steady")),
    "swing": tuple(("swing", bpm, "steady") for bpm in (104, 126, 150))
    + tuple(("shuffle", bpm, "steady") for bpm in (84, 108, 136)),
    "ramps": tuple((style, bpm, "ramp") for style in ("rock", "house", "funk", "waltz") for bpm in (92, 118, 140)),
    "drift": tuple((style, bpm, "drift") for style in ("rock", "ballad", "motown", "swing") for bpm in (76, 104)),
    "rubato intro": tuple(
        (style, bpm, "rubato intro") for style in ("ballad", "rock", "slow three") for bpm in (72, 96)
    ),
}


_ENSEMBLES = ("keys", "strings", "winds", "folk", "chip")
NO_BAND: dict[str, tuple[tuple[str, float, str], ...]] = {  # (style, beats a minute, who plays)
    "three, no band": tuple(
        (style, bpm + 4 * i, who)
        for i, who in enumerate(_ENSEMBLES)
        for style, bpm in (("waltz", 108), ("waltz", 140), ("slow three", 74))
    ),
    "four, no band": tuple(
        (style, bpm + 4 * i, who)
        for i, who in enumerate(_ENSEMBLES)
        for style, bpm in (("ballad", 64), ("rock", 108), ("swing", 126))
    ),
}


@dataclass(frozen=True)
class Bench:
    """Measure the beat tracker."""

    data: Annotated[Path, tyro.conf.Positional]  # a folder with index.jsonl, midi/pop909 and midi/groove
    out: Path | None = None  # every song's figures as JSON
    only: tuple[str, ...] = ()  # sets by name; all otherwise
    librosa: bool = True  # measure librosa's tracker too
    limit: int | None = None  # the first N pieces of each set


@dataclass(frozen=True)
class Piece:
    """A piece of music to be measured on."""

    set: str
    name: str
    sound: Waveform
    beats: Beats


def pieces(data: Path, only: tuple[str, ...] = (), limit: int | None = None) -> Iterable[Piece]:
    """The pieces of the sets that are asked for, rendered one after the other."""
    songs, takes = (sorted(some) for some in arrange.listed(str(data), "val"))
    sets: dict[str, list[tuple[str, Callable[[], Music]]]] = {
        "POP909": [(name, lambda name=name: _song(data, name)) for name, _ in songs],
        "Groove": [(name, lambda name=name, bpm=bpm: _take(data, name, bpm)) for name, bpm in takes],
    }
    for name, some in IMPROVISED.items():
        sets[name] = [
            (f"{style} {bpm:g}", lambda s=style, b=bpm, f=free, i=i: _improvised(s, b, f, i))
            for i, (style, bpm, free) in enumerate(some)
        ]
    for name, some in NO_BAND.items():
        sets[name] = [
            (f"{style} {bpm:g} {who}", lambda s=style, b=bpm, w=who, i=i: _improvised(s, b, "drift", i, w))
            for i, (style, bpm, who) in enumerate(some)
        ]
    for kind, some in sets.items():
        if not only or kind in only:
            for name, make in some[:limit]:
                music = make()
                seconds = min(SONG_SECONDS, max(note.end for part in music.parts for note in part.notes))
                sound = synth.set_level(synth.render(music.parts, seconds), -16.0)
                yield Piece(kind, name, sound, music.beats.between(0, seconds))


def _song(data: Path, name: str) -> Music:
    parts, times, down = arrange.load_song(data, name)
    return Music(parts, Beats(torch.from_numpy(times).float(), 0.0, torch.from_numpy(down)))


def _take(data: Path, name: str, bpm: float) -> Music:
    take = arrange.load_take(data, name)
    index = np.arange(int(take.notes[-1].start) + 1)
    beats = Beats(torch.from_numpy(index * 60 / bpm).float(), bpm, torch.from_numpy(index % 4 == 0))
    return Music(midi.to_seconds([take], bpm), beats)


def _improvised(style: str, bpm: float, freedom: str, number: int, ensemble: str | None = None) -> Music:
    return known_beats.improvised(style, np.random.default_rng([_SEED, number, int(bpm)]), bpm, freedom, ensemble)


def f_measure(found: np.ndarray, true: np.ndarray) -> float:
    """mir_eval's F of beats (n,) found within 70 ms of the true ones (m,), seconds."""
    return float(mir_eval.beat.f_measure(np.asarray(true, float), np.asarray(found, float)))


def levels(true: np.ndarray) -> list[np.ndarray]:
    """The true beats (m,), every second and third of them, and beats that halve and third their intervals."""
    found = [true]
    for k in (2, 3):
        found += [true[i::k] for i in range(k)]
        found.append(np.interp(np.arange(0, len(true) - 1 + 1e-9, 1 / k), np.arange(len(true)), true))
    return [some for some in found if len(some)]


def measure(piece: Piece, found: Beats) -> dict[str, float]:
    """The figures of a tracker's beats."""
    true, times = piece.beats.times.double().numpy(), found.times.double().numpy()
    figures = {"F": f_measure(times, true), "any level": max(f_measure(times, some) for some in levels(true))}
    if found.downbeats is not None and piece.beats.downbeats is not None:
        down = times[found.downbeats.numpy()]
        figures["downbeats"] = f_measure(down, true[piece.beats.downbeats.numpy()])
    figures["tempo"] = 60 / float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return figures


def by_librosa(sound: Waveform) -> Beats:
    """The beats of ``librosa.beat.beat_track`` at the rate it is made for. It knows no bars."""
    sound = resample(sound, _LIBROSA_RATE)
    _, times = librosa.beat.beat_track(y=sound.samples.numpy(), sr=sound.rate, units="time")
    return Beats(torch.from_numpy(np.asarray(times)).float())


def main(args: Bench) -> list[dict]:
    """Measure, print the table, and return the figures of each piece and tracker."""
    trackers: dict[str, Callable[[Waveform], Beats]] = {"Footlight": track_beats}
    if args.librosa:
        trackers["librosa"] = by_librosa
    rows = []
    for piece in pieces(args.data, args.only, args.limit):
        for name, track in trackers.items():
            started = time.perf_counter()
            found = track(piece.sound)
            took = (time.perf_counter() - started) * 30 / piece.sound.seconds
            rows.append(
                {"set": piece.set, "piece": piece.name, "tracker": name, "seconds": took, **measure(piece, found)}
            )
    print(table(rows))
    write_results(rows, args.out)
    return rows


def table(rows: list[dict]) -> str:
    """The means of each set and tracker as text."""
    lines = [f"{'':16}{'pieces':>8}  {'tracker':12}{'F':>6}{'any level':>11}{'downbeats':>11}{'s for 30 s':>12}"]
    for kind in dict.fromkeys(row["set"] for row in rows):
        for tracker in dict.fromkeys(row["tracker"] for row in rows):
            some = [row for row in rows if row["set"] == kind and row["tracker"] == tracker]
            down = [row["downbeats"] for row in some if "downbeats" in row]
            means = [float(np.mean([row[name] for row in some])) for name in ("F", "any level")]
            lines.append(
                f"{kind:16}{len(some):8}  {tracker:12}{means[0]:6.3f}{means[1]:11.3f}"
                + (f"{np.mean(down):11.3f}" if down else f"{'':11}")
                + f"{np.median([row['seconds'] for row in some]):12.3f}"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    run_program("train.bench.beats", main, Bench, __doc__)
