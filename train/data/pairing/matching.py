"""Chooses the music for a motion: tempo, phase and section, by kinematic beats on musical beats and by energy.

Candidates are ranked by how many kinematic beats fall on their beats before any warp, and by how well their energy over
time follows the motion's. The best are aligned (``train.data.pairing.warp``). The winner keeps most beats for the least
warp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from torch import Tensor

from core.errors import FootlightError
from core.layers.peaks import gaussian_smooth
from core.motion.kinematics import forward
from core.rhythm.accents import kinematic_beats, mean_speed
from core.types import Beats, Motion, Waveform
from train.data.dataset import SongRecord
from train.data.music.songs import cut, heard
from train.data.pairing import warp
from train.data.rates import MEL_FPS

SHORTEST_SECONDS = 2.5
ENERGY_FPS = 4.0
_AGREEMENT_SECONDS = 0.06
_PHASES = 16
_SONGS_TRIED = 14
_STILL_SPEED = 0.12  # m/s, mean over the joints; a dance is at 0.5
_STILL_KEPT = 0.4
_MOST_JERK = 3500.0  # m/s^3, mean over the joints; breakdance reaches 3000, its median is 300
ALIGNED = 6  # of the candidates, the best
SPARE_SECONDS = 16.0  # an arrangement is rendered longer than the motion, to choose its section
ENERGY_WORTH = 0.35  # a correlation of 1 is worth this share of all kinematic beats on musical beats
LEVEL_WORTH = 0.08  # a level one standard deviation off costs this share
_CHANCE = 0.2  # of a correlation, by which sections of alike energy are told apart


@dataclass(frozen=True)
class Section:
    """A stretch of music on a clock of its own.

    exact: whether its beats are known rather than tracked.
    parts: the tensors of a song record.
    score: how well it suits the motion.
    """

    music: str
    exact: bool
    parts: dict[str, Tensor]
    score: float = 0.0

    @property
    def beats(self) -> np.ndarray:
        return self.parts["beats"].double().numpy()

    @property
    def tempo(self) -> float:
        return float(60 / np.median(np.diff(self.beats)))


@dataclass(frozen=True)
class Body:
    """What pairing needs to know of a motion.

    kinematic_beats: (n,) seconds.
    weights: (n,), about 1.
    energy: (m,) at ``ENERGY_FPS``.
    level: log speed against the usual, in standard deviations.
    """

    motion: Motion
    kinematic_beats: np.ndarray
    weights: np.ndarray
    energy: np.ndarray
    level: float


Arrange = Callable[[float, float, np.random.Generator], tuple[str, Waveform, Beats]]
"""(beats a minute, seconds, generator) -> the name of an arrangement, its sound and its exact beats."""


def body_of(motion: Motion) -> Body:
    """The kinematic beats and the energy of the motion's longest unbroken stretch, without still ends.

    Raises FootlightError when it is too short or too still to pair.
    """
    motion = without_still_ends(unbroken(motion))
    if motion.seconds < SHORTEST_SECONDS:
        raise FootlightError(f"only {motion.seconds:.1f} s of motion; at least {SHORTEST_SECONDS:g} s are needed")
    positions = forward(motion.rotations, motion.root)
    found = kinematic_beats(positions, motion.fps)
    assert found.strength is not None
    times = found.times.double().numpy()
    if len(times) < 2:
        raise FootlightError(
            "fewer than two kinematic beats (moments when the body comes to rest), so nothing can fall on musical beats"
        )
    strength = found.strength.double().numpy()
    speed = mean_speed(positions, motion.fps).double().numpy()
    energy = smoothed(speed, motion.fps)
    level = float(np.log(max(speed.mean(), 1e-3) / 0.45) / 0.45)
    return Body(motion, times, 0.5 + 0.5 * strength / strength.mean(), energy, level)


def unbroken(motion: Motion) -> Motion:
    """The longest stretch in which the whole body never jerks as no body can. Repairs could not mend the rest."""
    return motion.cut(*unbroken_range(motion))


def unbroken_range(motion: Motion) -> tuple[int, int]:
    """The first frame of ``unbroken``, and the one past its last."""
    positions = forward(motion.rotations, motion.root)
    jerk = positions.diff(n=3, dim=0).norm(dim=-1).mean(dim=-1) * motion.fps**3
    broken = [-1, *((jerk > _MOST_JERK).nonzero()[:, 0] + 2).tolist(), motion.frames]
    start, end = max(pairwise(broken), key=lambda ends: ends[1] - ends[0])
    margin = round(0.2 * motion.fps)
    return start + margin if start >= 0 else 0, end - margin if end < motion.frames else end


def without_still_ends(motion: Motion) -> Motion:
    """The motion from when the body begins to move until it stops, with ``_STILL_KEPT`` seconds more at both ends.

    Captures begin and end with a person who waits. A model that learns from them would wait as well.
    """
    speed = gaussian_smooth(mean_speed(forward(motion.rotations, motion.root), motion.fps), 0.2 * motion.fps)
    moving = (speed > _STILL_SPEED).nonzero()[:, 0]
    if not len(moving):
        return motion
    kept = round(_STILL_KEPT * motion.fps)
    return motion.cut(max(0, int(moving[0]) - kept), min(motion.frames, int(moving[-1]) + 1 + kept))


def smoothed(curve: np.ndarray, fps: float, seconds: float = 1.0) -> np.ndarray:
    """A curve (t,) at ``fps`` as (m,) at ``ENERGY_FPS``, smoothed by a Hann window of twice ``seconds``."""
    width = max(3, int(2 * seconds * fps) | 1)
    kernel = np.hanning(width + 2)[1:-1]
    padded = np.pad(curve, width // 2, mode="edge")
    smooth = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    times = np.arange(int(len(curve) / fps * ENERGY_FPS)) / ENERGY_FPS
    return np.interp(times, np.arange(len(curve)) / fps, smooth)


def music_energy(parts: dict[str, Tensor]) -> np.ndarray:
    """How loud and how busy music is over time, (m,) at ``ENERGY_FPS``."""
    onset = smoothed(parts["onset"].double().numpy(), MEL_FPS)
    loud = smoothed(parts["loudness"].double().numpy(), MEL_FPS)
    return loud + 2.0 * onset


def sliding_correlation(short: np.ndarray, long: np.ndarray) -> np.ndarray:
    """The Pearson correlation of ``short`` (m,) with every stretch of ``long`` (n,), as (n - m + 1,).

    It is 0 where flat.
    """
    windows = np.lib.stride_tricks.sliding_window_view(long, len(short))
    centred = windows - windows.mean(axis=1, keepdims=True)
    target = short - short.mean()
    scale = np.linalg.norm(centred, axis=1) * np.linalg.norm(target)
    return np.where(scale > 1e-9, centred @ target / np.maximum(scale, 1e-9), 0.0)


def agreement(kinematic_beats: np.ndarray, weights: np.ndarray, beats: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """How well kinematic beats fall on beats and half-beats when the motion starts at each of ``starts`` (k,).

    Returns (k,): 1 when all fall on beats, 0 for what random times get.

    kinematic_beats, weights: (n,).
    beats: (m,) seconds.
    starts: (k,) seconds.
    """
    grid = warp.beat_grid(beats)
    at = kinematic_beats[None, :] + starts[:, None]
    right = np.clip(np.searchsorted(grid.times, at), 1, len(grid.times) - 1)
    value = np.zeros_like(at)
    for side in (right - 1, right):
        near = np.exp(-((at - grid.times[side]) ** 2) / (2 * _AGREEMENT_SECONDS**2)) * grid.weights[side]
        value = np.maximum(value, near)
    mean = value @ weights / weights.sum()
    density = np.sqrt(2 * np.pi) * _AGREEMENT_SECONDS * grid.weights.sum() / (grid.times[-1] - grid.times[0])
    return (mean - density) / max(1 - density, 0.1)


def tempo_candidates(body: Body, band: tuple[float, float]) -> list[tuple[float, float]]:
    """The tempi of a band with their best phases, best first.

    The band is searched in steps of half a beat a minute.

    Returns (beats a minute, seconds from the beat before to the motion's start).
    """
    found = []
    for bpm in np.arange(band[0] + 0.5, band[1], 0.5):
        period = 60 / bpm
        beats = np.arange(int(body.motion.seconds / period) + 4) * period
        starts = np.arange(_PHASES) / _PHASES * period
        values = agreement(body.kinematic_beats, body.weights, beats, starts)
        best = int(values.argmax())
        found.append((float(values[best]), float(bpm), float(starts[best])))
    found.sort(reverse=True)
    chosen: list[tuple[float, float]] = []
    for _, bpm, start in found:
        if all(abs(np.log2(bpm / other)) > 0.02 for other, _ in chosen):
            chosen.append((bpm, start))
    return chosen[:ALIGNED]


def rendered_section(body: Body, band: tuple[float, float], arrange: Arrange, draw: np.random.Generator) -> Section:
    """A section of an arrangement at the tempo and phase that suit the motion best."""
    end = body.motion.seconds + 2.0
    tried = []
    for bpm, start in tempo_candidates(body, band):
        beats = np.arange(int(end * bpm / 60) + 4) * 60 / bpm - start
        tried.append((warp.align(body.kinematic_beats, body.weights, warp.beat_grid(beats)).score, bpm, start))
    _, bpm, phase = max(tried)
    name, waveform, beats = arrange(bpm, end + SPARE_SECONDS, draw)
    parts, _ = heard(waveform, beats)
    starts = parts["beats"].double().numpy() + phase
    starts = starts[starts + end <= len(parts["mel"]) / MEL_FPS]
    start = start_of_like_energy(body.energy, parts, starts, draw)
    return Section(name, True, cut(parts, start, end))


def start_of_like_energy(
    energy: np.ndarray, parts: dict[str, Tensor], starts: np.ndarray, draw: np.random.Generator
) -> float:
    """The one of ``starts`` (k,) from which the music's energy follows a motion's (m,) best, give or take chance."""
    fit = _energy_fit(energy, parts, starts)
    return float(starts[int((fit + _CHANCE * draw.random(len(starts))).argmax())])


def _energy_fit(energy: np.ndarray, parts: dict[str, Tensor], starts: np.ndarray) -> np.ndarray:
    """The correlation (k,) of a motion's energy (m,) with the music's from each of ``starts`` (k,) on."""
    music = music_energy(parts)
    energy = energy[: len(music)]
    if len(energy) < 8:
        return np.zeros(len(starts))
    correlation = sliding_correlation(energy, music)
    return correlation[np.clip((starts * ENERGY_FPS).round().astype(int), 0, len(correlation) - 1)]


def song_section(
    body: Body, band: tuple[float, float], songs: list[SongRecord], levels: dict[str, float], draw: np.random.Generator
) -> Section | None:
    """The best section of the songs whose tempo lies in the band, or None when none is long enough.

    Only some songs are tried. They are drawn at random, so that a few songs do not get every motion.

    levels: see ``song_levels``.
    """
    end = body.motion.seconds + 1.0
    fitting = [s for s in songs if band[0] <= s.tempo < band[1] and s.mel.shape[0] / MEL_FPS >= end + 1]
    tried: list[tuple[float, SongRecord, float, float, float]] = []
    for index in draw.permutation(len(fitting))[:_SONGS_TRIED]:
        song = fitting[index]
        beats = song.beats.double().numpy()
        if len(beats) < 8:
            continue
        offsets = np.arange(_PHASES) / _PHASES
        starts = (beats[:-1, None] + np.diff(beats)[:, None] * offsets).ravel()
        starts = starts[starts + end <= len(song.mel) / MEL_FPS]
        starts = starts[_steady(beats, starts, end)]
        if not len(starts):
            continue
        parts = _parts(song)
        fit = _energy_fit(body.energy, parts, starts)
        apart = abs(np.clip(body.level, -2, 2) - levels[song.id])
        value = agreement(body.kinematic_beats, body.weights, beats, starts) + ENERGY_WORTH * fit - LEVEL_WORTH * apart
        best_here = value.argsort()[::-1][:3]
        tried.extend((float(value[at]), song, float(starts[at]), float(fit[at]), apart) for at in best_here)
    tried.sort(key=lambda row: -row[0])
    best: Section | None = None
    for _, song, start, fit, apart in tried[:ALIGNED]:
        section = Section(song.id, song.exact, cut(_parts(song), start, end))
        score = warp.align(body.kinematic_beats, body.weights, warp.beat_grid(warp.extended(section.beats, end))).score
        section = replace(section, score=score / body.weights.sum() + ENERGY_WORTH * fit - LEVEL_WORTH * apart)
        if best is None or section.score > best.score:
            best = section
    return best


def _parts(song: SongRecord) -> dict[str, Tensor]:
    names = ("mel", "onset", "loudness", "beats", "downbeats", *(("wave",) if song.wave is not None else ()))
    return {name: getattr(song, name) for name in names}


def _steady(beats: np.ndarray, starts: np.ndarray, seconds: float) -> np.ndarray:
    """Whether the beats from each start on keep within 12 % of their median interval, (k,) bool."""
    intervals = np.diff(beats)
    first = np.searchsorted(beats, starts)
    last = np.minimum(np.searchsorted(beats, starts + seconds), len(beats)) - 1
    stretches, which = np.unique(np.stack((first, last)), axis=1, return_inverse=True)
    keeps = []
    for a, b in stretches.T:
        some = intervals[a:b]
        keeps.append(len(some) >= 3 and np.abs(some / np.median(some) - 1).max() < 0.12)
    return np.array(keeps, dtype=bool)[which.ravel()]


def song_levels(songs: list[SongRecord]) -> dict[str, float]:
    """How busy and loud each song is compared with the others, in standard deviations."""
    values = {song.id: float(music_energy(_parts(song)).mean()) for song in songs}
    spread = np.std(list(values.values())) if len(values) > 1 else 1.0
    middle = np.mean(list(values.values())) if values else 0.0
    return {name: float((value - middle) / max(spread, 1e-6)) for name, value in values.items()}
