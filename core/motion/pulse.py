"""The beat that a motion keeps, found without its music: what a score for it is built on.

Hits (see ``core.motion.directogram``) are to a dance what onsets are to a song, so the tracker of songs follows them:
its envelope gets a bump at every hit, as high as the hit is strong, and half as much wherever the body is slow.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.audio.beat_tracking import CEILING, FPS, beat_frames, fill, smoothed
from core.audio.rhythm import ONSET_FPS
from core.motion.directogram import gaussian_smooth, hits, mean_speed
from core.types import Beats, FootlightError

BUMP_SECONDS = 0.05  # standard deviation of a bump, and of the speed's smoothing
STILLNESS_WEIGHT = 0.5
STANDING_STILL = 0.01  # metres a second


def track_pulse(positions: Tensor, fps: float) -> Beats:
    """The beat of a motion (t, j, 3 or 2) in metres, from its first to its last instant; bars stay unknown.

    Raises FootlightError for a motion that stands still.
    """
    speed = gaussian_smooth(mean_speed(positions, fps).double(), BUMP_SECONDS * fps)
    if float(speed.mean()) < STANDING_STILL:
        raise FootlightError("the motion stands still: there is no movement to find a beat in")
    seconds = len(positions) / fps
    clock = np.arange(int(seconds * FPS)) / FPS
    hit = hits(positions, fps)
    envelope = bumps(hit, clock)
    slow = 1 - np.interp(clock, np.arange(len(speed)) / fps, speed.numpy()) / float(speed.mean())
    envelope += STILLNESS_WEIGHT * slow.clip(0)
    envelope /= np.sqrt((envelope**2).mean())
    times = fill(smoothed(beat_frames(envelope.clip(0, CEILING))) / FPS, seconds)
    tempo = float(60 / np.median(np.diff(times))) if len(times) > 1 else 0.0
    return Beats(torch.from_numpy(times).float(), tempo)


def bumps(events: Beats, clock: np.ndarray) -> np.ndarray:
    """(t,) on the instants of ``clock`` (t,) seconds: a bump at each event, as high as the root of its strength."""
    curve = np.zeros(len(clock))
    strengths = torch.ones_like(events.times) if events.strength is None else events.strength
    for time, strength in zip(events.times.tolist(), strengths.tolist(), strict=True):
        near = slice(*np.searchsorted(clock, (time - 4 * BUMP_SECONDS, time + 4 * BUMP_SECONDS)))
        curve[near] += strength**0.5 * np.exp(-0.5 * ((clock[near] - time) / BUMP_SECONDS) ** 2)
    return curve


def accents(positions: Tensor, fps: float) -> tuple[Tensor, Tensor]:
    """What ``core.audio.rhythm.rhythm_features`` takes as onset and loudness, from a motion: (t',), (t',) in [0, 1] at
    62.5 frames a second. Onset: hits and how strong they are.  Loudness: speed over about a second, 1 at 1 m/s."""
    frames = int(len(positions) / fps * ONSET_FPS) + 1
    clock = np.arange(frames) / ONSET_FPS
    speed = gaussian_smooth(mean_speed(positions, fps).double(), 0.5 * fps)
    busy = np.interp(clock, np.arange(len(speed)) / fps, speed.numpy())
    return torch.from_numpy(bumps(hits(positions, fps), clock).clip(0, 1)).float(), torch.from_numpy(
        busy.clip(0, 1)
    ).float()
