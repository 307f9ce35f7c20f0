"""Tunes as people play them alone or with a simple accompaniment: reels, marches, polkas, jigs, waltzes and airs.

A tune has two parts of eight bars, each played twice. Its rhythm is made of few figures of one beat, and its bars
return as they do in folk tunes: the third pair of bars repeats the first one, and the last bar ends on the tonic. Only
its notes say where the beat is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from train.data.music.ensembles import evened
from train.data.music.midi import Note, Part


@dataclass(frozen=True)
class Dance:
    """A kind of tune.

    beats: of a bar.
    steps: of a beat.
    bpm: slowest and fastest tempo of those beats.
    figures: rhythms of one beat, a sign for each step: ``x`` begins a note, ``.`` goes on. Each comes with how often it
        is used, relative to the others.
    tied: share of the beats within a bar that go on with the note before them.
    """

    beats: int
    steps: int
    bpm: tuple[float, float]
    figures: Mapping[str, float]
    tied: float = 0.05


_EIGHTHS = {"x.x.": 6, "x...": 2, "x.xx": 1, "xxx.": 1}
_MARCHED = {"x..x": 3, "x.x.": 3, "x...": 3, "xxxx": 0.7, "x.xx": 1}
_JIGGED = {"xxx": 5, "x.x": 3, "x..": 2, "xx.": 0.5}
DANCES: dict[str, Dance] = {
    "reel": Dance(4, 4, (170, 228), {"x.x.": 8, "x...": 1.5, "x.xx": 0.4}),
    "reel in four": Dance(4, 4, (84, 144), {"x.x.": 6, "xxxx": 2, "x...": 2, "x.xx": 1, "xxx.": 1}),
    "hornpipe": Dance(4, 3, (84, 144), {"x.x": 7, "xxx": 1, "x..": 2}),
    "schottische": Dance(4, 4, (76, 136), {"x..x": 6, "x...": 2, "xxxx": 0.5, "xx..": 1}),
    "march": Dance(4, 4, (84, 132), _MARCHED),
    "song in four": Dance(4, 4, (72, 140), {"x...": 6, "x.x.": 3, "x..x": 0.7}, tied=0.25),
    "hymn": Dance(4, 2, (66, 120), {"x.": 8, "xx": 1}, tied=0.25),
    "quickstep": Dance(2, 4, (84, 130), _MARCHED),
    "polka": Dance(2, 4, (80, 136), {"x.x.": 4, "x.xx": 2, "xxx.": 2, "xxxx": 1.5, "x...": 1}),
    "song in two": Dance(2, 4, (70, 116), _EIGHTHS, tied=0.1),
    "jig": Dance(2, 3, (88, 136), _JIGGED),
    "slow jig": Dance(2, 6, (60, 92), {"x.x.x.": 4, "x...x.": 3, "x.....": 2, "x..xx.": 1}, tied=0.1),
    "slip jig": Dance(3, 3, (80, 132), _JIGGED),
    "waltz": Dance(3, 4, (88, 186), {"x...": 6, "x.x.": 3, "x..x": 0.7}, tied=0.25),
    "mazurka": Dance(3, 4, (96, 160), {"x...": 5, "x..x": 3, "x.x.": 2}, tied=0.1),
    "minuet": Dance(3, 4, (92, 200), {"x.x.": 4, "x...": 5, "xxxx": 0.5}, tied=0.12),
}
"""Kinds of tunes. Reels of more than 168 beats a minute are counted in two."""

_ALONE = (40, 110, 73, 72, 74, 75, 78, 79, 21, 22, 23, 105, 24, 25, 15, 109, 0, 0, 6, 46, 10, 11, 80, 68, 71, 65, 56)
_WITH = ((32, 21), (32, 24), (0, 0), (0, 0), (43, 48), (24, 24), (42, 45), (58, 61), (19, 19), (38, 80), (46, 46))
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 4, 5, 7, 9, 10), (0, 2, 3, 5, 7, 9, 10), (0, 2, 3, 5, 7, 8, 10))
_CADENCE = (4, 0)  # degrees of the last two bars
_EVERY = ("none", "none", "none", "bass and chords", "bass and chords", "bass", "chords", "drone")
_LOWEST, _HIGHEST = -5, 12  # degrees of the scale around the tonic


def compose(dance: Dance, bars: int, draw: np.random.Generator) -> tuple[Part, ...]:
    """A tune of so many bars, with or without an accompaniment, in beats from a downbeat on."""
    scale, tonic = _SCALES[int(draw.integers(len(_SCALES)))], int(draw.integers(60, 73))
    parts = [_part(dance, draw) for _ in range(2)]
    whole = [bar for which in (0, 0, 1, 1) for bar in parts[which]]
    melody = _melody(dance, [whole[i % len(whole)] for i in range(bars)], scale, tonic, draw)
    chords = [_chord(whole[i % len(whole)].degree, scale, tonic) for i in range(bars)]
    found = [melody, *_accompaniment(dance, chords, str(draw.choice(_EVERY)), draw)]
    if draw.random() < 0.25:
        found = [evened(part) for part in found]
    return tuple(part for part in found if part.notes)


@dataclass(frozen=True)
class _Bar:
    """The steps (n,) of a bar on which notes begin, the degree of each note, and the degree of its harmony."""

    places: tuple[int, ...]
    tones: tuple[int, ...]
    degree: int


def _part(dance: Dance, draw: np.random.Generator) -> list[_Bar]:
    """Eight bars: two, two others, the first two again, and two that end."""
    weight = np.array(list(dance.figures.values())) * draw.gamma(1.0, size=len(dance.figures))
    names = list(dance.figures)

    def rhythm() -> str:
        return "".join(names[int(draw.choice(len(names), p=weight / weight.sum()))] for _ in range(dance.beats))

    degrees = [0, *(int(draw.choice([0, 3, 4, 5, 1, 0])) for _ in range(3))]
    pitch = int(draw.integers(0, 8))
    bars: list[_Bar] = []
    for degree in degrees:
        bars.append(_bar(dance, rhythm(), degree, pitch, draw))
        pitch = bars[-1].tones[-1]
    before = _bar(dance, rhythm(), _CADENCE[0], pitch, draw)
    closing = [0] if draw.random() < 0.6 else [0, (dance.beats - 1) * dance.steps]  # a long note, or one with an upbeat
    end = _Bar(tuple(closing), (7 if pitch > 4 else 0, *(int(draw.integers(2, 6)) for _ in closing[1:])), _CADENCE[1])
    return [*bars, *bars[:2], before, end]


def _bar(dance: Dance, rhythm: str, degree: int, pitch: int, draw: np.random.Generator) -> _Bar:
    """A bar with notes of its chord on most beats, and steps or broken chords between them."""
    places, tones = [], []
    arpeggio = draw.random() < 0.35
    for place, sign in enumerate(rhythm):
        on_beat = place % dance.steps == 0
        if sign != "x" or (on_beat and place and draw.random() < dance.tied):
            continue
        if (on_beat and draw.random() < 0.75) or arpeggio:
            near = [t for t in range(pitch - 4, pitch + 5) if (t - degree) % 7 in (0, 2, 4) and t != pitch]
            pitch = int(draw.choice(near))
        else:
            pitch += int(draw.choice([-1, 1, -1, 1, 0, 2, -2]))
        pitch = int(np.clip(pitch, _LOWEST, _HIGHEST))
        places.append(place)
        tones.append(pitch)
    return _Bar(tuple(places), tuple(tones), degree)


def _melody(dance: Dance, bars: list[_Bar], scale: tuple[int, ...], tonic: int, draw: np.random.Generator) -> Part:
    """The notes of the tune, now and then with a short one before a long one."""
    begins = [
        (bar * dance.beats + place / dance.steps, tone, place)
        for bar, some in enumerate(bars)
        for place, tone in zip(some.places, some.tones, strict=True)
    ]
    ends = [at for at, _, _ in begins[1:]] + [len(bars) * dance.beats]
    length = float(draw.choice([0.98, 0.85, 0.6]))
    accent, graces = float(draw.uniform(0, 12)), draw.random() * 0.15 * (draw.random() < 0.5)
    notes = []
    for (at, tone, place), until in zip(begins, ends, strict=True):
        pitch = tonic + 12 * (tone // 7) + scale[tone % 7]
        loud = draw.normal(84, 6) + accent * (place == 0) + accent / 2 * (place % dance.steps == 0)
        loud = int(np.clip(loud, 30, 120))
        end = at + max(0.08, length * (until - at))
        if draw.random() < graces and at > 0.1:
            notes.append(Note(at - 0.07, at - 0.005, pitch + 2, loud - 8))
        notes.append(Note(at, end, pitch, loud))
    return Part("melody", tuple(sorted(notes)), program=int(draw.choice(_ALONE)), volume=int(draw.integers(90, 115)))


def _chord(degree: int, scale: tuple[int, ...], tonic: int) -> tuple[int, ...]:
    """The pitches of the chord on a degree of the scale, from its root up."""
    return tuple(tonic + scale[(degree + k) % 7] + 12 * ((degree + k) // 7) for k in (0, 2, 4))


def _accompaniment(dance: Dance, chords: list[tuple[int, ...]], kind: str, draw: np.random.Generator) -> list[Part]:
    """Bass notes on the strong beats, chords on the others, both, or a fifth that goes on; or nothing."""
    low, high = _WITH[int(draw.integers(len(_WITH)))]
    beats, bass, struck = dance.beats, list[Note](), list[Note]()
    strong = {0, 2} if beats == 4 and draw.random() < 0.7 else {0}
    late = 0.5 if beats == 2 and dance.steps == 4 and draw.random() < 0.6 else 0.0  # a polka's chords, after each beat
    if dance.steps in (3, 6) and beats < 4:
        strong, late = set(range(beats)), 2 / 3  # and a jig's, on the last third of it
    for bar, chord in enumerate(chords):
        root = 36 + (chord[0] - 36) % 12
        tones = sorted(55 + (tone - 55) % 12 for tone in chord)
        for beat in range(beats):
            at = float(bar * beats + beat)
            if kind == "drone":
                if beat == 0:
                    bass += [Note(at, at + beats * 0.99, 36 + (chords[0][0] - 36) % 12 + k, 66) for k in (0, 7)]
            elif beat in strong or (late and kind == "bass and chords"):
                pitch = root + (7 if beat and draw.random() < 0.5 and chord[2] - chord[0] == 7 else 0)
                if kind != "chords":
                    bass.append(Note(at, at + 0.85, pitch, 80))
                if late and kind == "bass and chords":
                    struck += [Note(at + late, at + late + 0.3, tone, 62) for tone in tones]
            elif kind == "bass and chords":
                struck += [Note(at, at + 0.5, tone, 62) for tone in tones]
            if kind == "chords":
                struck += [Note(at, at + 0.9, tone, 68 if beat else 76) for tone in tones]
    if kind == "none":
        return []
    loud = int(draw.integers(70, 105))
    return [
        Part("bass", tuple(sorted(bass)), program=low, volume=loud),
        Part("chords", tuple(sorted(struck)), program=high, volume=max(50, loud - 15)),
    ]
