"""Who plays improvised music when it is no band: a piano, strings, winds, folk musicians or a game's sound chip.

Much of what is recorded in three has no drums, and its bars are told by bass notes and harmony alone. An ensemble says
what its players play (General MIDI programs), and its tunes are other than a band's: a rhythm of one bar that returns
in most bars, or broken chords.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.data.music.midi import Note, Part
from train.data.music.patterns import Style


@dataclass(frozen=True)
class Ensemble:
    """Players.

    bass, chords, tune: programs to choose from.
    drums: share of the pieces that have drums.
    alone: one player plays bass, chords and tune on the program of the chords.
    even: share of the pieces whose notes are all as loud.
    """

    bass: tuple[int, ...]
    chords: tuple[int, ...]
    tune: tuple[int, ...]
    drums: float = 0.0
    alone: bool = False
    even: float = 0.1


ENSEMBLES = {
    "keys": Ensemble((), (0, 0, 0, 1, 2, 4, 6, 6, 8, 10, 11, 19, 21, 24, 46), (), alone=True, even=0.25),
    "strings": Ensemble((42, 43, 45, 48), (44, 45, 46, 48, 48, 49, 51, 52), (40, 41, 42, 48, 68, 73), drums=0.15),
    "winds": Ensemble((58, 58, 70, 43), (60, 61, 69, 71, 48), (56, 57, 60, 68, 71, 73), drums=0.3),
    "folk": Ensemble((32, 32, 43, 24), (21, 21, 22, 23, 24, 25, 15), (21, 22, 40, 110, 73, 75, 105), drums=0.15),
    "chip": Ensemble((80, 38, 87), (80, 81, 82), (80, 80, 81, 82, 84), drums=0.5, even=0.7),
}

_EVEN = 96
_LOWEST, _HIGHEST = 60, 86  # MIDI pitches of tunes


def programs(name: str, draw: np.random.Generator) -> dict[str, int]:
    """The program of each part of an ensemble by the part's name."""
    ensemble = ENSEMBLES[name]
    chords = int(draw.choice(ensemble.chords))
    if ensemble.alone:
        return {"bass": chords, "chords": chords, "melody": chords}
    return {"bass": int(draw.choice(ensemble.bass)), "chords": chords, "melody": int(draw.choice(ensemble.tune))}


def evened(part: Part) -> Part:
    """The part with all notes as loud."""
    return part.map(lambda note: note._replace(velocity=_EVEN))


def tune(style: Style, chords: list[tuple[int, ...]], draw: np.random.Generator) -> Part:
    """A tune whose bars mostly have the same rhythm. Every note lasts to the next one, or half as long."""
    step, per_beat = style.beats / style.steps, style.steps // style.beats
    likely = np.full(style.steps, 0.04)
    likely[::per_beat] = draw.uniform(0.2, 0.9)
    if per_beat % 2 == 0:
        likely[per_beat // 2 :: per_beat] = draw.uniform(0.0, 0.5)
    likely[0] = draw.uniform(0.6, 1.0)
    main, other = draw.random((2, style.steps)) < likely
    main[0] |= not main.any()
    strays, length = draw.uniform(0.05, 0.4), 1.0 if draw.random() < 0.7 else 0.5
    pitch = int(draw.integers(64, 80))
    found: list[tuple[float, int]] = []
    for bar, chord in enumerate(chords):
        rhythm = other if draw.random() < strays else main
        for place in np.flatnonzero(rhythm):
            pitch = _near(pitch, chord, draw) if place == 0 or draw.random() < 0.5 else _stepped(pitch, draw)
            found.append((bar * style.beats + float(place) * step, pitch))
    return Part("melody", _held(found, length, len(chords) * style.beats, draw), volume=int(draw.integers(84, 115)))


def broken(style: Style, chords: list[tuple[int, ...]], draw: np.random.Generator) -> Part:
    """Broken chords in even notes, two or three to a beat, in an order that returns in every bar."""
    per_beat = style.steps // style.beats
    each = int(draw.choice([n for n in (1, 2, 3) if per_beat % n == 0]))
    count = style.beats * per_beat // each
    order = draw.integers(0, 5, count) if draw.random() < 0.5 else np.array([0, 1, 2, 3, 2, 1] * count)[:count]
    base = int(draw.integers(55, 70))
    found = []
    for bar, chord in enumerate(chords):
        tones = sorted({base + (tone - base) % 12 + octave for tone in chord for octave in (0, 12)})
        for place, which in enumerate(order):
            at = bar * style.beats + place * each * style.beats / style.steps
            found.append((at, tones[min(int(which), len(tones) - 1)]))
    return Part("melody", _held(found, 1.0, len(chords) * style.beats, draw), volume=int(draw.integers(70, 105)))


def _near(pitch: int, chord: tuple[int, ...], draw: np.random.Generator) -> int:
    """A tone of the chord near a pitch."""
    tones = {tone % 12 for tone in chord}
    near = [p for p in range(pitch - 7, pitch + 8) if p % 12 in tones and _LOWEST <= p <= _HIGHEST]
    return int(draw.choice(near)) if near else pitch


def _stepped(pitch: int, draw: np.random.Generator) -> int:
    return int(np.clip(pitch + draw.choice([-2, -1, 1, 2]), _LOWEST, _HIGHEST))


def _held(found: list[tuple[float, int]], length: float, end: float, draw: np.random.Generator) -> tuple[Note, ...]:
    """Notes that last so much of the time to the next one.

    found: the beat and the pitch of each.
    end: of the last one, in beats.
    """
    ends = [at for at, _ in found[1:]] + [end]
    return tuple(
        Note(at, at + max(0.1, length * (until - at) * 0.98), pitch, int(np.clip(draw.normal(86, 8), 40, 120)))
        for (at, pitch), until in zip(found, ends, strict=True)
    )
