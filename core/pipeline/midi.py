"""A music's drums and beat grid as a MIDI file that a composer edits."""

from __future__ import annotations

from pathlib import Path

from core.config import SignalConfig
from core.files import write_atomically
from core.formats import midi
from core.pipeline.score import Score
from core.rhythm import drums
from core.rhythm.drums import Strokes


def write_score_midi(path: Path | str, made: Score, signal: SignalConfig) -> None:
    """Write ``path`` (.mid): the drums that are heard in the music, on the beats that the motion asked for.

    signal: of the model that made it.  Beats and strokes end with the sound. The file appears whole or not at all.
    Raises FootlightError where the music has fewer than two beats, and where the file cannot be written.
    """
    write_atomically(Path(path), score_midi(made, signal))


def score_midi(made: Score, signal: SignalConfig) -> bytes:
    """The file that ``write_score_midi`` writes."""
    seconds = made.sound.seconds
    beats = made.beats.between(0, seconds)
    heard = [_until(strokes, seconds) for strokes in drums.transcribe(made.mel, signal)]
    return midi.encoded(beats, [drums.quantised(strokes, beats) for strokes in heard])


def _until(strokes: Strokes, seconds: float) -> Strokes:
    inside = strokes.times < seconds
    return Strokes(strokes.drum, strokes.times[inside], strokes.velocity[inside])
