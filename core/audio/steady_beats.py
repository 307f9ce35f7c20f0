"""The steady grid that a path of beats should have kept to.

A path that is free to follow a tempo also follows a drummer's syncopation, a part of a beat away and back. So it
competes with a grid of one tempo over the whole song. Where the tempo does change, the beats of the grid soon fall
where there is nothing; a path that only slips hears little more than the grid.
"""

from __future__ import annotations

import math

import numpy as np

from core.audio.beat_network import FPS
from core.audio.beat_path import refined, weights_around

FEWEST = 16  # beats; fewer say little about the tempo
SLIP = 0.2  # beats by which a path moves against the grid before it slips or follows another tempo
WORTH = 0.4  # nats that each of its beats then hears more than the grid's, or the grid is right
LOCALLY_WORTH = 2.5  # or this for ``LOCAL`` frames: the tempo is another one there
LOCAL = round(8 * FPS)

_LOST = 2.0  # beats that a path may have lost or won over the whole song
_BESIDE = 2  # frames to either side of a grid's beats that count for them: people are that far off


def steadied(frames: np.ndarray, reward: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """The beats (n,) of a path, or those of the steady grid (m,) if the path slips; frames and fractions.

    frames: of the path's beats, throughout the song.
    reward: (t,) for a beat on each frame, nats; 0 where nothing sounds.
    likely: (t,) probability of a beat on each frame.
    """
    if len(frames) < FEWEST:
        return frames
    near = np.lib.stride_tricks.sliding_window_view(np.pad(reward, _BESIDE, mode="edge"), 2 * _BESIDE + 1).max(axis=-1)
    period = (frames[-1] - frames[0]) / (len(frames) - 1)
    first, period = _straightened(*best_grid(near, period, _LOST / len(frames)), likely)
    moved = (frames - first) / period - np.arange(len(frames))
    if np.ptp(moved) < SLIP:
        return frames
    grid = _grid(first, period, len(reward))
    gained = _heard(frames, near) - _heard(grid, near)
    ahead = np.append(0.0, np.cumsum(gained)) * period
    local = min(LOCAL, len(reward))
    steady = ahead[-1] < WORTH * len(reward) and (ahead[local:] - ahead[:-local]).max() < LOCALLY_WORTH * local
    return grid if steady else frames


def best_grid(reward: np.ndarray, period: float, spread: float) -> tuple[float, float]:
    """First beat and period, frames, of the grid of one tempo whose rewards (t,) are the highest on average.

    period: about.
    spread: how far off it may be, relatively.
    """
    highest, best = -np.inf, (0.0, period)
    step = 2 * _BESIDE * period / len(reward)  # the last beats of two neighbours are not farther apart than what counts
    reach = math.ceil(period * spread / step)
    longer = np.pad(reward, (0, math.ceil(period + step * reach)))
    for tried in period + step * np.array(sorted(range(-reach, reach + 1), key=abs)):  # of equal ones the nearest
        phases = math.ceil(tried)
        starts = np.round(np.arange(int((len(reward) - 1) / tried)) * tried).astype(int)
        means = np.lib.stride_tricks.sliding_window_view(longer, phases)[starts].mean(axis=0)
        phase = int(means.argmax())
        if means[phase] > highest:
            highest, best = float(means[phase]), (float(phase), float(tried))
    return best


def _straightened(first: float, period: float, likely: np.ndarray) -> tuple[float, float]:
    """The grid moved and stretched to where the probabilities (t,) around its beats are centred."""
    grid = _grid(first, period, len(likely))
    weight = np.sqrt(weights_around(grid, likely).sum(axis=1) + 1e-3)
    slope, start = np.polyfit(np.arange(len(grid)), refined(grid, likely), 1, w=weight)
    return float(start), float(slope)


def _grid(first: float, period: float, length: int) -> np.ndarray:
    """The beats (n,) of a grid in ``[0, length)``, in frames."""
    start = first % period
    return start + np.arange(math.ceil((length - start) / period)) * period


def _heard(beats: np.ndarray, near: np.ndarray) -> np.ndarray:
    """On each frame (t,) what the beats (n,) on it hear there."""
    at = np.round(beats).astype(int).clip(0, len(near) - 1)
    return np.bincount(at, minlength=len(near)) * near
