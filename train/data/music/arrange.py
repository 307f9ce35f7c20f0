"""Dance music with exact beats: a POP909 song and a Groove drum take at one tempo, with a bass line and chords added.

The song gives melody, second voice, piano and harmony. The take gives a person's drumming. The seed draws the
instruments, the patterns, the place where it starts, and how energy changes from section to section.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from core.errors import FootlightError
from core.types import Beats, Waveform
from train.data.music import accompany, midi, synth
from train.data.music.accompany import Harmony
from train.data.music.midi import Note, Part

BEATS_PER_BAR = 4
SECTION_BARS = 4
TEMPO_REACH = 1.3  # a song or take is played at most so much faster or slower than its own tempo

# Roland TD-11 strokes that mean something else in General MIDI: rims, edges and bells (Gillick et al. 2019, table 4).
_TD11_TO_GM = {22: 42, 26: 46, 40: 38, 47: 45, 50: 48, 52: 57, 55: 49, 58: 43, 59: 51}
_CRASHES = (49, 57)
_KITS = (0, 0, 8, 16, 24, 25)  # General MIDI: standard, room, power, electronic, 808
_VOICES = {  # General MIDI programs that can carry the part
    "MELODY": (0, 4, 11, 24, 25, 26, 27, 40, 52, 56, 61, 62, 65, 66, 68, 71, 73, 75, 80, 81, 85),
    "BRIDGE": (0, 4, 5, 11, 12, 24, 26, 28, 46, 48, 61, 62, 73, 80, 81, 88),
    "PIANO": (0, 0, 1, 2, 4, 5, 16, 17, 24, 25, 27, 50, 88),
}
_VOLUMES = {"MELODY": 100, "BRIDGE": 76, "PIANO": 84}
_PANS = {"MELODY": 64, "BRIDGE": 84, "PIANO": 48}
# Velocities (MELODY, BRIDGE, PIANO, drums, bass, chords) of a calm, a middle and a full section. 0 is silent.
_ENERGY = {
    "calm": (0.85, 0.0, 0.8, 0.55, 0.75, 0.0),
    "middle": (0.95, 0.8, 0.9, 0.85, 0.9, 0.8),
    "full": (1.0, 1.0, 1.0, 1.1, 1.0, 1.0),
}
_NEXT = {"calm": ("middle", "full"), "middle": ("calm", "full", "full"), "full": ("calm", "middle", "full")}


@dataclass(frozen=True)
class Tune:
    """A song on its own grid. Times are beats, and beat 0 is the first downbeat.

    bars: how many whole bars it has.
    """

    parts: tuple[Part, ...]
    harmony: Harmony
    bars: int


def arrange(
    data_dir: str | Path, pop909_id: str, groove_id: str, bpm: float, seconds: float, seed: int, rate: int = synth.RATE
) -> tuple[Waveform, Beats]:
    """Render an arrangement of exactly ``seconds``, mono. The same arguments give the same samples.

    pop909_id: the song's number, such as "750".
    groove_id: the take's file name without ".mid".
    bpm: its tempo. The music starts anywhere in a bar.
    rate: of the sound, Hz.

    Returns the sound and all its beats, exact and with downbeats.

    Raises FootlightError for an unknown song or take.
    """
    parts, beats = compose(data_dir, pop909_id, groove_id, bpm, seconds, seed)
    sound = synth.render(parts, seconds, start=lead_seconds(bpm), rate=rate)
    level = float(np.clip(np.random.default_rng([seed, 1]).normal(-14.5, 3.5), -22, -8))  # varies as recordings do
    return synth.set_level(sound, level), beats


def lead_seconds(bpm: float) -> float:
    """How many seconds of music ``compose`` writes before its clock's zero: one bar."""
    return BEATS_PER_BAR * 60 / bpm


def compose(
    data_dir: str | Path, pop909_id: str, groove_id: str, bpm: float, seconds: float, seed: int
) -> tuple[list[Part], Beats]:
    """The notes of ``arrange``, and its beats in [0, seconds).

    The parts have a clock of their own, on which the beats' zero is at ``lead_seconds(bpm)``.
    """
    if not 20 <= bpm <= 400 or seconds <= 0:
        raise FootlightError(f"{bpm:g} beats a minute for {seconds:g} s; expected 20-400 and a length above 0")
    draw = np.random.default_rng([seed, 0])
    tune, take = load_tune(Path(data_dir), pop909_id), load_take(Path(data_dir), groove_id)
    phase = draw.uniform(0, BEATS_PER_BAR)  # where in its first bar the excerpt begins
    bars = math.ceil((seconds * bpm / 60 + phase) / BEATS_PER_BAR) + 1  # with the bar before it
    first = int(draw.integers(0, max(1, tune.bars - bars + 1)))
    sections = _sections(bars, draw)
    played = _played(tune, first, bars, draw)
    chords = [tune.harmony.at(beat) for beat in _wrapped(first, bars, tune.bars)]
    drums = _drums(take, bars, draw)
    bass = accompany.bass(chords, [name == "calm" for name in sections], draw)
    pads = accompany.comping(chords, draw)
    parts = [*played, drums, bass, pads]
    levels = [_ENERGY[name] for name in sections]
    shaped = [_shaped(part, [level[i] for level in levels]) for i, part in enumerate(parts)]
    shaped[3] = _with_crashes(shaped[3], sections)
    music = midi.to_seconds(midi.excerpt(shaped, phase, bars * BEATS_PER_BAR), bpm)
    index = np.arange(BEATS_PER_BAR, bars * BEATS_PER_BAR)
    times = (index - BEATS_PER_BAR - phase) * 60 / bpm
    inside = (times >= 0) & (times < seconds)
    beats = Beats(
        torch.from_numpy(times[inside]).float(), float(bpm), torch.from_numpy(index[inside] % BEATS_PER_BAR == 0)
    )
    return music, beats


def choose(data_dir: str | Path, split: str, bpm: float, seed: int, drums: tuple[str, ...] = ()) -> tuple[str, str]:
    """A song and a drum take of the split that can be played at ``bpm``, as (pop909_id, groove_id).

    drums: kinds of drumming, such as "funk". Takes whose names have one of them are preferred if some fit the tempo.
    """
    draw = np.random.default_rng([seed, 2])
    songs, takes = listed(str(data_dir), split)
    alike = tuple(take for take in takes if any(kind in take[0] for kind in drums) and _within_reach(take[1], bpm))
    takes = alike or takes
    return _near(songs, bpm, draw), _near(takes, bpm, draw)


def load_song(data_dir: Path, pop909_id: str) -> tuple[list[Part], np.ndarray, np.ndarray]:
    """A POP909 song as it was played: its parts in seconds, its beats (n,) in seconds, and which are downbeats (n,).

    Raises FootlightError when there is no such song.
    """
    folder = _song_folder(data_dir, pop909_id)
    if not folder.is_dir():
        raise FootlightError(f"{folder}: no such song; choose a number from {folder.parent}")
    table = np.loadtxt(folder / "beat_midi.txt", ndmin=2)  # seconds, flag, downbeat flag
    return midi.read(folder / f"{pop909_id}.mid"), table[:, 0], table[:, 2] > 0.5


def _song_folder(data_dir: Path, pop909_id: str) -> Path:
    return data_dir / "midi" / "pop909" / pop909_id


@lru_cache(maxsize=64)
def load_tune(data_dir: Path, pop909_id: str) -> Tune:
    """A POP909 song on its beat grid."""
    played, times, downbeat = load_song(data_dir, pop909_id)
    first = int(downbeat.argmax())
    parts = midi.to_beats(played, times)
    bars = max(1, (len(times) - first) // BEATS_PER_BAR)
    shifted = midi.excerpt(parts, first, first + bars * BEATS_PER_BAR)
    chords = _song_folder(data_dir, pop909_id) / "chord_midi.txt"
    return Tune(tuple(shifted), accompany.read_harmony(chords, times, first), bars)


@lru_cache(maxsize=64)
def load_take(data_dir: Path, groove_id: str) -> Part:
    """A drum take in whole bars, with times in beats and General MIDI strokes."""
    path = data_dir / "midi" / "groove" / f"{groove_id}.mid"
    notes = [note for part in midi.read(path, in_beats=True) for note in part.notes]
    if not notes:
        raise FootlightError(f"{path}: holds no drum strokes; choose another take")
    phase = _bar_phase(notes)
    moved = (
        Note(note.start - phase, note.end - phase, _TD11_TO_GM.get(note.pitch, note.pitch), note.velocity)
        for note in notes
    )
    # A stroke a little before the first bar belongs to it, because people play ahead of the click.
    kept = (note._replace(start=max(0.0, note.start)) for note in moved if note.start > -0.25)
    return Part("drums", tuple(sorted(kept)), drums=True, volume=105)


def _bar_phase(notes: list[Note]) -> int:
    """0, or 2 when the crashes say that the take counts its bars from their middle."""
    crashes = [round(note.start * 2) % 8 for note in notes if _TD11_TO_GM.get(note.pitch, note.pitch) in _CRASHES]
    on_one, on_three = crashes.count(0), crashes.count(4)
    return 2 if on_three >= 8 and on_three > 2 * on_one else 0


def _sections(bars: int, draw: np.random.Generator) -> list[str]:
    """The energy of every bar. It changes every ``SECTION_BARS`` bars, counted from a bar that is drawn."""
    name = str(draw.choice(list(_ENERGY), p=[0.2, 0.4, 0.4]))
    turn = int(draw.integers(0, SECTION_BARS))
    names = []
    for bar in range(bars):
        if bar > 0 and bar % SECTION_BARS == turn:
            name = str(draw.choice(_NEXT[name]))
        names.append(name)
    return names


def _wrapped(first: int, bars: int, total: int) -> np.ndarray:
    """The beats (bars * 4,) of a song from bar ``first`` on. A song of ``total`` bars starts again where it ends."""
    return (first * BEATS_PER_BAR + np.arange(bars * BEATS_PER_BAR)) % (total * BEATS_PER_BAR)


def _repeated(parts: Iterable[Part], first: int, bars: int, total: int) -> list[Part]:
    """Parts in beats, ``bars`` long, from bar ``first`` on. Music of ``total`` bars starts again where it ends."""
    parts = list(parts)
    pieces, filled, at = [replace(part, notes=()) for part in parts], 0, first % total
    while filled < bars:
        count = min(bars - filled, total - at)
        piece = midi.excerpt(parts, at * BEATS_PER_BAR, (at + count) * BEATS_PER_BAR)
        piece = [part.map(lambda note, by=filled * BEATS_PER_BAR: _moved(note, by)) for part in piece]
        pieces = [replace(old, notes=old.notes + new.notes) for old, new in zip(pieces, piece, strict=True)]
        filled, at = filled + count, 0
    return pieces


def _moved(note: Note, beats: float) -> Note:
    return note._replace(start=note.start + beats, end=note.end + beats)


def _played(tune: Tune, first: int, bars: int, draw: np.random.Generator) -> list[Part]:
    """MELODY, BRIDGE and PIANO of the excerpt, in this order. Each gets an instrument."""
    by_name = {part.name: part for part in _repeated(tune.parts, first, bars, tune.bars)}
    parts = []
    for name, programs in _VOICES.items():
        part = by_name.get(name, Part(name, ()))
        parts.append(replace(part, program=int(draw.choice(programs)), volume=_VOLUMES[name], pan=_PANS[name]))
    return parts


def _drums(take: Part, bars: int, draw: np.random.Generator) -> Part:
    """The take from one of its bars on, alone or over a kick on every beat."""
    total = max(1, int(take.notes[-1].start // BEATS_PER_BAR))
    drums = _repeated([take], int(draw.integers(0, total)), bars, total)[0]
    style = draw.choice(["take", "four", "four and clap"], p=[0.5, 0.25, 0.25])
    if style != "take":
        drums = accompany.four_on_the_floor(drums, bars * BEATS_PER_BAR, clap=style == "four and clap")
    return replace(drums, program=int(draw.choice(_KITS)))


def _shaped(part: Part, levels: list[float]) -> Part:
    """The part with its velocities scaled bar by bar. Notes of a silent bar are left out."""

    def shape(note: Note) -> Note | None:
        level = levels[min(int(note.start // BEATS_PER_BAR), len(levels) - 1)]
        return None if level == 0 else note._replace(velocity=int(np.clip(round(note.velocity * level), 1, 127)))

    return part.map(shape)


def _with_crashes(drums: Part, sections: list[str]) -> Part:
    """The drums with a crash where a full section begins."""
    begins = [bar for bar in range(1, len(sections)) if sections[bar] == "full" != sections[bar - 1]]
    crashes = (Note(bar * BEATS_PER_BAR, bar * BEATS_PER_BAR + 1.0, _CRASHES[0], 110) for bar in begins)
    return replace(drums, notes=tuple(sorted((*drums.notes, *crashes))))


@lru_cache(maxsize=4)
def listed(data_dir: str, split: str) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]:
    """The songs and the takes of a split, each as ((id, bpm), ...)."""
    songs, takes = [], []
    with open(Path(data_dir) / "index.jsonl", encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            if entry["kind"] == "midi" and entry["split"] == split:
                path = Path(entry["path"])
                (songs if "pop909" in path.parts else takes).append((path.stem, float(entry["bpm"])))
    if not songs or not takes:
        raise FootlightError(
            f"{data_dir}: split {split!r} lists {len(songs)} songs and {len(takes)} drum takes; need both"
        )
    return tuple(songs), tuple(takes)


def _near(listed: tuple, bpm: float, draw: np.random.Generator) -> str:
    distance = np.array([abs(math.log(own / bpm)) for _, own in listed])
    fit = np.flatnonzero([_within_reach(own, bpm) for _, own in listed])
    if len(fit) < 3:
        fit = np.argsort(distance, kind="stable")[:3]
    return listed[int(draw.choice(fit))][0]


def _within_reach(own: float, bpm: float) -> bool:
    return abs(math.log(own / bpm)) <= math.log(TEMPO_REACH)
