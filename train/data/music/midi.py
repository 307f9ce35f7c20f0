"""MIDI files as parts of notes, in and out, and their clock: seconds to beats, excerpts, another tempo.

The times of notes are plain numbers. Each function says whether they are seconds or beats (quarter notes).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import mido
import numpy as np

from core.errors import FootlightError
from core.formats.midi import DRUM_CHANNEL

_SUSTAIN = 64  # controllers
_VOLUME = 7
_PAN = 10
_MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
_TICKS_PER_BEAT = 960


class Note(NamedTuple):
    """A note.

    start, end: seconds or beats.
    pitch, velocity: MIDI's 0 to 127.
    """

    start: float
    end: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Part:
    """What one player plays.

    program: General MIDI instrument 0 to 127, or the kit of a drum part.
    volume, pan: MIDI controllers, 0 to 127.
    """

    name: str
    notes: tuple[Note, ...]
    program: int = 0
    drums: bool = False
    volume: int = 100
    pan: int = 64

    def map(self, function: Callable[[Note], Note | None]) -> Part:
        """The part with every note changed, or left out when ``function`` returns None."""
        changed = (function(note) for note in self.notes)
        return replace(self, notes=tuple(note for note in changed if note is not None))


def read(path: str | Path, in_beats: bool = False) -> list[Part]:
    """The parts of a MIDI file, one for each track and channel that plays, in the file's order.

    A note held by the sustain pedal ends when the pedal is released or its key is struck again.

    in_beats: give times in beats. Otherwise they are seconds by the file's tempo changes.

    Raises FootlightError when it is not a MIDI file.
    """
    path = Path(path)
    try:
        file = mido.MidiFile(path, clip=True)
    except FileNotFoundError:
        raise FootlightError(f"{path}: no such file; give the path of a MIDI file") from None
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise FootlightError(f"{path}: cannot be read as MIDI ({error or 'it ends too early'})") from None
    if file.ticks_per_beat <= 0:
        raise FootlightError(f"{path}: counts time in film frames; save it with ticks per beat")
    clock = _beats if in_beats else _seconds(file)
    parts = []
    for track in file.tracks:
        parts += _parts(track, lambda ticks: clock(ticks / file.ticks_per_beat))
    return parts


def write(path: str | Path, parts: Iterable[Part], bpm: float, seconds: float | None = None) -> None:
    """Save parts whose times are seconds, on a grid of ``bpm``.

    seconds: how long the file plays at least.
    """
    parts = list(parts)
    melodic = iter(_MELODIC_CHANNELS)
    if sum(not part.drums for part in parts) > len(_MELODIC_CHANNELS):
        raise FootlightError(f"{path}: {len(parts)} parts; a MIDI file holds {len(_MELODIC_CHANNELS)} besides drums")
    file = mido.MidiFile(type=1, ticks_per_beat=_TICKS_PER_BEAT)
    ticks_per_second = bpm / 60 * _TICKS_PER_BEAT
    end = round((seconds or 0) * ticks_per_second)
    conductor = [(0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm)))]
    file.tracks.append(_track(conductor, end))
    for part in parts:
        channel = DRUM_CHANNEL if part.drums else next(melodic)
        events = [
            (0, mido.MetaMessage("track_name", name=part.name)),
            (0, mido.Message("program_change", channel=channel, program=part.program)),
            (0, mido.Message("control_change", channel=channel, control=_VOLUME, value=part.volume)),
            (0, mido.Message("control_change", channel=channel, control=_PAN, value=part.pan)),
        ]
        for note in without_overlaps(part).notes:
            on = round(note.start * ticks_per_second)
            off = max(on + 1, round(note.end * ticks_per_second))
            events.append((on, mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)))
            events.append((off, mido.Message("note_off", channel=channel, note=note.pitch, velocity=0)))
        file.tracks.append(_track(events, end))
    file.save(path)


def to_beats(parts: Iterable[Part], beat_times: np.ndarray) -> list[Part]:
    """Parts with their times in beats instead of seconds.

    beat_times: (n,) seconds of the beats. Between and beyond them time runs evenly.
    """
    return [_timed(part, lambda times: position(times, beat_times)) for part in parts]


def position(times: np.ndarray, beat_times: np.ndarray) -> np.ndarray:
    """Times in beats instead of seconds.

    times: any shape, seconds.
    beat_times: (n,) seconds of the beats. Before the first and after the last, time runs on evenly.
    """
    beat_times = np.asarray(beat_times, float)
    if len(beat_times) < 2 or (np.diff(beat_times) <= 0).any():
        raise FootlightError(f"{len(beat_times)} beat times; expected two or more, each later than the one before")
    times = np.asarray(times, float)
    inside = np.interp(times, beat_times, np.arange(len(beat_times), dtype=float))
    before = (times - beat_times[0]) / (beat_times[1] - beat_times[0])
    after = (times - beat_times[-1]) / (beat_times[-1] - beat_times[-2]) + len(beat_times) - 1
    return np.where(times < beat_times[0], before, np.where(times > beat_times[-1], after, inside))


def to_seconds(parts: Iterable[Part], bpm: float) -> list[Part]:
    """Parts with their times in seconds instead of beats, at one constant tempo. Beat 0 is at 0 s."""
    return [_timed(part, lambda times: times * (60 / bpm)) for part in parts]


def on_clock(parts: Iterable[Part], beat_times: np.ndarray) -> list[Part]:
    """Parts with their times in seconds instead of beats: the inverse of ``to_beats``.

    beat_times: (n,) seconds of beats 0 to n - 1. Beyond them, time runs on at the nearest beat's tempo.
    """
    before, after = beat_times[1] - beat_times[0], beat_times[-1] - beat_times[-2]
    index = np.arange(-64, len(beat_times) + 64)
    knots = np.concatenate(
        [beat_times[0] + before * np.arange(-64, 0), beat_times, beat_times[-1] + after * np.arange(1, 65)]
    )
    return [_timed(part, lambda times: np.interp(times, index, knots)) for part in parts]


def retime(parts: Iterable[Part], beat_times: np.ndarray, bpm: float) -> list[Part]:
    """Parts in seconds, played at another, constant tempo. What was at ``beat_times[k]`` comes at k * 60 / bpm."""
    return to_seconds(to_beats(parts, beat_times), bpm)


def excerpt(parts: Iterable[Part], start: float, end: float) -> list[Part]:
    """The music in [start, end), on a clock that starts at 0.

    A note that already sounds at ``start`` starts there. A drum's note is a stroke and not a duration, so it is left
    out. A note that still sounds at ``end`` ends there.
    """

    def cut(note: Note, drums: bool) -> Note | None:
        if note.start >= end or note.end <= start or (drums and note.start < start):
            return None
        return note._replace(start=max(note.start, start) - start, end=min(note.end, end) - start)

    return [part.map(lambda note, drums=part.drums: cut(note, drums)) for part in parts]


def without_overlaps(part: Part) -> Part:
    """The part with every key released before it is struck again. MIDI cannot say which stroke a release belongs to."""
    by_pitch = defaultdict(list)
    for note in sorted(part.notes):
        held = by_pitch[note.pitch]
        if held and held[-1].start == note.start:
            held[-1] = max(held[-1], note)
            continue
        if held and held[-1].end > note.start:
            held[-1] = held[-1]._replace(end=note.start)
        held.append(note)
    return replace(part, notes=tuple(sorted(note for notes in by_pitch.values() for note in notes)))


def _timed(part: Part, clock: Callable[[np.ndarray], np.ndarray]) -> Part:
    if not part.notes:
        return part
    starts = clock(np.array([note.start for note in part.notes])).tolist()
    ends = clock(np.array([note.end for note in part.notes])).tolist()
    notes = zip(part.notes, starts, ends, strict=True)
    return replace(part, notes=tuple(note._replace(start=start, end=end) for note, start, end in notes))


def _beats(beats: float) -> float:
    return beats


def _seconds(file: mido.MidiFile) -> Callable[[float], float]:
    """A function from beats to seconds, by the tempo changes of all tracks."""
    changes = {0.0: 500_000}
    for track in file.tracks:
        ticks = 0
        for message in track:
            ticks += message.time
            if message.type == "set_tempo":
                changes[ticks / file.ticks_per_beat] = message.tempo
    beats = np.array(sorted(changes))
    per_beat = np.array([changes[beat] for beat in beats]) / 1e6
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(beats) * per_beat[:-1])])

    def clock(beat: float) -> float:
        last = np.searchsorted(beats, beat, side="right") - 1
        return float(seconds[last] + (beat - beats[last]) * per_beat[last])

    return clock


def _parts(track: mido.MidiTrack, clock: Callable[[int], float]) -> list[Part]:
    notes, programs = defaultdict(list), {}
    keys, pedalled, pedals = defaultdict(list), defaultdict(list), defaultdict(bool)
    ticks, name = 0, track.name

    def finish(channel: int, pitch: int, struck: tuple[int, int]) -> None:
        start, velocity = struck
        notes[channel].append(Note(clock(start), clock(ticks), pitch, velocity))

    def release_pedalled(channel: int, pitch: int) -> None:
        for struck in pedalled.pop((channel, pitch), ()):
            finish(channel, pitch, struck)

    for message in track:
        ticks += message.time
        if message.type == "program_change":
            programs.setdefault(message.channel, message.program)
        elif message.type == "note_on" and message.velocity > 0:
            release_pedalled(message.channel, message.note)
            keys[message.channel, message.note].append((ticks, message.velocity))
        elif message.type in ("note_on", "note_off"):
            struck = keys[message.channel, message.note]
            if not struck:
                continue
            if pedals[message.channel]:
                pedalled[message.channel, message.note].append(struck.pop(0))
            else:
                finish(message.channel, message.note, struck.pop(0))
        elif message.type == "control_change" and message.control == _SUSTAIN:
            pedals[message.channel] = message.value >= 64
            if not pedals[message.channel]:
                for channel, pitch in [key for key in pedalled if key[0] == message.channel]:
                    release_pedalled(channel, pitch)
    for (channel, pitch), struck in (*keys.items(), *pedalled.items()):
        for key in struck:
            finish(channel, pitch, key)
    return [
        Part(name, tuple(sorted(notes[channel])), programs.get(channel, 0), channel == DRUM_CHANNEL)
        for channel in sorted(notes)
    ]


def _track(events: Iterable[tuple[int, Any]], end: int) -> mido.MidiTrack:
    """A track of events at absolute ticks. At one tick, releases come before strokes."""
    track, now = mido.MidiTrack(), 0
    for ticks, message in sorted(events, key=lambda event: (event[0], event[1].type == "note_on")):
        track.append(message.copy(time=ticks - now))
        now = ticks
    track.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))
    return track
