"""Writes a score: its sound and, for editing, its beats and drums."""

from __future__ import annotations

from pathlib import Path

from core.audio import io, loudness
from core.config import SignalConfig
from core.files import write_together
from core.formats import midi
from core.layers.chunked import raised_cosine
from core.results import Score
from core.types import Waveform

OPENING_SECONDS = 0.001  # of a fade, which a stroke on the first sample survives
CLOSING_SECONDS = 0.02  # of a fade: a movement may end while a note sounds


def write_music(
    path: Path | str, score: Score, signal: SignalConfig, stereo: bool = True, midi_path: Path | str | None = None
) -> None:
    """Write the files of a score, with the parameters of ``music_files``. Either all appear or none.

    Raises FootlightError as ``music_files`` does, and where a file cannot be written.
    """
    write_together(music_files(path, score, signal, stereo, midi_path))


def music_files(
    path: Path | str, score: Score, signal: SignalConfig, stereo: bool = True, midi_path: Path | str | None = None
) -> dict[Path, bytes]:
    """The files of a score, path -> contents: the mastered sound and, if wanted, its beats and drums.

    path: the sound, as wav, flac or ogg.
    score: the score.
    signal: of the model that generated it.
    stereo: whether the sound is widened to stereo.
    midi_path: the MIDI file; None for none.

    Raises FootlightError for a MIDI file of a score with fewer than two beats.
    """
    files = {Path(path): io.encoded(Path(path), mastered(score.sound, stereo))}
    if midi_path is not None:
        files[Path(midi_path)] = midi.of_score(score, signal)
    return files


def mastered(sound: Waveform, stereo: bool = True) -> Waveform:
    """Master a sound: (2, s) or (s,), at -14 LUFS without clipping, and without a click where it is cut."""
    frames = len(sound.samples)
    opened = raised_cosine(frames, min(frames, round(OPENING_SECONDS * sound.rate)), right=False)
    closed = raised_cosine(frames, min(frames, round(CLOSING_SECONDS * sound.rate)), left=False)
    samples = loudness.widen(sound.samples, sound.rate) if stereo else sound.samples
    return Waveform(loudness.normalise(samples * opened * closed, sound.rate), sound.rate)
