"""Beats of a motion, tracked without its music, and the rhythm target of a score for it.

Kinematic beats (see ``core.rhythm.accents``) are the accents of a dance, as onsets are those of a song. The beat
tracker for songs therefore also tracks a motion. Its envelope has a bump at every accent, higher for a stronger one,
and a smaller contribution wherever the body is slow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from core.audio.beat_network import FPS
from core.audio.beat_path import fill, smoothed
from core.audio.beat_tracking import CEILING
from core.audio.onsets import ONSET_FPS
from core.errors import FootlightError
from core.grid.beat_grid import tempo_of
from core.layers.peaks import gaussian_smooth
from core.rhythm.accents import kinematic_beats, mean_speed
from core.rhythm.features import BEATS_PER_BAR, RHYTHM_CHANNELS, rhythm_features
from core.rhythm.pulse import beat_frames
from core.types import Beats

BUMP_SECONDS = 0.05  # standard deviation of a bump, and of the smoothing of the speed
STILLNESS_WEIGHT = 0.5  # of slowness, relative to the accents
QUIETEST = 0.79  # target loudness while the body rests; the loudness of real music lies above it
STANDING_STILL = 0.01  # metres per second


def track_pulse(positions: Tensor, fps: float, accents: Beats) -> Beats:
    """Track the beats of a motion over its whole length. Bars stay unknown.

    positions: (t, j, 3 or 2) metres.
    fps: frames per second.
    accents: the motion's kinematic beats.

    Raises FootlightError for a motion that stands still.
    """
    if float(mean_speed(positions, fps).mean()) < STANDING_STILL:
        raise FootlightError("the motion stands still: there is no movement to find a beat in")
    return _tracked(movement_envelope(positions, fps, accents), len(positions) / fps)


def shared_beats(positions: Tensor, fps: float, accents: Beats, onset: Tensor, onset_fps: float = ONSET_FPS) -> Beats:
    """Track the common beats of a motion and its music, with bars.

    positions: (t, j, 3) metres.
    fps: frames per second.
    accents: the motion's kinematic beats.
    onset: (t',) onset strength of the music.
    onset_fps: its frames per second.
    """
    moved = movement_envelope(positions, fps, accents)
    clock = np.arange(len(moved)) / FPS
    played = np.interp(clock, np.arange(len(onset)) / onset_fps, onset.double().numpy())
    return with_bars(_tracked(moved + _levelled(played), len(positions) / fps), accents)


def movement_envelope(positions: Tensor, fps: float, accents: Beats) -> np.ndarray:
    """Envelope (t',) of a motion at 100 frames per second, with root mean square 1, like the onset envelope of music.

    positions: (t, j, 3 or 2) metres.
    fps: frames per second.
    accents: the motion's kinematic beats.
    """
    clock = np.arange(int(len(positions) / fps * FPS)) / FPS
    speed = gaussian_smooth(mean_speed(positions, fps).double(), BUMP_SECONDS * fps)
    slow = 1 - np.interp(clock, np.arange(len(speed)) / fps, speed.numpy()) / max(float(speed.mean()), 1e-9)
    return _levelled(bumps(accents, clock) + STILLNESS_WEIGHT * slow.clip(0))


def _levelled(envelope: np.ndarray) -> np.ndarray:
    return envelope / max(float(np.sqrt((envelope**2).mean())), 1e-9)


def _tracked(envelope: np.ndarray, seconds: float) -> Beats:
    times = fill(smoothed(beat_frames(envelope.clip(0, CEILING))) / FPS, seconds)
    return Beats(torch.from_numpy(times).float(), tempo_of(times))


def bumps(events: Beats, clock: np.ndarray) -> np.ndarray:
    """A curve (t,) with a bump at each event, as high as the square root of its strength.

    events: events and their strengths.
    clock: (t,) the instants at which the curve is sampled, seconds.
    """
    curve = np.zeros(len(clock))
    strengths = torch.ones_like(events.times) if events.strength is None else events.strength
    for time, strength in zip(events.times.tolist(), strengths.tolist(), strict=True):
        near = slice(*np.searchsorted(clock, (time - 4 * BUMP_SECONDS, time + 4 * BUMP_SECONDS)))
        curve[near] += strength**0.5 * np.exp(-0.5 * ((clock[near] - time) / BUMP_SECONDS) ** 2)
    return curve


@dataclass(frozen=True)
class RhythmTarget:
    """The rhythm that a score for a motion should have.

    beats: its beats, with bars.
    accents: instants at which something should sound, with a strength in [0, 1].
    loudness: (t,) in [0, 1] at 62.5 frames per second, 1 at the loud passages.
    """

    beats: Beats
    accents: Beats
    loudness: Tensor

    def features(self, frames: int, fps: float) -> Tensor:
        """Rhythm features (frames, r), ``core.rhythm.features.RHYTHM_CHANNELS``, with the accents as onsets."""
        return target_features(self.beats, self.accents, self.loudness, frames, fps)


def rhythm_target(
    positions: Tensor, fps: float, accents: Beats | None = None, beats: Beats | None = None
) -> RhythmTarget:
    """The rhythm target of a motion: its beats, its accents, and a loudness that follows its speed.

    positions: (t, j, 3 or 2) metres.
    fps: frames per second.
    accents: the motion's kinematic beats; None finds them.
    beats: its beats; None tracks them. Without bars they are given bars of four.

    Raises FootlightError for a motion that stands still and whose beats are to be tracked.
    """
    accents = kinematic_beats(positions, fps) if accents is None else accents
    beats = track_pulse(positions, fps, accents) if beats is None else beats
    beats = with_bars(beats, accents) if beats.downbeats is None else beats
    speed = gaussian_smooth(mean_speed(positions, fps).double(), 0.5 * fps).numpy()
    frames = int(len(positions) / fps * ONSET_FPS) + 1
    busy = np.interp(
        np.arange(frames) / ONSET_FPS, np.arange(len(speed)) / fps, speed / max(np.quantile(speed, 0.95), 1e-9)
    )
    loudness = QUIETEST + (1 - QUIETEST) * busy.clip(0, 1)
    return RhythmTarget(beats, accents, torch.from_numpy(loudness).float())


def with_bars(beats: Beats, events: Beats) -> Beats:
    """Add bars of four beats. Of the four possible counts, the one with the strongest events on its downbeats is taken.

    beats: beats of any kind.
    events: accents, with strengths.
    """
    times, near = beats.times.double(), torch.zeros(len(beats.times), dtype=torch.float64)
    if len(times) and len(events.times):
        strength = torch.ones(len(events.times)) if events.strength is None else events.strength
        distance = (times[:, None] - events.times.double()).abs()
        near = (strength.double() * torch.exp(-0.5 * (distance / BUMP_SECONDS) ** 2)).amax(dim=1)
    phase = max(range(BEATS_PER_BAR), key=lambda p: float(near[p::BEATS_PER_BAR].sum()))
    return replace(beats, downbeats=torch.arange(len(times)) % BEATS_PER_BAR == phase)


def target_features(beats: Beats, accents: Beats, loudness: Tensor, frames: int, fps: float) -> Tensor:
    """Rhythm features (frames, r) of a rhythm target; in training, those of music that meets it exactly.

    Accents are bumps, so that they can lie between two frames.

    beats: beats, with bars.
    accents: instants with a strength in [0, 1].
    loudness: (t,) in [0, 1] at ``core.audio.onsets.ONSET_FPS`` frames per second.
    frames: number of frames.
    fps: their rate, frames per second.
    """
    features = rhythm_features(beats, loudness.new_zeros(0), loudness, frames, fps)
    clock = np.arange(frames) / fps
    features[:, RHYTHM_CHANNELS.index("onset")] = torch.from_numpy(bumps(accents, clock).clip(0, 1)).float()
    level = np.interp(clock, np.arange(len(loudness)) / ONSET_FPS, loudness.double().numpy())
    features[:, RHYTHM_CHANNELS.index("loudness")] = torch.from_numpy(level).float()
    return features
