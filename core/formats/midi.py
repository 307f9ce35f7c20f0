"""Writes a score's beats and drums as a Standard MIDI file, for composers to edit.

The tempo map follows the beats, so a sequencer's bars and beats are where they are heard. What comes before the first
beat is whole beats too, of a tempo of their own, and what comes before the first downbeat a shorter bar. Downbeats are
also markers.
"""

from __future__ import annotations

import io
import math
from typing import Any

import mido
import numpy as np

from core.config import SignalConfig
from core.errors import FootlightError
from core.results import Score
from core.rhythm import drums as drum_kit
from core.rhythm.drums import Strokes
from core.rhythm.features import BEATS_PER_BAR
from core.types import Beats

TICKS = 480  # per beat
DRUM_CHANNEL = 9  # MIDI's tenth channel
STROKE_TICKS = TICKS // 8  # length of a drum stroke
SLOWEST_US = 2**24 - 1  # the most microseconds per beat that the format can hold
SHORTEST_LEAD = 0.0625  # seconds before the first beat; less is no beat, since sequencers go up to 999 beats a minute

Event = tuple[float, Any]  # a tick and a message of mido, whose attributes exist only at run time


def encoded(beats: Beats, drums: list[Strokes], name: str = "Footlight") -> bytes:
    """The bytes of a MIDI file.

    beats: at least two. The first bar starts on the first downbeat, or on the first beat if no downbeat is known.
    drums: the strokes of each drum.
    name: of the track.

    Raises FootlightError for fewer beats.
    """
    times = beats.times.double().numpy()
    if len(times) < 2:
        raise FootlightError(f"a MIDI file needs a beat grid, but {len(times)} beats were given")
    grid = _Grid(times)
    down = [] if beats.downbeats is None else np.flatnonzero(beats.downbeats.numpy()).tolist()
    conductor: list[Event] = [(tick, mido.MetaMessage("set_tempo", tempo=tempo)) for tick, tempo in grid.tempi()]
    conductor += [(grid.ticks[i], mido.MetaMessage("marker", text=f"bar {n + 1}")) for n, i in enumerate(down)]
    meters = _meters(grid.ticks[down[0] if down else 0] // TICKS, beats.metre or BEATS_PER_BAR)
    song = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    song.tracks.append(_track([(0, mido.MetaMessage("track_name", name=name)), *meters, *conductor]))
    for strokes in drums:
        song.tracks.append(_track(_played(strokes, grid)))
    buffer = io.BytesIO()
    song.save(file=buffer)
    return buffer.getvalue()


def _meters(upbeat: int, metre: int) -> list[Event]:
    """The time signatures of bars of ``metre`` beats, of which one begins after so many beats."""
    first = upbeat % metre
    bars = [(0, first), (first * TICKS, metre)] if first else [(0, metre)]
    return [(tick, mido.MetaMessage("time_signature", numerator=beats, denominator=4)) for tick, beats in bars]


def of_score(score: Score, signal: SignalConfig) -> bytes:
    """The bytes of a score's MIDI file: the drums transcribed from its sound, on the beats of its rhythm target.

    Beats and strokes end where the sound ends.

    score: the score.
    signal: of the model that generated it.

    Raises FootlightError for a score with fewer than two beats.
    """
    seconds = score.sound.seconds
    beats = score.beats.between(0, seconds)
    heard = [_until(strokes, seconds) for strokes in drum_kit.transcribe(score.mel, signal)]
    return encoded(beats, [drum_kit.quantised(strokes, beats) for strokes in heard])


def _until(strokes: Strokes, seconds: float) -> Strokes:
    inside = strokes.times < seconds
    return Strokes(strokes.drum, strokes.times[inside], strokes.velocity[inside])


class _Grid:
    """Converts seconds to ticks.

    Before the first beat there are as many whole beats as make a tempo near that of the beats after it. A lead that is
    too short for one belongs to the first beat. The tempo after the last beat is that of the beats before.
    """

    def __init__(self, times: np.ndarray) -> None:
        lead = max(1, round(times[0] / (times[1] - times[0]))) if times[0] >= SHORTEST_LEAD else 0
        ticks = (np.arange(len(times)) + lead) * TICKS
        self.ticks = ticks.tolist()
        self._seconds = np.concatenate([[0.0], times if lead else times[1:]])
        self._ticks = np.concatenate([[0], ticks]) if lead else ticks

    def tempi(self) -> list[tuple[int, int]]:
        """(tick, microseconds per beat) at every knot, rounded so that errors do not accumulate."""
        tempi, reached = [], 0.0
        for i in range(len(self._seconds) - 1):
            span = (self._ticks[i + 1] - self._ticks[i]) / TICKS
            tempo = round((self._seconds[i + 1] - self._seconds[0] - reached) * 1e6 / span)
            tempo = min(max(1, tempo), SLOWEST_US)
            reached += tempo * span / 1e6
            tempi.append((int(self._ticks[i]), tempo))
        return tempi

    def tick(self, seconds: float) -> int:
        last = (self._ticks[-1] - self._ticks[-2]) / (self._seconds[-1] - self._seconds[-2])
        beyond = max(0.0, seconds - self._seconds[-1]) * last
        return round(float(np.interp(seconds, self._seconds, self._ticks)) + beyond)


def _played(strokes: Strokes, grid: _Grid) -> list[Event]:
    """Note on and note off of every stroke. A stroke ends early if the next one starts."""
    events: list[Event] = [(0, mido.MetaMessage("track_name", name=strokes.drum.name))]
    ticks = [grid.tick(time) for time in strokes.times.tolist()]
    ends = [min(tick + STROKE_TICKS, then) for tick, then in zip(ticks, [*ticks[1:], math.inf], strict=False)]
    for start, end, velocity in zip(ticks, ends, strokes.velocity.tolist(), strict=True):
        loud = max(1, min(127, round(127 * velocity)))
        events.append((start, mido.Message("note_on", channel=DRUM_CHANNEL, note=strokes.drum.key, velocity=loud)))
        events.append((end, mido.Message("note_off", channel=DRUM_CHANNEL, note=strokes.drum.key)))
    return events


def _track(events: list[Event]) -> mido.MidiTrack:
    """A track, with the absolute ticks of events as deltas. At the same tick, notes end before others start."""
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(events, key=lambda event: (event[0], event[1].type != "note_off")):
        track.append(message.copy(time=int(tick) - now))
        now = int(tick)
    return track
