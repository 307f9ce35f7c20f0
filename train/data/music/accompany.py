"""What a rhythm section plays under a song: chords read from symbols, bass lines, comping and a plain beat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from core.errors import FootlightError
from train.data.music import midi
from train.data.music.midi import Note, Part

BEATS_PER_BAR = 4
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_DEGREES = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11, "9": 14}
_QUALITIES = {  # semitones above the root, in the notation of Harte et al. (ISMIR 2005)
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "sus4(b7)": (0, 5, 7, 10),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "maj6": (0, 4, 7, 9),
    "min6": (0, 3, 7, 9),
    "dim7": (0, 3, 6, 9),
    "hdim7": (0, 3, 6, 10),
    "minmaj7": (0, 3, 7, 11),
}
# Bass lines of one bar as (beat, length, tone). A tone is an index into root, fifth, octave.
_BASS_LINES = (
    tuple((0.5 * i, 0.45, 0) for i in range(8)),
    tuple((0.5 * i, 0.4, 2 if i % 2 else 0) for i in range(8)),
    ((0, 1.4, 0), (1.5, 0.45, 0), (2, 1.4, 1), (3.5, 0.45, 2)),
    ((0, 1.4, 0), (1.5, 1.4, 0), (3, 0.9, 1)),
    ((0, 0.9, 0), (1, 0.9, 1), (2, 0.9, 2), (3, 0.9, 1)),
    ((0.5, 0.4, 0), (1.5, 0.4, 0), (2.5, 0.4, 0), (3.5, 0.4, 2)),
    ((0, 0.7, 0), (0.75, 0.7, 0), (1.5, 0.4, 2), (2, 0.7, 0), (2.75, 0.7, 1), (3.5, 0.4, 0)),
)
_CALM_BASS = ((0, 1.9, 0), (2, 1.9, 0))
_CHORD_RHYTHMS = (  # (beat, length) in one bar: held chords, off-beats, a push
    ((0, 3.9),),
    ((0.5, 0.3), (1.5, 0.3), (2.5, 0.3), (3.5, 0.3)),
    ((0, 0.6), (1.5, 0.4), (2.5, 1.0)),
)
_BASSES = (32, 33, 33, 34, 35, 36, 38, 39)  # General MIDI
_CHORD_PROGRAMS = (4, 5, 16, 28, 48, 50, 62, 81, 89, 90)
_KICK = 36  # General MIDI's drum notes
_CLAP = 39
_OPEN_HAT = 46
_LOWEST_BASS = 28  # MIDI pitches
_CHORD_CENTRE = 62


@dataclass(frozen=True)
class Chord:
    """A chord.

    tones: pitch classes, from the root up.
    bass: the pitch class of the lowest tone.
    """

    tones: tuple[int, ...]
    bass: int


@dataclass(frozen=True)
class Harmony:
    """Chords one after another.

    starts: (n,) beats, rising.
    chords: one for each start, None where there is no harmony.
    """

    starts: np.ndarray
    chords: tuple[Chord | None, ...]

    def at(self, beat: float) -> Chord | None:
        """The chord that sounds at a beat."""
        index = int(np.searchsorted(self.starts, beat + 1e-3, side="right")) - 1
        return self.chords[index] if index >= 0 else None


def parse_chord(symbol: str) -> Chord | None:
    """The chord of a symbol such as ``F#:maj7/5``, or None for ``N``. Raises FootlightError for another notation."""
    if symbol == "N":
        return None
    try:
        root_name, _, rest = symbol.partition(":")
        quality, _, bass = rest.partition("/")
        root = _LETTERS[root_name[0]] + root_name.count("#") - root_name.count("b")
        tones = tuple((root + interval) % 12 for interval in _QUALITIES[quality or "maj"])
        lowest = root + (_DEGREES[bass.lstrip("b#")] - bass.count("b") + bass.count("#") if bass else 0)
    except (KeyError, IndexError):
        raise FootlightError(f"chord {symbol!r}: not understood; expected such as 'F#:maj7/5' or 'N'") from None
    return Chord(tones, lowest % 12)


def read_harmony(path: str | Path, beat_times: np.ndarray, first_beat: int) -> Harmony:
    """The harmony of a file of ``start end chord`` lines in seconds. A change moves to the nearest beat.

    beat_times: (n,) seconds of the beats.
    first_beat: the beat that the harmony counts from.
    """
    with open(path, encoding="utf-8") as lines:
        rows = [line.split() for line in lines if line.strip()]
    starts = np.round(midi.position(np.array([float(row[0]) for row in rows]), beat_times)) - first_beat
    return Harmony(starts, tuple(parse_chord(row[2]) for row in rows))


def bass(chords: list[Chord | None], calm: list[bool], draw: np.random.Generator) -> Part:
    """A bass line.

    chords: one for each beat, from a downbeat on.
    calm: for each bar, whether it only holds roots.
    """
    line = _BASS_LINES[int(draw.integers(len(_BASS_LINES)))]
    notes = []
    for bar, quiet in enumerate(calm):
        for beat, length, tone in _CALM_BASS if quiet else line:
            at = bar * BEATS_PER_BAR + beat
            chord = chords[int(at)]
            if chord is None:
                continue
            low = _LOWEST_BASS + (chord.bass - _LOWEST_BASS) % 12
            fifth = low + (chord.tones[2] - chord.bass) % 12 if len(chord.tones) > 2 else low + 7
            pitch = (low, fifth, low + 12)[tone]
            notes.append(Note(at, at + length, pitch, int(draw.integers(92, 108)) + (8 if beat == 0 else 0)))
    return Part("bass", tuple(notes), program=int(draw.choice(_BASSES)), volume=110)


def comping(chords: list[Chord | None], draw: np.random.Generator) -> Part:
    """Chords in one of a few rhythms, each voiced near the last one. One time in four the part is silent."""
    program, pattern = int(draw.choice(_CHORD_PROGRAMS)), int(draw.integers(len(_CHORD_RHYTHMS) + 1))
    part = Part("chords", (), program=program, volume=68, pan=80)
    if pattern == len(_CHORD_RHYTHMS):
        return part
    notes, centre = [], float(_CHORD_CENTRE)
    for bar in range(len(chords) // BEATS_PER_BAR):
        for beat, length in _CHORD_RHYTHMS[pattern]:
            start, end = bar * BEATS_PER_BAR + beat, bar * BEATS_PER_BAR + beat + length
            for begin, finish in _changes(chords, start, end):
                chord = chords[int(begin)]
                if chord is None:
                    continue
                pitches = [round(centre) - 6 + (tone - round(centre) + 6) % 12 for tone in chord.tones]
                centre = 0.7 * float(np.mean(pitches)) + 0.3 * _CHORD_CENTRE
                notes += [Note(begin, finish, pitch, int(draw.integers(76, 90))) for pitch in pitches]
    return replace(part, notes=tuple(sorted(notes)))


def _changes(chords: list[Chord | None], start: float, end: float) -> list[tuple[float, float]]:
    """The stretch [start, end) cut where the chord changes."""
    cuts = [beat for beat in range(int(start) + 1, int(np.ceil(end))) if chords[beat] != chords[beat - 1]]
    edges = [start, *cuts, end]
    return list(pairwise(edges))


def four_on_the_floor(drums: Part, beats: int, clap: bool) -> Part:
    """The take with a kick on every beat instead of its own kicks, and open hats between them.

    clap: add one on the second and fourth beat.
    """
    kept = [note for note in drums.notes if note.pitch not in (35, _KICK)]
    for beat in range(beats):
        kept.append(Note(beat, beat + 0.25, _KICK, 118 if beat % BEATS_PER_BAR == 0 else 112))
        kept.append(Note(beat + 0.5, beat + 0.75, _OPEN_HAT, 72))
        if clap and beat % 2:
            kept.append(Note(beat, beat + 0.25, _CLAP, 104))
    return replace(drums, notes=tuple(sorted(kept)))
