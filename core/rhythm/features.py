"""The rhythm of a song: beats, onset strength and loudness, and the rhythm features that condition a denoiser.

Conventions: onset strength and loudness have ``heard_fps`` frames per second (frame i at ``i / heard_fps`` s), by
default ``core.audio.onsets.ONSET_FPS``. Features have any frame rate (frame i at ``i / fps`` s).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from core import progress
from core.audio.beat_tracking import track_beats
from core.audio.io import resample
from core.audio.onsets import LOUDNESS_SPAN_DB, ONSET_FPS, RHYTHM_RATE, loudness, onset_strength, rhythm_mel
from core.layers.peaks import gaussian_smooth
from core.types import Beats, Waveform

RHYTHM_CHANNELS = (
    "beat_cos",  # phase of the beat: (1, 0) on the beat
    "beat_sin",
    "half_cos",  # phase of half a bar (two beats of four); (0, 0) where downbeats are unknown
    "half_sin",
    "bar_cos",  # phase of the bar: (1, 0) on the downbeat; (0, 0) where downbeats are unknown
    "bar_sin",
    "onset",  # strongest onset within the frame, 0-1
    "loudness",  # over about a second: 1 at the song's loud passages, 0 at 30 dB below and less
    "tempo",  # log2(bpm / 120), local
    "known",  # 1 if there are beats; else phases and tempo are 0
)
LOUDNESS = RHYTHM_CHANNELS.index("loudness")
_NORMALISED_SPAN_DB = 30.0
FORM_SECONDS = 4.0  # of a passage, two standard deviations of a Gaussian
BEATS_PER_BAR = 4  # of the bars that the models of dance and music know


@dataclass(frozen=True)
class Rhythm:
    """The rhythm of a song.

    beats: its beats.
    onset: (t,) onset strength in [0, 1] at ``ONSET_FPS`` frames per second.
    loudness: (t,) in [0, 1], at the same rate.
    """

    beats: Beats
    onset: Tensor
    loudness: Tensor


def analyse(waveform: Waveform, mel: Tensor | None = None, beats: Beats | None = None) -> Rhythm:
    """Analyse the rhythm of a song: everything that conditions a dance besides the music's latents.

    waveform: the song.
    mel: its ``rhythm_mel``, if it is already known.
    beats: its beats, if they are already known.
    """
    waveform = resample(waveform, RHYTHM_RATE)
    with progress.part(0.0, 0.3):
        mel = rhythm_mel(waveform.samples) if mel is None else mel
    with progress.part(0.3, 1.0):
        return Rhythm(track_beats(waveform) if beats is None else beats, onset_strength(mel), loudness(mel))


def rhythm_features(
    beats: Beats, onset: Tensor, loudness: Tensor, frames: int, fps: float, heard_fps: float = ONSET_FPS
) -> Tensor:
    """Rhythm features (frames, 10): ``RHYTHM_CHANNELS`` for each frame.

    beats: phases need at least two. Beats continue at their own spacing before the first and after the last.
    onset: (t,) at ``heard_fps``, as ``analyse`` returns it for the same stretch of time.
    loudness: (t,) at ``heard_fps``, likewise.
    frames: number of frames.
    fps: their rate, frames per second.
    heard_fps: frames per second of ``onset`` and ``loudness``.
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
    features[:, LOUDNESS] = relative_loudness(loudness, frames, fps, heard_fps)
    return features


def beats_of(features: Tensor, fps: float) -> Tensor:
    """Instants (n,) of the beats in rhythm features (t, r) at ``fps``, seconds: where their phase comes round."""
    known, heard = features[:, RHYTHM_CHANNELS.index("known")] > 0, features[:, :2].double()
    turned = torch.atan2(heard[:, 1], heard[:, 0]) / (2 * math.pi) % 1
    step = turned.diff() % 1
    round_ = known[1:] & known[:-1] & (turned[:-1] + step >= 1)
    share = (1 - turned[:-1]) / step.clamp_min(1e-9)
    beats = (torch.arange(len(step)) + share)[round_] / fps
    first = beats.new_zeros(1) if len(known) and known[0] and turned[0] == 0 else beats[:0]
    return torch.cat((first, beats))


def phases(beats: Beats, times: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Beat, half-bar and bar position (t,) of each instant (t,); whole numbers are beats, half bars and downbeats.

    Half-bar and bar are None without downbeats. Positions are linear between beats. Outside of them they continue at
    the median of the four nearest intervals.
    """
    count = _position(beats.times.double(), times)
    if beats.downbeats is None or not bool(beats.downbeats.any()):
        return count, None, None
    downbeats = torch.nonzero(known_bars(beats.downbeats))[:, 0].double()
    lone = len(downbeats) == 1
    bar = (count - downbeats[0]) / BEATS_PER_BAR if lone else _position(downbeats, count)
    return count, 2 * bar, bar


def known_bars(downbeats: Tensor) -> Tensor:
    """The downbeats (n,) of bars as the models know them, mostly of four beats.

    Two bars of two beats are one. Even bars of six beats and more are halved, if need be twice. Bars of three, five and
    seven stay what they are.
    """
    starts = torch.nonzero(downbeats)[:, 0].tolist()
    known = downbeats.clone()
    for start, end in pairwise([*starts, len(downbeats)]):
        if end == len(downbeats):
            continue
        length = end - start
        while length >= 6 and length % 2 == 0:
            length //= 2
        known[start + length : end : length] = True
        if end - start == 2 and known[start]:
            known[end] = False
    return known


def tempo_at(beats: Beats, times: Tensor) -> Tensor:
    """Local tempo (t,) at each instant (t,), in beats per minute.

    It is measured over four beats, so that one misplaced beat matters little.
    """
    knots = beats.times.double()
    reach = min(4, len(knots) - 1)
    spans = (knots[reach:] - knots[:-reach]) / reach
    centres = (knots[reach:] + knots[:-reach]) / 2
    return 60 / _interpolate(centres, spans, times)


def _position(knots: Tensor, at: Tensor) -> Tensor:
    """The position (t,) of each of ``at`` (t,) on the scale where knot k of ``knots`` (n,) is at k, extrapolated."""
    intervals = knots[1:] - knots[:-1]
    first, last = intervals[:4].median(), intervals[-4:].median()
    inside = _interpolate(knots, torch.arange(len(knots), dtype=knots.dtype), at)
    before = (at - knots[0]) / first
    after = len(knots) - 1 + (at - knots[-1]) / last
    return torch.where(at < knots[0], before, torch.where(at > knots[-1], after, inside))


def _interpolate(x: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """Piecewise linear interpolation through (x, y), constant outside."""
    if len(x) == 1:
        return y.expand(len(at))
    right = torch.searchsorted(x, at.contiguous()).clamp(1, len(x) - 1)
    share = ((at - x[right - 1]) / (x[right] - x[right - 1])).clamp(0, 1)
    return y[right - 1] + share * (y[right] - y[right - 1])


def with_spread_loudness(features: Tensor, power: float) -> Tensor:
    """Rhythm features (..., t, r) whose loudness is raised to ``power``.

    Most passages of a song are within 3 dB of its loud ones, so most loudness is above 0.9. To the power of 11 it is
    about the share of passages of music that are quieter: of the training music of the embedded model 25, 50, 75 and
    90 % are below 0.88, 0.94, 0.97 and 0.99, which become 0.25, 0.50, 0.74 and 0.92.
    """
    return with_loudness(features, features[..., LOUDNESS].clamp_min(0) ** power)


def with_contrast(features: Tensor, fps: float, power: float) -> Tensor:
    """Rhythm features (t, r) of a whole song whose quiet passages are quieter and whose loud ones are louder.

    Spread as in ``with_spread_loudness``, the loudness becomes the mean of itself and of its rank, from 0 to 1, within
    the song. A song that is mastered to one level then has a form as well. The rank is that of a few seconds
    (``FORM_SECONDS``), because form is about sections and not about notes.

    fps: frames per second.
    power: that by which loudness is spread.
    """
    level = features[:, LOUDNESS].clamp(0, 1)
    slow = gaussian_smooth(level, FORM_SECONDS / 2 * fps).round(decimals=4)  # equal passages share a rank
    ordered = slow.sort().values
    below, through = (torch.searchsorted(ordered, slow, right=right) for right in (False, True))
    rank = (below + through) / (2 * len(slow))
    return with_loudness(features, ((level**power + rank) / 2) ** (1 / power))


def with_loudness(features: Tensor, loudness: Tensor) -> Tensor:
    """Rhythm features (..., t, r) with another loudness (..., t)."""
    return torch.cat((features[..., :LOUDNESS], loudness[..., None], features[..., LOUDNESS + 1 :]), dim=-1)


def _pool(values: Tensor, frames: int, fps: float, heard_fps: float) -> Tensor:
    """Maximum (frames,) of values (t,) at ``heard_fps`` over the time of each frame, half a frame to either side."""
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
    """Loudness (frames,) in [0, 1], relative to the song and smoothed over a second.

    It is 1 at the song's own loud passages (95th percentile) and 0 at 30 dB below and less.

    values: (t,) level in [0, 1] as ``core.audio.onsets.loudness`` returns it.
    frames: number of frames.
    fps: their rate, frames per second.
    heard_fps: frames per second of ``values``.
    """
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
