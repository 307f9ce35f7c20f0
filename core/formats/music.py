"""A score as files: its sound, and its beats and drums to be edited."""

from __future__ import annotations

from pathlib import Path

from core.audio import io, loudness
from core.config import SignalConfig
from core.files import write_together
from core.formats import midi
from core.results import Score
from core.types import Waveform


def write_music(
    path: Path | str, score: Score, signal: SignalConfig, stereo: bool = True, midi_path: Path | str | None = None
) -> None:
    """Write ``music_files``; all appear or none. Raises FootlightError where one of them cannot be written."""
    write_together(music_files(path, score, signal, stereo, midi_path))


def music_files(
    path: Path | str, score: Score, signal: SignalConfig, stereo: bool = True, midi_path: Path | str | None = None
) -> dict[Path, bytes]:
    """The sound, mastered, as wav, flac or ogg; with ``midi_path`` also its beats and drums.

    signal: of the model that made it. Raises FootlightError for a score of fewer than two beats with ``midi_path``.
    """
    files = {Path(path): io.encoded(Path(path), mastered(score.sound, stereo))}
    if midi_path is not None:
        files[Path(midi_path)] = midi.of_score(score, signal)
    return files


def mastered(sound: Waveform, stereo: bool = True) -> Waveform:
    """The sound as it is handed on: at -14 LUFS without clipping, (2, s) or (s,)."""
    samples = loudness.widen(sound.samples, sound.rate) if stereo else sound.samples
    return Waveform(loudness.normalise(samples, sound.rate), sound.rate)
