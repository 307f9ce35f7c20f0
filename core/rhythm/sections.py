"""The sections of a song: stretches of bars that sound alike, and which of them are the same part of the song.

Every bar is described by its timbre, by how much each band changes within it, by harmony and by loudness. Verse and
chorus of a song with a band differ less from each other than both do from a silent bar or a break. So distances are
relative to that of the usual bar, and what is farther than ``FARTHEST`` counts as that far. A dynamic programme cuts
the song where the bars of each piece are closest to the piece's mean: least squares, with a price for each cut and for
lengths that songs seldom have. That is segmentation by homogeneity, with the regularity of Sargent et al. ("A
regularity-constrained Viterbi algorithm and its application to the structural segmentation of songs", ISMIR 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.audio.features35 import chroma
from core.audio.onsets import ONSET_FPS, RHYTHM_RATE
from core.rhythm.bars import bar_edges, means_between
from core.types import Beats, Waveform

HARMONY_HOP = 1024  # samples
HARMONY_FPS = RHYTHM_RATE / HARMONY_HOP
DECIBELS = 20 / np.log(10)  # in a neper
SHORTEST = 4  # bars of a section; the last one may be shorter
LONGEST = 32
CUT_COST = 4.0  # of a section, in squared distances of the song's usual bar
LENGTH_COST = {0: 0.0, 2: 2.5}  # of a length in bars, modulo 4, in the same unit
ODD_COST = 5.0
FARTHEST = 2.25  # times the distance of the usual bar
ALIKE = 0.8  # mean similarity of two sections that are the same part of a song
LOUDNESS_WEIGHT = 1.0
TIMBRE_WEIGHT = 1.0
MOVEMENT_WEIGHT = 1.0
HARMONY_WEIGHT = 0.5
SPAN = 5.0  # nepers below the song's loud bands; what is softer counts as that soft
LOUD = 0.95  # quantile of the frames that are loud


@dataclass(frozen=True)
class Section:
    """A stretch of one character.

    start, end: seconds.
    label: 0 for the first kind of section, 1 for the second ...; alike sections have the same.
    intensity: 0-1, 1 in the loudest section of the song.
    """

    start: float
    end: float
    label: int
    intensity: float


def bar_features(timbre: np.ndarray, movement: np.ndarray, harmony: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Features (n, d) of n bars, none of them farther than ``FARTHEST`` from the median bar.

    timbre: (n, m) mean log-mel.
    movement: (n, m) standard deviation of the log-mel within the bar.
    harmony: (n, 12) mean chroma.
    level: (n,) loudness.
    """
    timbre = timbre - timbre.mean(axis=1, keepdims=True)  # loudness counts by itself
    groups = (
        (timbre, TIMBRE_WEIGHT),
        (movement, MOVEMENT_WEIGHT),
        (harmony, HARMONY_WEIGHT),
        (level[:, None], LOUDNESS_WEIGHT),
    )
    features = np.concatenate([weight * _scaled(group) for group, weight in groups], axis=1)
    middle = np.median(features, axis=0)
    away = features - middle
    far = np.linalg.norm(away, axis=1, keepdims=True)
    return middle + away * np.minimum(1, FARTHEST / np.maximum(far, 1e-9))


def _scaled(values: np.ndarray) -> np.ndarray:
    """Values (n, c), centred, whose median length is 1."""
    centred = values - values.mean(axis=0)
    return centred / max(float(np.median(np.linalg.norm(centred, axis=1))), 1e-6)


def self_similarity(features: np.ndarray) -> np.ndarray:
    """Similarity (n, n) in (0, 1] of rows (n, d): a Gaussian of their distance, with its median as width."""
    lengths = (features**2).sum(axis=1)
    square = (lengths[:, None] + lengths - 2 * features @ features.T).clip(0)
    width = max(float(np.median(square[square > 1e-9])) if (square > 1e-9).any() else 1.0, 1e-6)
    return np.exp(-square / width)


def boundaries(features: np.ndarray) -> list[int]:
    """The bars at which sections start, increasing from 0.

    features: (n, d) of the bars, as ``bar_features`` returns them.
    """
    count = len(features)
    sums = np.concatenate((np.zeros((1, features.shape[1])), features.cumsum(axis=0)))
    squares = np.concatenate(([0.0], (features**2).sum(axis=1).cumsum()))
    cost, came_from = np.full(count + 1, np.inf), np.zeros(count + 1, dtype=int)
    cost[0] = 0.0
    unusual = np.array([LENGTH_COST.get(length % 4, ODD_COST) for length in range(LONGEST + 1)])
    unusual[:SHORTEST] = np.inf
    for end in range(1, count + 1):
        start = np.arange(max(0, end - LONGEST), end)
        length, inside = end - start, (start > 0) & (end < count)
        spread = squares[end] - squares[start] - ((sums[end] - sums[start]) ** 2).sum(axis=1) / length
        total = cost[start] + spread + CUT_COST + np.where(inside, unusual[length], 0.0)
        best = int((total <= total.min() + 1e-9).argmax())  # of equal ones the longest
        cost[end], came_from[end] = total[best], start[best]
    starts, end = [], count
    while end > 0:
        end = int(came_from[end])
        starts.append(end)
    return starts[::-1] or [0]


def labels(similar: np.ndarray, starts: list[int]) -> list[int]:
    """The kind of each section, by the mean similarity of its bars to those of the first section of each kind."""
    ends = [*starts[1:], len(similar)]
    spans = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    kinds: list[slice] = []
    found = []
    for span in spans:
        likeness = [similar[span, kind].mean() / _own(similar, span, kind) for kind in kinds]
        if likeness and max(likeness) >= ALIKE:
            found.append(int(np.argmax(likeness)))
        else:
            found.append(len(kinds))
            kinds.append(span)
    return found


def _own(similar: np.ndarray, *spans: slice) -> float:
    return max(float(np.mean([similar[span, span].mean() for span in spans])), 1e-6)


def intensities(loud: np.ndarray) -> np.ndarray:
    """The intensity (n,) in [0, 1] of sections whose loudness is (n,).

    It is the mean of the loudness, relative to the song's softest and loudest section, and of its rank, so that a song
    that is mastered to one level has a form as well. Equally loud sections are all 1.
    """
    span = float(np.ptp(loud))
    if span < 1e-3:
        return np.ones(len(loud))
    below, equal = (loud[:, None] > loud).sum(axis=1), (loud[:, None] == loud).sum(axis=1)
    rank = (below + (equal - 1) / 2) / (len(loud) - 1)
    return ((loud - loud.min()) / span + rank) / 2


def find_sections(edges: np.ndarray, features: np.ndarray, level: np.ndarray) -> tuple[Section, ...]:
    """The sections of a song, from its start to its end.

    edges: (n + 1,) seconds where n bars start and the last one ends.
    features: (n, d) of the bars, as ``bar_features`` returns them.
    level: (n,) their loudness.
    """
    starts = boundaries(features)
    ends = [*starts[1:], len(level)]
    loud = np.array([level[start:end].mean() for start, end in zip(starts, ends, strict=True)])
    kinds = labels(self_similarity(features), starts)
    return tuple(
        Section(float(edges[start]), float(edges[end]), kind, float(strength))
        for start, end, kind, strength in zip(starts, ends, kinds, intensities(loud), strict=True)
    )


def sections_of(song: Waveform, beats: Beats, mel: Tensor) -> tuple[Section, ...]:
    """The sections of a song, from its start to its end.

    song: at ``RHYTHM_RATE``.
    beats: its beats.
    mel: (t, m) its ``rhythm_mel``.
    """
    return described_sections(bar_edges(beats, song.seconds), mel, unit_chroma(tones_of(song)), decibels_of(mel))


def described_sections(
    edges: np.ndarray, mel: Tensor, harmony: np.ndarray, decibels: np.ndarray
) -> tuple[Section, ...]:
    """The sections of a song that is described already.

    edges: (n + 1,) seconds where n bars start and the last one ends.
    mel, decibels: (t, m) log-mel and (t,) loudness at ``ONSET_FPS``.
    harmony: (t', 12) chroma at ``HARMONY_FPS``.
    """
    loud = float(np.quantile(mel.amax(dim=1).numpy(), LOUD)) if len(mel) else 0.0
    bands = mel.clamp_min(loud - SPAN).numpy()
    timbre, square = (means_between(some, ONSET_FPS, edges) for some in (bands, bands * bands))
    movement = np.sqrt((square - timbre**2).clip(0))
    level = means_between(decibels[:, None], ONSET_FPS, edges)[:, 0]
    floor = float(np.quantile(decibels, LOUD)) - SPAN * DECIBELS if len(decibels) else 0.0
    features = bar_features(timbre, movement, means_between(harmony, HARMONY_FPS, edges), level.clip(floor))
    return find_sections(edges, features, level)


def tones_of(song: Waveform) -> Tensor:
    """The magnitude (t, 12) of each pitch class of a song at ``HARMONY_FPS``.

    song: at ``RHYTHM_RATE``.
    """
    return chroma(song.samples, RHYTHM_RATE, HARMONY_HOP)


def unit_chroma(tones: Tensor) -> np.ndarray:
    """Chroma (t, 12) of unit length; zero in silence. tones: (t, 12) magnitudes."""
    return torch.nn.functional.normalize(tones.double(), dim=1).numpy()


def decibels_of(mel: Tensor) -> np.ndarray:
    """The power (t,) of log-mel bands (t, m) together, in dB."""
    power = (2 * mel.double()).exp().numpy().sum(axis=1)
    return 10 * np.log10(np.maximum(power, 1e-7))
