"""The song as notes: what every instrument plays in each block of the form. Times are beats."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from train.demo.composer import drums, form, melody
from train.demo.composer.form import BEATS_PER_BAR, BLOCK_BARS, BLOCK_BEATS, Block, Section
from train.demo.composer.harmony import BREAKS, CHORUSES, LIFT, OUTRO, TONIC_NINTH, VERSES, Chord, Key, voicing

# (beat, length) of chords in a bar
_KEYS_RHYTHMS = {
    "intro": ((0, 1.9), (2.5, 1.4)),
    "verse": ((0, 0.9), (1.5, 0.45), (2.5, 1.2)),
    "lift": ((0, 0.9), (1, 0.9), (2, 0.9), (3, 0.9)),
    "chorus": ((0.5, 0.4), (1.5, 0.4), (2.5, 0.4), (3.25, 0.2), (3.5, 0.4)),
    "break": ((0, 3.8),),
    "outro": ((0, 1.9), (2.5, 1.4)),
}
_KEYS_VELOCITY = {"intro": 0.62, "verse": 0.6, "lift": 0.68, "chorus": 0.72, "break": 0.5, "outro": 0.6}
# (beat, length, tone) with the tones 0 root, 1 fifth, 2 octave, 3 a step towards the next root
_BASS_LINES = {
    "verse": (
        ((0, 1.3, 0), (1.5, 0.45, 0), (2.5, 0.9, 1), (3.5, 0.4, 3)),
        ((0, 0.7, 0), (0.75, 0.6, 0), (1.5, 0.9, 2), (2.5, 0.9, 0), (3.5, 0.4, 3)),
        ((0, 0.9, 0), (1.5, 0.9, 0), (2.75, 0.2, 2), (3, 0.45, 1), (3.5, 0.4, 3)),
    ),
    "chorus": (
        (*((0.5 * i, 0.42, 2 if i % 2 else 0) for i in range(7)), (3.5, 0.42, 3)),
        (
            (0, 0.4, 0),
            (0.5, 0.4, 0),
            (1, 0.4, 2),
            (1.5, 0.4, 0),
            (2.25, 0.2, 0),
            (2.5, 0.4, 2),
            (3, 0.4, 1),
            (3.5, 0.4, 3),
        ),
    ),
    "lift": (tuple((0.5 * i, 0.42, 0) for i in range(8)),),
    "break": (((0, 3.9, 0),),),
    "outro": (((0, 1.9, 0), (2.5, 1.3, 1)),),
}
_ARP_SHAPES = ((0, 1, 2, 3, 2, 1), (0, 2, 1, 3), (3, 2, 1, 0, 1, 2), (0, 1, 2, 3, 1, 2, 3, 2))


class Note(NamedTuple):
    """A note.

    start, length: beats.
    pitch: MIDI number.
    velocity: 0 to 1.
    """

    start: float
    length: float
    pitch: int
    velocity: float


Parts = dict[str, list[Note]]
"""Notes by instrument."""

Harmony = list[tuple[float, float, Chord]]
"""The chords of a block as (beat, length, chord). Beats count from its start."""

Voicing = tuple[int, ...]
"""The MIDI pitches of a chord's voices."""


@dataclass(frozen=True)
class Arrangement:
    """All that is played.

    parts: notes by instrument.
    strokes: (beat, velocity) by drum.
    beats: the song's length.
    """

    parts: Parts
    strokes: dict[str, list[tuple[float, float]]]
    sections: tuple[Section, ...]
    beats: float


def write(beats: float, draw: np.random.Generator, names: Sequence[str] | None = None) -> Arrangement:
    """Compose a song of so many beats. It ends on the last downbeat with two beats left, in a chord that rings.

    names: of its blocks, as many as it needs; None takes ``form.form_of``.
    """
    ending = max(0, BEATS_PER_BAR * math.floor((beats - 2) / BEATS_PER_BAR))
    plan = form.plan(names or form.form_of(max(1, math.ceil(beats / BLOCK_BEATS))))
    key = Key(int(draw.integers(28, 36)))  # E to B: a bass that small speakers still play
    material = _Material(key, draw)
    parts: Parts = defaultdict(list)
    voices = None
    for block in plan:
        harmony = material.harmony(block)
        voicings = []
        for _, _, chord in harmony:
            voices = voicing(key, chord, voices)
            voicings.append(voices)
        _keys(parts, block, harmony, voicings, draw)
        _pad(parts, block, harmony, voicings)
        _bass(parts, block, harmony, material, draw)
        _arp(parts, block, harmony, voicings, material)
        _tune(parts, block, harmony, material, draw)
    strokes = drums.write(plan, draw)
    parts = {name: [_until(note, ending) for note in notes if note.start < ending] for name, notes in parts.items()}
    _close(parts, key, ending, beats, voices)
    strokes = {name: [stroke for stroke in hits if stroke[0] < ending - 0.05] for name, hits in strokes.items()}
    for name, velocity in (("kick", 1.0), ("crash", 0.8)):
        strokes.setdefault(name, []).append((float(ending), velocity))
    parts = {name: notes for name, notes in parts.items() if notes}
    return Arrangement(parts, strokes, form.sections(plan, beats), beats)


class _Material:
    """What the seed decides once for the whole song: progressions, patterns, motifs."""

    def __init__(self, key: Key, draw: np.random.Generator) -> None:
        self.key = key
        self.verse, self.chorus = VERSES[draw.integers(len(VERSES))], CHORUSES[draw.integers(len(CHORUSES))]
        self.bass = {name: lines[draw.integers(len(lines))] for name, lines in _BASS_LINES.items()}
        self.arp = _ARP_SHAPES[draw.integers(len(_ARP_SHAPES))]
        self.hook = melody.motif(melody.CHORUS_RHYTHMS, draw)
        self.story = melody.motif(melody.VERSE_RHYTHMS, draw)

    def harmony(self, block: Block) -> Harmony:
        """The chords of a block."""
        bars = {
            "intro": self.verse,
            "verse": self.verse,
            "lift": LIFT,
            "chorus": self.chorus,
            "break": BREAKS[block.turn % len(BREAKS)],
            "outro": OUTRO,
        }[block.name]
        chords = []
        for bar, content in enumerate(bars):
            if isinstance(content, Chord):
                chords.append((4.0 * bar, 4.0, content))
            else:
                chords += [(4.0 * bar + 2 * half, 2.0, chord) for half, chord in enumerate(content)]
        return chords


def chord_at(harmony: Harmony, beat: float) -> int:
    """The index of the chord that sounds at a beat of the block."""
    return max(index for index, (start, _, _) in enumerate(harmony) if start <= beat + 1e-6)


def _keys(parts: Parts, block: Block, harmony: Harmony, voicings: list[Voicing], draw: np.random.Generator) -> None:
    for bar in range(BLOCK_BARS):
        for beat, length in _KEYS_RHYTHMS[block.name]:
            start = bar * BEATS_PER_BAR + beat
            accent = 1.0 if beat == int(beat) else 0.9
            for voice, pitch in enumerate(voicings[chord_at(harmony, start)]):
                velocity = _KEYS_VELOCITY[block.name] * accent * draw.uniform(0.9, 1.05)
                strummed = 0.012 * voice if length > 1 else 0.0
                parts["keys"].append(Note(block.at + start + strummed, length, pitch, velocity))


def _pad(parts: Parts, block: Block, harmony: Harmony, voicings: list[Voicing]) -> None:
    if block.name in ("intro", "verse") and not (block.name == "verse" and block.round):
        return
    level = {"verse": 0.35, "lift": 0.65, "chorus": 0.8, "break": 0.7, "outro": 0.6}[block.name]
    for (start, length, _), pitches in zip(harmony, voicings, strict=True):
        parts["pad"] += [Note(block.at + start, length, pitch, level) for pitch in pitches]


def _bass(parts: Parts, block: Block, harmony: Harmony, material: _Material, draw: np.random.Generator) -> None:
    if block.name == "intro":
        return
    line, key = material.bass[block.name], material.key
    for bar in range(BLOCK_BARS):
        for beat, length, tone in line:
            start = bar * BEATS_PER_BAR + beat
            index = chord_at(harmony, start)
            root = key.bass(harmony[index][2])
            # Two chords of half a bar are both heard in the bass, even where a long note would cover the change.
            length = min(length, harmony[index][0] + harmony[index][1] - start)
            following = key.bass(harmony[(index + 1) % len(harmony)][2])
            leading = root + 12 if following == root else key.scale_step(following, -1 if following > root else 1)
            pitch = (root, root + 7, root + 12, leading)[tone]
            velocity = (0.95 if beat == 0 else 0.82) * draw.uniform(0.95, 1.05)
            parts["bass"].append(Note(block.at + start, length, pitch, velocity))


def _arp(parts: Parts, block: Block, harmony: Harmony, voicings: list[Voicing], material: _Material) -> None:
    """Broken chords: sixteenths that open up in lift and chorus, calm eighths elsewhere, silent in verses."""
    if block.name == "verse" or (block.name == "chorus" and block.turn == 0 and block.round == 0):
        return
    step = 0.25 if block.name in ("lift", "chorus") else 0.5
    count = int(BLOCK_BEATS / step)
    for index in range(count):
        start = index * step
        rise = index / count if block.name in ("intro", "lift") else 0.6
        voices = voicings[chord_at(harmony, start)]
        place = material.arp[index % len(material.arp)] % len(voices)
        accent = 1.0 if start == int(start) else 0.72
        parts["arp"].append(Note(block.at + start, step * 0.9, voices[place] + 12, (0.35 + 0.4 * rise) * accent))


def _tune(parts: Parts, block: Block, harmony: Harmony, material: _Material, draw: np.random.Generator) -> None:
    """The melody.

    It tells the story in verses, sings the hook in choruses (later in two voices), and slows in breaks.
    """
    key, closed = material.key, block.last
    variation = min(block.round, 2)
    if block.name == "verse":
        phrase = melody.phrase(material.story, harmony, key, low=60, closed=closed, variation=variation, draw=draw)
        parts["flute"] += _notes(phrase, block.at, 0.72)
    elif block.name == "chorus":
        variation = min(variation + block.turn // 2, 2)
        phrase = melody.phrase(material.hook, harmony, key, low=65, closed=closed, variation=variation, draw=draw)
        parts["lead"] += _notes(phrase, block.at, 0.85)
        if block.round or block.turn:
            below = melody.second_voice(phrase, harmony, key)
            parts["second"] += _notes(below, block.at, 0.55)
    elif block.name in ("break", "outro"):
        slow = melody.augmented(material.hook)
        phrase = melody.phrase(slow, harmony, key, low=72, closed=True, variation=0, draw=draw)
        parts["bell"] += _notes(phrase, block.at, 0.6)


def _notes(phrase: list[tuple[float, float, int]], at: float, velocity: float) -> list[Note]:
    return [
        Note(at + start, length, pitch, velocity * (1.0 if start % 1 == 0 else 0.9)) for start, length, pitch in phrase
    ]


def _until(note: Note, end: float) -> Note:
    return note._replace(length=min(note.length, end - note.start))


def _close(parts: Parts, key: Key, ending: int, beats: float, voices: Voicing | None) -> None:
    """The last chord: tonic with ninth, left to ring."""
    length = beats - ending
    for pitch in voicing(key, TONIC_NINTH, voices):
        parts.setdefault("keys", []).append(Note(ending, length, pitch, 0.7))
        parts.setdefault("pad", []).append(Note(ending, length, pitch, 0.6))
    parts.setdefault("bass", []).append(Note(ending, length, key.tonic, 0.9))
    parts.setdefault("bell", []).append(Note(ending, length, key.degree(0, 84), 0.5))
