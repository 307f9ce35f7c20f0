"""Rendered music whose beats are known exactly, for the beat tracker: to train it, to choose it and to measure it.

Eight kinds: POP909 songs as they were played, POP909 songs with a band (``arrange``), Groove drum takes, music
improvised in many styles and metres (``improvise``), played by soundfonts or by plain waves (``plain_synth``), by a
band or by what is none (``ensembles``), tunes that one player plays (``tunes``), and the plainest rhythms that
drums can play. Some have a silent intro, a drifting or ramping tempo, or rubato.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from core.audio.beat_network import RATE, spectrogram
from core.audio.beat_tracking import SLOWEST_DANCED
from core.audio.io import resample
from core.files import file_digest
from core.types import Beats, Waveform
from train.data.jobs import Job, Records
from train.data.music import arrange, clock, midi, patterns, plain_synth, synth, tunes
from train.data.music.ensembles import ENSEMBLES
from train.data.music.improvise import Improvised, improvise
from train.data.music.midi import Note, Part
from train.data.music.patterns import STYLES
from train.data.shards import key

SECONDS = 36.0
FASTEST = 168.0  # beats a minute; people dance to every second beat of what is faster, unless its bars are uneven
SHARES = {
    "pop909": 0.12,
    "arranged": 0.05,
    "groove": 0.12,
    "improvised": 0.15,
    "plain": 0.2,
    "ensemble": 0.17,
    "tune": 0.17,
    "strokes": 0.02,
}
PLAINLY = {"plain": 1.0, "ensemble": 0.3, "tune": 0.15, "strokes": 0.7}  # shares played by plain waves
ENSEMBLE_STYLES = (
    *("waltz", "ballad", "slow three", "march", "six-eight", "rock", "waltz", "country", "jig", "swing", "slow three"),
    *("polka", "jazz waltz", "tango", "six-eight", "bossa nova", "waltz", "ballad", "motown", "slow blues", "house"),
    *("five", "ska", "seven"),
)
"""Styles of excerpts that no band plays. A third of them are in three, and few in five and seven."""
TUNES = (
    *("reel", "polka", "waltz", "jig", "march", "hornpipe", "song in four", "quickstep", "minuet", "reel in four"),
    *("slip jig", "song in two", "reel", "song in four", "mazurka", "slow jig", "hornpipe", "polka", "hymn"),
    *("reel in four", "waltz", "jig", "schottische", "quickstep", "march"),
)
"""Kinds of the tunes. Two thirds of them are in two and four."""
_RENDER_RATE = 22_050
_CLICKS = (patterns.RIM, patterns.CLAVES, patterns.COWBELL, patterns.KICK, patterns.SNARE, patterns.CLAP)
_KICKS: tuple[dict[int, tuple[tuple[float, int], ...]], ...] = (
    {0: ((0.0, 110),), 2: ((0.0, 110),)},
    {0: ((0.0, 110),), 2: ((0.0, 100),)},
    dict.fromkeys(range(4), ((0.0, 110),)),
    {0: ((0.0, 112),), 2: ((0.0, 100), (0.5, 90))},
    {0: ((0.0, 112),), 1: ((0.5, 90),), 2: ((0.0, 100),)},
)
"""Kicks of plain grooves: for a beat of the bar, when after it and how loud. All are on the first and the third."""
_VOICES = (0, 0, 0, 0, 0, 0, 1, 4, 5, 24, 25, 48, 73)  # General MIDI programs of a song played plainly


@dataclass(frozen=True)
class Music:
    """Notes with their beats.

    parts: their times are seconds.
    beats: exact, with downbeats.
    """

    parts: list[Part]
    beats: Beats


def excerpt(data: Path, kind: str, split: str, number: int, seed: int) -> Music:
    """The notes and beats of an excerpt of ``SECONDS``. The same arguments give the same music.

    kind: one of ``SHARES``.
    """
    draw = np.random.default_rng([seed, number, sorted(SHARES).index(kind), split == "val"])
    style = style_of(kind, number)
    make: Callable[[], Music] = {
        "pop909": lambda: _pop909(data, split, number, draw),
        "arranged": lambda: _arranged(data, split, draw),
        "groove": lambda: _groove(data, split, number, draw),
        "improvised": lambda: improvised(style, draw),
        "plain": lambda: improvised(style, draw),
        "ensemble": lambda: improvised(style, draw, ensemble=str(draw.choice(list(ENSEMBLES)))),
        "tune": lambda: tune(style, draw),
        "strokes": lambda: _strokes(draw),
    }[kind]
    music = make()
    if draw.random() < 0.12:
        music = _delayed(music, float(draw.uniform(0.5, 8.0)))
    return replace(music, beats=music.beats.between(0, SECONDS))


def style_of(kind: str, number: int) -> str:
    """The style of an excerpt, or the kind of its tune; empty for what was composed elsewhere."""
    styles: tuple[str, ...] = {
        "improvised": tuple(STYLES),
        "plain": tuple(STYLES),
        "ensemble": ENSEMBLE_STYLES,
        "tune": TUNES,
    }.get(kind, ("",))
    return styles[number % len(styles)]


def render(music: Music, draw: np.random.Generator, seconds: float = SECONDS) -> Waveform:
    """The sound of music, with one of the installed soundfonts, at a level as recordings have."""
    soundfont = str(draw.choice(synth.installed_soundfonts()))
    sound = synth.render(music.parts, seconds, rate=_RENDER_RATE, soundfont=soundfont)
    return synth.set_level(sound, float(np.clip(draw.normal(-16, 5), -32, -7)))


def improvised(
    style: str,
    draw: np.random.Generator,
    bpm: float | None = None,
    freedom: str | None = None,
    ensemble: str | None = None,
) -> Music:
    """Music in a style.

    bpm: of its counted beats; None draws one of the style's tempi, sometimes a little beyond them.
    freedom: of its clock, one of ``clock.FREEDOMS``; None draws one.
    ensemble: who plays, one of ``ENSEMBLES``; None is a band.
    """
    chosen = STYLES[style]
    bpm, freedom = bpm or _tempo(chosen.bpm, draw), freedom or _freedom(draw)
    piece = improvise(chosen, _bars(chosen.beats, bpm), bpm, draw, ensemble)
    return _begun_anywhere(piece, bpm, freedom, draw)


def tune(kind: str, draw: np.random.Generator, bpm: float | None = None, freedom: str | None = None) -> Music:
    """A tune of a kind, one of ``tunes.DANCES``.

    bpm, freedom: as ``improvised`` takes them.
    """
    dance = tunes.DANCES[kind]
    bpm, freedom = bpm or _tempo(dance.bpm, draw), freedom or _freedom(draw)
    parts = tunes.compose(dance, _bars(dance.beats, bpm), draw)
    return _begun_anywhere(Improvised(parts, dance.beats, 1), bpm, freedom, draw)


def _tempo(bpm: tuple[float, float], draw: np.random.Generator) -> float:
    """A tempo between two, sometimes a little beyond them."""
    low, high = np.log(bpm)
    return float(np.exp(draw.uniform(low - 0.04, high + 0.04)))


def _freedom(draw: np.random.Generator) -> str:
    return str(draw.choice(clock.FREEDOMS, p=[0.66, 0.14, 0.1, 0.04, 0.06]))


def _bars(beats: int, bpm: float) -> int:
    """So many bars of so many beats that an excerpt can begin anywhere and run at any freedom."""
    return int(np.ceil(SECONDS * 1.6 * bpm / 60 / beats)) + 1


def _beginning(bpm: float, draw: np.random.Generator) -> float:
    """Where an excerpt begins, seconds: mostly somewhere in the first four beats."""
    return float(draw.uniform(0, 4 * 60 / bpm)) if draw.random() < 0.7 else 0.0


def _begun_anywhere(piece: Improvised, bpm: float, freedom: str, draw: np.random.Generator) -> Music:
    """The piece on a clock, mostly begun somewhere in its first beats."""
    bars = _bars(piece.beats_per_bar, bpm)
    times = clock.beat_times(bars * piece.beats_per_bar, bpm, freedom, draw)
    start = _beginning(bpm, draw)
    parts = [_from(part, start) for part in midi.on_clock(piece.parts, times)]
    return Music(parts, _counted(times - start, piece.beats_per_bar, piece.counted))


def _pop909(data: Path, split: str, number: int, draw: np.random.Generator) -> Music:
    """A song as it was played, faster or slower, mostly on the piano."""
    songs, _ = arrange.listed(str(data), split)
    name, _ = songs[number % len(songs)]
    parts, times, down = arrange.load_song(data, name)
    speed = float(np.exp(draw.normal(0, 0.12)))
    if draw.random() < 0.5:
        parts = [replace(part, program=int(draw.choice(_VOICES))) for part in parts]
    start = float(draw.uniform(0, max(0.0, times[-1] - SECONDS * speed)))
    moved = [part.map(lambda note: note._replace(start=note.start / speed, end=note.end / speed)) for part in parts]
    return Music([_from(p, start / speed) for p in moved], _labelled((times - start) / speed, down))


def _arranged(data: Path, split: str, draw: np.random.Generator) -> Music:
    bpm, seed = float(np.exp(draw.uniform(np.log(64), np.log(190)))), int(draw.integers(2**31))
    song, take = arrange.choose(data, split, bpm, seed)
    parts, beats = arrange.compose(data, song, take, bpm, SECONDS, seed)
    assert beats.downbeats is not None
    lead = arrange.lead_seconds(bpm)
    return Music(
        [_from(part, lead) for part in parts], _labelled(beats.times.double().numpy(), beats.downbeats.numpy())
    )


def _groove(data: Path, split: str, number: int, draw: np.random.Generator) -> Music:
    """A drum take, now and then with a bass line."""
    _, takes = arrange.listed(str(data), split)
    name, own = takes[number % len(takes)]
    take, bpm = arrange.load_take(data, name), own * float(np.exp(draw.normal(0, 0.1)))
    last = take.notes[-1].start
    first = float(draw.uniform(0, max(0.0, last - SECONDS * bpm / 60)))
    if draw.random() < 0.5:
        first = 4.0 * round(first / 4)
    times = clock.beat_times(int(last) + 2, bpm, "steady", draw)
    kit = replace(take, program=int(draw.choice((0, 0, 0, 8, 16, 24, 25, 32, 40))))
    parts = [_from(part, first * 60 / bpm) for part in midi.on_clock([kit], times)]
    return Music(parts, _counted(times - first * 60 / bpm, 4, 1))


def _strokes(draw: np.random.Generator) -> Music:
    """A metronome, accents of every second to seventh of its strokes, or a plain groove of drums, at a tempo to dance
    to; seldom strokes without a beat.

    Where nothing tells the bars, there are no downbeats.
    """
    if draw.random() < 0.1:
        return _free(draw)
    bpm = float(np.exp(draw.uniform(np.log(SLOWEST_DANCED), np.log(FASTEST))))
    if draw.random() < 0.4:  # where a plain groove is easily counted at half
        bpm = float(draw.uniform(125, FASTEST))
    beats_per_bar = int(draw.choice([1, 2, 3, 4, 4, 4, 4, 4, 5, 7]))
    grooves = beats_per_bar == 4 and draw.random() < 0.7
    notes = _groove_of_drums(bpm, draw) if grooves else _accents(bpm, beats_per_bar, draw)
    times = clock.beat_times(int(SECONDS * bpm / 60) + 3, bpm, "steady", draw)
    kit = Part("drums", tuple(sorted(notes)), program=int(draw.choice((0, 8, 16, 24, 25))), drums=True)
    start = _beginning(bpm, draw)
    tells = beats_per_bar >= 3
    down = np.arange(len(times)) % beats_per_bar == 0
    parts = [_from(part, start) for part in midi.on_clock([kit], times)]
    return Music(parts, _labelled(times - start, down if tells else np.zeros(len(times), bool)))


def _free(draw: np.random.Generator) -> Music:
    """One stroke or many at times that have nothing to do with each other: there is no beat."""
    times = np.sort(draw.uniform(0, SECONDS, int(np.exp(draw.uniform(0, np.log(160))))))
    sounds = draw.choice(_CLICKS, int(draw.integers(1, 4)))
    notes = (Note(at, at + 0.2, int(draw.choice(sounds)), int(draw.integers(30, 120))) for at in times.tolist())
    kit = Part("drums", tuple(notes), program=int(draw.choice((0, 8, 16, 24, 25))), drums=True)
    return Music([kit], Beats(torch.zeros(0), 0.0, torch.zeros(0, dtype=torch.bool)))


def _accents(bpm: float, beats_per_bar: int, draw: np.random.Generator) -> list[Note]:
    """Strokes on every beat, in beats; the first of each bar is louder, and of another sound in half of the draws."""
    between = int(draw.choice([1, 1, 2, 2, 4])) if beats_per_bar > 1 else 1  # strokes of a beat
    accent, plain = (int(one) for one in draw.choice(_CLICKS, 2))
    if draw.random() < 0.5:
        accent = plain
    soft, offbeat = int(draw.integers(25, 80)), int(draw.integers(40, 110))
    notes = []
    for beat in range(int(SECONDS * bpm / 60) + 2):
        first = beat % beats_per_bar == 0
        notes.append(Note(beat, beat + 0.25, accent if first else plain, 110 if first else soft))
        for part in range(between if between > 1 else 0):
            hat = soft if part == 0 else offbeat
            notes.append(Note(beat + part / between, beat + (part + 0.5) / between, patterns.HAT, hat))
    return notes


def _groove_of_drums(bpm: float, draw: np.random.Generator) -> list[Note]:
    """Kick and snare in turns or nearly so, in beats, mostly with hats, whose strokes between the beats may be the
    louder ones. Every bar is the same."""
    kicks = _KICKS[int(draw.integers(len(_KICKS)))]
    snare = int(draw.choice([patterns.SNARE, patterns.SNARE, patterns.CLAP, patterns.RIM]))
    hat = int(draw.choice([patterns.HAT, patterns.HAT, patterns.OPEN, patterns.RIDE, patterns.SHAKER]))
    each = int(draw.choice([0, 1, 2, 2, 2, 4]))  # strokes of the hats in a beat
    on, off = int(draw.integers(25, 90)), int(draw.integers(25, 115))
    notes = []
    for beat in range(int(SECONDS * bpm / 60) + 2):
        notes += [Note(beat + at, beat + at + 0.2, patterns.KICK, loud) for at, loud in kicks.get(beat % 4, ())]
        if beat % 2:
            notes.append(Note(beat, beat + 0.2, snare, 108))
        for part in range(each):
            notes.append(Note(beat + part / each, beat + (part + 0.5) / each, hat, off if part else on))
    return notes


def _counted(times: np.ndarray, beats_per_bar: int, counted: int) -> Beats:
    """The beats that people dance to among all (n,), of which the first is a downbeat."""
    index = np.arange(len(times))
    kept = (index % beats_per_bar) % counted == 0
    return _labelled(times[kept], (index % beats_per_bar == 0)[kept])


def _labelled(times: np.ndarray, down: np.ndarray) -> Beats:
    """Beats (n,) as they are to be found: of fast music in even bars, the first, third ... beat of each bar."""
    tempo = 60 / float(np.median(np.diff(times)))
    beats = Beats(torch.from_numpy(times.copy()).float(), tempo, torch.from_numpy(down.copy()))
    bar = np.diff(np.flatnonzero(down))
    if tempo > FASTEST and len(bar) and np.median(bar) % 2 == 0:
        kept = beats.since_downbeat % 2 == 0
        beats = Beats(beats.times[kept], tempo / 2, torch.from_numpy(down)[kept])
    return beats


def _from(part: Part, start: float) -> Part:
    """The part from ``start`` on, on a clock that begins there. A drum stroke before it is left out."""

    def moved(note: Note) -> Note | None:
        if note.end <= start or (part.drums and note.start < start - 0.01):
            return None
        return note._replace(start=max(0.0, note.start - start), end=note.end - start)

    return part.map(moved)


def _delayed(music: Music, seconds: float) -> Music:
    """The music after a silence. There are no beats in the silence."""
    parts = [part.map(lambda n: n._replace(start=n.start + seconds, end=n.end + seconds)) for part in music.parts]
    inside = music.beats.times >= 0
    times = music.beats.times[inside] + seconds
    assert music.beats.downbeats is not None
    return Music(parts, Beats(times, music.beats.tempo, music.beats.downbeats[inside]))


def jobs(data: Path, out: Path, split: str, count: int, seed: int, each: int = 12) -> list[Job]:
    """Jobs that render ``count`` excerpts of the split, ``each`` of them a shard."""
    made = []
    for kind, share in SHARES.items():
        for number in range(0, round(count * share), each):
            name = f"beats-{split}-{kind}-{number:04d}"
            make = partial(_excerpts, data, kind, split, range(number, min(number + each, round(count * share))), seed)
            made_from = key("beats", file_digest(data / "index.jsonl"), kind, number, each, count, seed)
            made.append(Job(name, out / f"{name}.safetensors", made_from, make))
    return made


def _excerpts(data: Path, kind: str, split: str, numbers: range, seed: int, shard: str) -> Records:
    records = []
    for number in numbers:
        music = excerpt(data, kind, split, number, seed)
        if 0 < len(music.beats.times) < 8:
            continue
        draw = np.random.default_rng([seed, number, 1])
        plain = draw.random() < PLAINLY.get(kind, 0.0)
        played = plain_synth.render(music.parts, SECONDS, draw) if plain else render(music, draw)
        sound = resample(played, RATE)
        level = spectrogram(sound.samples).clamp_min(1e-7).log()
        line = {"id": f"{kind}-{number:04d}", "shard": shard, "split": split, "kind": kind}
        line |= {"tempo": round(music.beats.tempo, 3), "frames": len(level)}
        if style := style_of(kind, number):
            line["style"] = style
        beats = {"beats": music.beats.times, "downbeats": music.beats.downbeats}
        records.append((line, {"mel": level} | beats))
    return records
