"""What the rules of light hear of a song, on the clock of shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core import progress
from core.audio.io import resample
from core.audio.onsets import ONSET_FPS, RHYTHM_RATE, rhythm_mel
from core.layers.peaks import gaussian_smooth, spaced
from core.rhythm.bars import bar_edges, means_between
from core.rhythm.features import Rhythm, analyse, relative_loudness
from core.rhythm.sections import HARMONY_FPS, Section, decibels_of, described_sections, tones_of, unit_chroma
from core.show.channels import SHOW_FPS
from core.types import Beats, Waveform

BASS_BANDS = 6  # of the mel
QUIET_DB = 14.0  # below the music around it is a stop
AROUND_SECONDS = 4.0
SHORTEST_STOP = 0.3  # seconds
LONGEST_STOP = 4.0  # seconds; a longer silence is a quiet section
DROP_DB = 4.0  # by which the four beats after a drop exceed the four before, in the bass or in all
DROP_SPACING = 8.0  # seconds between two drops
TURN_SECONDS = 0.4  # standard deviation by which the tension is smoothed
NEAREST_KEY = 1 / 6  # of half the circle of fifths
FIFTHS = 7 * np.arange(12) % 12  # pitch class -> its place on the circle of fifths, C first


@dataclass(frozen=True)
class Song:
    """A song as the rules hear it.

    seconds: its length.
    beats: its beats, with downbeats where they are known.
    level: (t,) loudness in [0, 1] at ``SHOW_FPS``, relative to the song's loud passages.
    tension: (t,) in [0, 1] at ``SHOW_FPS``: how far the harmony is from the song's home on the circle of fifths.
    sections: from the start to the end.
    stops: (start, end) of silences within the music, seconds.
    drops: seconds of the beats at which the music opens up.
    """

    seconds: float
    beats: Beats
    level: np.ndarray
    tension: np.ndarray
    sections: tuple[Section, ...]
    stops: tuple[tuple[float, float], ...]
    drops: tuple[float, ...]

    @property
    def frames(self) -> int:
        return len(self.level)

    @property
    def clock(self) -> np.ndarray:
        """When each frame is (t,), seconds."""
        return np.arange(self.frames) / SHOW_FPS


def listen(song: Waveform, beats: Beats | None = None) -> Song:
    """Listen to a song.

    song: at any rate.
    beats: its beats, if they are known already.
    """
    sound = resample(song, RHYTHM_RATE)
    with progress.part(0.0, 0.2):
        mel = rhythm_mel(sound.samples)
    with progress.part(0.2, 0.8):
        rhythm = analyse(sound, mel, beats)
    with progress.part(0.8, 1.0):
        return understood(sound, rhythm, mel)


def understood(song: Waveform, rhythm: Rhythm, mel: Tensor | None = None) -> Song:
    """A song whose rhythm is known already.

    song: at any rate.
    mel: its ``rhythm_mel``, if that is known too.
    """
    sound = resample(song, RHYTHM_RATE)
    mel = rhythm_mel(sound.samples) if mel is None else mel
    return describe(song.seconds, rhythm, mel, tones_of(sound))


def describe(seconds: float, rhythm: Rhythm, mel: Tensor, tones: Tensor) -> Song:
    """Put together what is heard.

    seconds: length of the song.
    rhythm: its beats, onsets and loudness.
    mel: (t, m) log-mel at ``ONSET_FPS``.
    tones: (t', 12) magnitude of each pitch class at ``HARMONY_FPS``.
    """
    frames = max(1, round(seconds * SHOW_FPS))
    decibels, bass = decibels_of(mel), decibels_of(mel[:, :BASS_BANDS])
    harmony, edges = unit_chroma(tones), bar_edges(rhythm.beats, seconds)
    return Song(
        seconds,
        rhythm.beats,
        relative_loudness(rhythm.loudness, frames, SHOW_FPS).double().numpy(),
        _stretched(_smoothed(tension(harmony, edges)), frames),
        described_sections(edges, mel, harmony, decibels),
        stops(decibels),
        drops(rhythm.beats, decibels, bass),
    )


def tension(harmony: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How far from home (t,) the harmony of each frame's bar is, in [0, 1].

    The mean chroma of a bar points somewhere on the circle of fifths, and so does that of the song. The farthest bars
    of a song (95th percentile) are 1, if they are a twelfth of the circle away or more.

    harmony: (t, 12) chroma at ``HARMONY_FPS``.
    edges: (n + 1,) seconds of bars.
    """
    angle = 2 * math.pi * FIFTHS / 12
    circle = np.stack((np.cos(angle), np.sin(angle)), axis=1)
    bars = means_between(harmony, HARMONY_FPS, edges) @ circle
    home = harmony.mean(axis=0) @ circle if len(harmony) else np.zeros(2)
    turn = np.arctan2(bars[:, 1], bars[:, 0]) - math.atan2(home[1], home[0])
    apart = np.abs((turn + math.pi) % (2 * math.pi) - math.pi) / math.pi
    apart[np.hypot(bars[:, 0], bars[:, 1]) < 1e-6] = 0.0
    apart = (apart / max(float(np.quantile(apart, 0.95)), NEAREST_KEY)).clip(0, 1)
    frame = np.arange(len(harmony)) / HARMONY_FPS
    return apart[np.searchsorted(edges, frame, side="right").clip(1, len(edges) - 1) - 1]


def stops(decibels: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Silences within the music, (start, end) in seconds.

    decibels: (t,) loudness at ``ONSET_FPS``.
    """
    if not len(decibels):
        return ()
    reach = round(AROUND_SECONDS * ONSET_FPS / 2)
    padded = np.pad(decibels, reach, mode="edge")
    around = np.quantile(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)[::8], 0.6, axis=1)
    around = np.repeat(around, 8)[: len(decibels)]
    quiet = np.concatenate(([0], (decibels < around - QUIET_DB).astype(int), [0]))
    found = zip(np.flatnonzero(np.diff(quiet) == 1), np.flatnonzero(np.diff(quiet) == -1), strict=True)
    last = np.flatnonzero(decibels >= np.median(decibels) - QUIET_DB)[-1]  # after it the song is over
    inside = [(start / ONSET_FPS, end / ONSET_FPS) for start, end in found if start > 0 and end <= last]
    return tuple((start, end) for start, end in inside if SHORTEST_STOP <= end - start <= LONGEST_STOP)


def drops(beats: Beats, decibels: np.ndarray, bass: np.ndarray) -> tuple[float, ...]:
    """Beats, in seconds, at which the music opens up: downbeats where they are known.

    decibels: (t,) loudness at ``ONSET_FPS``.
    bass: (t,) likewise, of the low bands.
    """
    times = beats.times.double().numpy()
    if len(times) < 9:
        return ()
    levels = np.stack([means_between(part[:, None], ONSET_FPS, times)[:, 0] for part in (decibels, bass)])
    candidates = range(4, len(times) - 4)
    if beats.downbeats is not None and bool(beats.downbeats.any()):
        candidates = [i for i in candidates if bool(beats.downbeats[i])]
    rise = {i: float((levels[:, i : i + 4].mean(axis=1) - levels[:, i - 4 : i].mean(axis=1)).min()) for i in candidates}
    high = [i for i in candidates if rise[i] >= DROP_DB]
    places = times[high].tolist()
    return tuple(places[k] for k in spaced(places, [rise[i] for i in high], DROP_SPACING))


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Values (t,) whose steps take about a second."""
    return gaussian_smooth(torch.from_numpy(values), TURN_SECONDS * SHOW_FPS).numpy()


def _stretched(values: np.ndarray, frames: int) -> np.ndarray:
    """Values (frames,), repeating the last one where there are too few."""
    return np.pad(values, (0, max(0, frames - len(values))), mode="edge" if len(values) else "constant")[:frames]
