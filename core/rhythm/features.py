"""The rhythm of a song: beats, and the features that tell a denoiser about them, about onsets and loudness.

Conventions: onset strength and loudness come at ``heard_fps`` frames a second, which is ``core.audio.onsets.ONSET_FPS``
unless it is given (frame i at ``i / heard_fps`` s); features come at any frame rate (frame i at ``i / fps`` s).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from core import progress
from core.audio.beat_tracking import BEATS_PER_BAR, track_beats
from core.audio.io import resample
from core.audio.onsets import LOUDNESS_SPAN_DB, ONSET_FPS, RHYTHM_RATE, loudness, onset_strength, rhythm_mel
from core.types import Beats, Waveform

RHYTHM_CHANNELS = (
    "beat_cos",  # phase of the beat: 1, 0 on the beat
    "beat_sin",
    "half_cos",  # phase of half a bar (two beats of four); 0, 0 where downbeats are unknown
    "half_sin",
    "bar_cos",  # phase of the bar: 1, 0 on the downbeat; 0, 0 where downbeats are unknown
    "bar_sin",
    "onset",  # strongest onset within the frame, 0-1
    "loudness",  # over about a second, 1 at the song's loud passages, 0 from 30 dB below
    "tempo",  # log2(bpm / 120) around here
    "known",  # 1 when there are beats; without, phases and tempo are 0
)
_NORMALISED_SPAN_DB = 30.0


@dataclass(frozen=True)
class Rhythm:
    """beats: of the song.  onset, loudness: (t,) in [0, 1] at ``ONSET_FPS`` frames a second."""

    beats: Beats
    onset: Tensor
    loudness: Tensor


def analyse(waveform: Waveform, mel: Tensor | None = None) -> Rhythm:
    """Everything the dancer hears of a song besides its own latents.

    mel: the song's ``rhythm_mel`` where it is known already.
    """
    waveform = resample(waveform, RHYTHM_RATE)
    with progress.part(0.0, 0.3):
        mel = rhythm_mel(waveform.samples) if mel is None else mel
    with progress.part(0.3, 1.0):
        return Rhythm(track_beats(waveform), onset_strength(mel), loudness(mel))


def rhythm_features(
    beats: Beats, onset: Tensor, loudness: Tensor, frames: int, fps: float, heard_fps: float = ONSET_FPS
) -> Tensor:
    """(frames, 10): ``RHYTHM_CHANNELS`` for each frame.

    beats: at least two for phases to be known; they go on at their own spacing before the first and after the last.
    onset, loudness: (t,) at ``heard_fps``, as ``analyse`` gives them for the same stretch of time.
    """
    times = torch.arange(frames, dtype=torch.float64) / fps
    features = torch.zeros(frames, len(RHYTHM_CHANNELS))
    if len(beats.times) >= 2:
        beat, half, bar = phases(beats, times)
        for channel, phase in ((0, beat), (2, half), (4, bar)):
            if phase is not None:
                features[:, channel] = torch.cos(2 * math.pi * phase).float()
                features[:, channel + 1] = torch.sin(2 * math.pi * phase).float()
        features[:, 8] = torch.log2(tempo_at(beats, times) / 120).float()
        features[:, 9] = 1
    features[:, 6] = _pool(onset, frames, fps, heard_fps)
    features[:, 7] = relative_loudness(loudness, frames, fps, heard_fps)
    return features


def phases(beats: Beats, times: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Beat, half-bar and bar position (t,) of each instant; whole numbers fall on beats, half bars and downbeats.

    Half-bar and bar are None without downbeats. Positions are linear between beats and go on at the median of the
    four nearest intervals outside of them.
    """
    count = _position(beats.times.double(), times)
    if beats.downbeats is None or not bool(beats.downbeats.any()):
        return count, None, None
    downbeats = torch.nonzero(beats.downbeats)[:, 0].double()
    lone = len(downbeats) == 1
    bar = (count - downbeats[0]) / BEATS_PER_BAR if lone else _position(downbeats, count)
    return count, 2 * bar, bar


def tempo_at(beats: Beats, times: Tensor) -> Tensor:
    """(t,) beats a minute around each instant: over four beats, so that a beat out of place does not jolt it."""
    knots = beats.times.double()
    reach = min(4, len(knots) - 1)
    spans = (knots[reach:] - knots[:-reach]) / reach
    centres = (knots[reach:] + knots[:-reach]) / 2
    return 60 / _interpolate(centres, spans, times)


def _position(knots: Tensor, at: Tensor) -> Tensor:
    """Where each of ``at`` (t,) lies on the scale on which knot k (n,) is k, extended at its end intervals."""
    intervals = knots[1:] - knots[:-1]
    first, last = intervals[:4].median(), intervals[-4:].median()
    inside = _interpolate(knots, torch.arange(len(knots), dtype=knots.dtype), at)
    before = (at - knots[0]) / first
    after = len(knots) - 1 + (at - knots[-1]) / last
    return torch.where(at < knots[0], before, torch.where(at > knots[-1], after, inside))


def _interpolate(x: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """Piecewise linear through (x, y), constant outside."""
    if len(x) == 1:
        return y.expand(len(at))
    right = torch.searchsorted(x, at.contiguous()).clamp(1, len(x) - 1)
    share = ((at - x[right - 1]) / (x[right] - x[right - 1])).clamp(0, 1)
    return y[right - 1] + share * (y[right] - y[right - 1])


def _pool(values: Tensor, frames: int, fps: float, heard_fps: float) -> Tensor:
    """(t,) at ``heard_fps`` -> (frames,): the maximum over each frame's own time, half a frame to both sides."""
    if len(values) == 0:
        return torch.zeros(frames)
    half = max(heard_fps / fps / 2, 0.5)
    centres = torch.arange(frames) * (heard_fps / fps)
    first = torch.ceil(centres - half - 1e-6).long()
    width = int(2 * half + 1e-6) + 1
    index = first[:, None] + torch.arange(width)
    inside = (index <= (centres + half + 1e-6)[:, None]) & (index >= 0) & (index < len(values))
    return torch.where(inside, values[index.clamp(0, len(values) - 1)].float(), torch.zeros(())).amax(dim=1)


def relative_loudness(values: Tensor, frames: int, fps: float, heard_fps: float = ONSET_FPS) -> Tensor:
    """(t,) level at ``heard_fps`` -> (frames,) in [0, 1]: smoothed over a second, from the song's own loud passages
    (95th percentile) down to 30 dB below."""
    if len(values) == 0:
        return torch.zeros(frames)
    reach = round(heard_fps / 2)
    kernel = torch.hann_window(4 * reach + 1, periodic=False)  # its half height spans a second
    padded = functional.pad(values.float()[None, None], (2 * reach, 2 * reach), mode="replicate")
    smooth = functional.conv1d(padded, (kernel / kernel.sum())[None, None])[0, 0]
    loud = torch.quantile(smooth, 0.95)
    relative = (1 - (loud - smooth) * LOUDNESS_SPAN_DB / _NORMALISED_SPAN_DB).clamp(0, 1)
    clock = torch.arange(len(values), dtype=torch.float64) / heard_fps
    return _interpolate(clock, relative.double(), torch.arange(frames, dtype=torch.float64) / fps).float()
