"""Music of any style and metre, improvised from ``patterns``: drums, bass, chords and a melody over drawn harmonies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from train.data.music import ensembles, patterns
from train.data.music.midi import Note, Part
from train.data.music.patterns import Style

_LOUDNESS = {"X": 112, "x": 88, "o": 58, "?": 50}
_KITS = (0, 0, 8, 16, 24, 25, 32, 40)  # General MIDI
_BASSES = (32, 33, 34, 35, 36, 38, 39, 43, 87)
_CHORDS = (0, 1, 2, 4, 5, 6, 11, 16, 19, 21, 24, 25, 26, 27, 28, 46, 48, 50, 61, 62, 81, 88, 89, 90)
_VOICES = (0, 4, 11, 21, 22, 24, 25, 27, 29, 40, 42, 52, 56, 57, 60, 65, 66, 68, 71, 73, 75, 78, 80, 81, 105)
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))  # major, minor
_DEGREES = ((0, 3, 4, 5), (0, 5, 3, 4), (5, 3, 0, 4), (0, 4, 5, 3), (1, 4, 0, 0), (0, 3), (0, 6, 5, 4), (0, 0, 3, 4))
_LOWEST_BASS = 30  # MIDI pitches
_CHORD_CENTRE = 60
_TIMING = 0.006  # seconds by which the players are off, standard deviation of the least precise ones' times two


@dataclass(frozen=True)
class Improvised:
    """A piece on its own grid. Times are the style's beats, and beat 0 is a downbeat.

    counted: every so many beats is one that people dance to, from the downbeat on.
    """

    parts: tuple[Part, ...]
    beats_per_bar: int
    counted: int


def improvise(
    style: Style, bars: int, bpm: float, draw: np.random.Generator, ensemble: str | None = None
) -> Improvised:
    """Improvise so many bars.

    bpm: the tempo at which they will be played, on which the players' imprecision in beats depends.
    ensemble: one of ``ensembles.ENSEMBLES``; None is a band.
    """
    chords = _harmony(bars, draw)
    swing = float(draw.uniform(*style.swing)) if draw.random() < 0.7 else 0.0
    chosen = _ensemble(style, chords, draw, ensemble) if ensemble else _band(style, chords, draw)
    step = style.beats / style.steps
    sloppy = abs(draw.normal(0, _TIMING)) * bpm / 60
    moved = [_played(part, step, swing, sloppy, draw) for part in chosen]
    return Improvised(tuple(part for part in moved if part.notes), style.beats, style.counted)


def _band(style: Style, chords: list[tuple[int, ...]], draw: np.random.Generator) -> list[Part]:
    """Most of drums, bass, chords and a melody, each silent now and then."""
    bars = len(chords)
    players = [_drums(style, bars, draw), _bass(style, chords, draw), _chords(style, chords, draw)]
    with_drums, with_bass, with_chords = draw.random(3) < (0.8, 0.85, 0.85)
    if not (with_drums or with_chords):
        with_chords = True
    chosen = [part for part, plays in zip(players, (with_drums, with_bass, with_chords), strict=True) if plays]
    if draw.random() < 0.65:
        chosen.append(_melody(style, chords, draw))
    return [_in_sections(part, bars, style.beats, draw) for part in chosen]


def _ensemble(style: Style, chords: list[tuple[int, ...]], draw: np.random.Generator, name: str) -> list[Part]:
    """What an ensemble plays: mostly bass, chords and a tune, and seldom drums."""
    with_drums = draw.random() < ensembles.ENSEMBLES[name].drums
    with_bass, with_chords = draw.random(2) < (0.85, 0.8)
    tune = (ensembles.tune, ensembles.broken, _melody)[int(draw.choice(3, p=[0.5, 0.25, 0.25]))]
    chosen = [tune(style, chords, draw)]
    if with_bass or not with_chords:
        chosen.append(_bass(style, chords, draw))
    if with_chords:
        chosen.append(_chords(style, chords, draw))
    played_on = ensembles.programs(name, draw)
    chosen = [replace(part, program=played_on[part.name]) for part in chosen]
    if with_drums:
        chosen.append(_in_sections(_drums(style, len(chords), draw), len(chords), style.beats, draw))
    if draw.random() < ensembles.ENSEMBLES[name].even:
        chosen = [ensembles.evened(part) for part in chosen]
    return chosen


def _harmony(bars: int, draw: np.random.Generator) -> list[tuple[int, ...]]:
    """The pitches of each bar's chord, from its root up. Harmonies last one bar, two, or (seldom) four."""
    scale = _SCALES[int(draw.integers(2))]
    key, degrees = int(draw.integers(12)), _DEGREES[int(draw.integers(len(_DEGREES)))]
    each = int(draw.choice([1, 2, 4], p=[0.6, 0.3, 0.1]))
    sevenths = draw.random() < 0.4
    found = []
    for bar in range(bars):
        degree = degrees[(bar // each) % len(degrees)]
        tones = [scale[(degree + k) % 7] + 12 * ((degree + k) // 7) for k in (0, 2, 4, 6)[: 4 if sevenths else 3]]
        found.append(tuple(key + tone for tone in tones))
    return found


def _line(lines: tuple[str, ...], draw: np.random.Generator) -> str:
    return lines[int(draw.integers(len(lines)))]


def _steps(line: str, style: Style, bars: int) -> Iterator[tuple[int, int, str]]:
    """(bar, step in the bar, sign) of every sign of a line that is repeated through the bars."""
    for at in range(bars * style.steps):
        yield at // style.steps, at % style.steps, line[at % len(line)]


def _drums(style: Style, bars: int, draw: np.random.Generator) -> Part:
    """The kit, with a fill before every fourth or eighth bar and a crash after it."""
    phrase = int(draw.choice([4, 8]))
    fills, step = draw.random() < 0.6, style.beats / style.steps
    notes = []
    for instrument, lines in style.drums.items():
        if draw.random() < 0.12:
            continue
        line = _line(lines, draw)
        for bar, place, sign in _steps(line, style, bars):
            last = fills and bar % phrase == phrase - 1 and place >= style.steps * 0.75
            if sign == "." or (sign == "?" and draw.random() < 0.5) or (last and instrument != patterns.KICK):
                continue
            at = bar * style.beats + place * step
            notes.append(Note(at, at + step / 2, instrument, _velocity(sign, draw)))
    if fills:
        toms = (patterns.SNARE, patterns.HIGH_TOM, patterns.MID_TOM, patterns.LOW_TOM)
        for bar in range(bars):
            if bar % phrase == phrase - 1:
                for place in range(int(style.steps * 0.75), style.steps):
                    if draw.random() < 0.7:
                        at = bar * style.beats + place * step
                        notes.append(Note(at, at + step / 2, toms[int(draw.integers(4))], int(draw.integers(70, 110))))
            elif bar % phrase == 0 and bar and draw.random() < 0.8:
                notes.append(
                    Note(bar * style.beats, bar * style.beats + 1, patterns.CRASH, int(draw.integers(90, 115)))
                )
    return Part(
        "drums", tuple(sorted(notes)), program=int(draw.choice(_KITS)), drums=True, volume=int(draw.integers(80, 118))
    )


def _bass(style: Style, chords: list[tuple[int, ...]], draw: np.random.Generator) -> Part:
    line, step = _line(style.bass, draw), style.beats / style.steps
    notes: list[Note] = []
    for bar, place, sign in _steps(line, style, len(chords)):
        at = bar * style.beats + place * step
        if sign == "-" and notes:
            notes[-1] = notes[-1]._replace(end=at + step)
        elif sign.isdigit():
            chord = chords[bar]
            root = _LOWEST_BASS + (chord[0] - _LOWEST_BASS) % 12
            pitch = root + (0, (chord[2] - chord[0]), 12, chord[1] - chord[0])[int(sign)]
            notes.append(Note(at, at + 0.9 * step, pitch, _velocity("X" if place == 0 else "x", draw)))
    return Part("bass", tuple(notes), program=int(draw.choice(_BASSES)), volume=int(draw.integers(84, 118)))


def _chords(style: Style, chords: list[tuple[int, ...]], draw: np.random.Generator) -> Part:
    """Chords, struck or broken, some of them taken an eighth early."""
    line, step = _line(style.chords, draw), style.beats / style.steps
    broken, pushes = draw.random() < 0.35, draw.random() < 0.2
    notes: list[Note] = []
    count = 0
    struck = [(bar, place, sign) for bar, place, sign in _steps(line, style, len(chords)) if sign in _LOUDNESS]
    for i, (bar, place, sign) in enumerate(struck):
        at = bar * style.beats + place * step
        next_at = len(chords) * style.beats
        if i + 1 < len(struck):
            next_at = struck[i + 1][0] * style.beats + struck[i + 1][1] * step
        pitches = sorted(_CHORD_CENTRE - 6 + (tone - _CHORD_CENTRE + 6) % 12 for tone in chords[bar])
        if broken:
            pitches = [pitches[(0, 2, 1, len(pitches) - 1)[count % 4]]] if place else pitches[:2]
            count += 1
        if pushes and place == 0 and bar and draw.random() < 0.5:
            at -= style.beats / style.steps * max(1, style.steps // style.beats // 2)
        end = at + (next_at - at) * (0.95 if draw.random() < 0.7 else 0.4)
        notes += [Note(at, max(end, at + 0.1), pitch, _velocity(sign, draw) - 12) for pitch in pitches]
    return Part(
        "chords", tuple(sorted(notes)), program=int(draw.choice(_CHORDS)), volume=int(draw.integers(60, 110)), pan=80
    )


def _melody(style: Style, chords: list[tuple[int, ...]], draw: np.random.Generator) -> Part:
    """A tune in two-bar phrases that return, whose notes more often begin on beats than between them."""
    step, per_beat = style.beats / style.steps, style.steps / style.beats
    likely = [0.75 if place == 0 else 0.5 if place % per_beat == 0 else 0.2 for place in range(style.steps)]
    if style.steps % 2 == 0 and per_beat >= 4:
        likely = [p if place % 2 == 0 else 0.07 for place, p in enumerate(likely)]
    phrases = [draw.random((2, style.steps)) < np.array(likely) for _ in range(3)]
    order = (0, 1, 0, 2)
    pitch = int(draw.integers(64, 80))
    notes: list[Note] = []
    for bar, chord in enumerate(chords):
        rhythm = phrases[order[(bar // 2) % 4]][bar % 2]
        for place in np.flatnonzero(rhythm):
            at = bar * style.beats + float(place) * step
            if draw.random() < 0.6:  # a tone of the chord near the last one
                tones = [tone % 12 for tone in chord]
                near = [p for p in range(pitch - 7, pitch + 8) if p % 12 in tones and 57 < p < 88]
                pitch = int(draw.choice(near)) if near else pitch
            else:
                pitch = int(np.clip(pitch + draw.choice([-2, -1, 1, 2]), 58, 88))
            if notes and notes[-1].end > at:
                notes[-1] = notes[-1]._replace(end=at)
            notes.append(Note(at, at + float(draw.choice([0.4, 0.9, 1.8])), pitch, _velocity("x", draw)))
    return Part("melody", tuple(notes), program=int(draw.choice(_VOICES)), volume=int(draw.integers(84, 115)), pan=56)


def _in_sections(part: Part, bars: int, beats: int, draw: np.random.Generator) -> Part:
    """The part, silent now and then for four bars."""
    silent = [draw.random() < 0.1 for _ in range(bars // 4 + 1)]
    return part.map(lambda note: None if silent[min(int(max(note.start, 0) / beats) // 4, len(silent) - 1)] else note)


def _played(part: Part, step: float, swing: float, sloppy: float, draw: np.random.Generator) -> Part:
    """The part with swing and with a person's timing. What would begin before the piece begins with it."""

    def moved(note: Note) -> Note:
        odd = round(note.start / step) % 2 == 1
        by = swing * step * odd + float(draw.normal(0, sloppy))
        return note._replace(start=max(0.0, note.start + by), end=max(0.05, note.end + by))

    return replace(part, notes=tuple(sorted(moved(note) for note in part.notes)))


def _velocity(sign: str, draw: np.random.Generator) -> int:
    return int(np.clip(_LOUDNESS[sign] + draw.normal(0, 6), 20, 127))
