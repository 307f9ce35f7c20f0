"""The sections of a song: where its sound or harmony changes, and which of them are alike.

Every bar is described by its timbre, harmony and loudness. A bar is novel where a checkerboard kernel fits the bars'
self-similarity (Foote, "Automatic audio segmentation using a measure of audio novelty", ICME 2000). A dynamic programme
then chooses the boundaries: those with the most novelty, at lengths that songs have (Sargent et al., ISMIR 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REACHES = (2, 4, 8)  # bars to either side that are compared
SHORTEST = 2  # bars of a section
LONGEST = 32
USUAL_COST = {0: 0.0, 2: 0.8}  # of a length in bars, modulo 4, in standard deviations of novelty
UNUSUAL_COST = 1.2
BOUNDARY_COST = 1.1
ALIKE = 0.6  # mean similarity of two sections that are the same part of a song
LOUDNESS_WEIGHT = 1.0
TIMBRE_WEIGHT = 1.0
HARMONY_WEIGHT = 0.7


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


def bar_features(timbre: np.ndarray, harmony: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Features (n, d) of n bars, each group of standard deviation 1.

    timbre: (n, m) mean log-mel.
    harmony: (n, 12) mean chroma.
    level: (n,) loudness.
    """
    timbre = timbre - timbre.mean(axis=1, keepdims=True)  # loudness counts by itself
    groups = ((timbre, TIMBRE_WEIGHT), (harmony, HARMONY_WEIGHT), (level[:, None], LOUDNESS_WEIGHT))
    return np.concatenate([weight * _scaled(group) for group, weight in groups], axis=1)


def _scaled(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)
    return centred / max(np.sqrt((centred**2).sum(axis=1).mean()), 1e-6)


def self_similarity(features: np.ndarray) -> np.ndarray:
    """Similarity (n, n) in (0, 1] of rows (n, d): a Gaussian of their distance, with its median as width."""
    square = ((features[:, None] - features) ** 2).sum(axis=2)
    width = max(float(np.median(square[square > 1e-9])) if (square > 1e-9).any() else 1.0, 1e-6)
    return np.exp(-square / width)


def novelty(similar: np.ndarray) -> np.ndarray:
    """How much changes (n,) at the start of each bar, the mean over ``REACHES``; 0 for the first.

    similar: (n, n) similarity of bars.
    """
    count = len(similar)
    found = np.zeros(count)
    for bar in range(1, count):
        for reach in REACHES:
            before, after = slice(max(0, bar - reach), bar), slice(bar, min(count, bar + reach))
            within = (similar[before, before].mean() + similar[after, after].mean()) / 2
            found[bar] += (within - similar[before, after].mean()) / len(REACHES)
    return found


def boundaries(change: np.ndarray) -> list[int]:
    """The bars at which sections start, increasing from 0.

    change: (n,) novelty of each bar.
    """
    count = len(change)
    gain = (change - change.mean()) / max(float(change.std()), 1e-6) if count else change
    best, came_from = np.full(count + 1, -np.inf), np.zeros(count + 1, dtype=int)
    best[0] = 0.0
    for end in range(1, count + 1):
        for start in range(max(0, end - LONGEST), end):
            length = end - start
            if length < SHORTEST and count > SHORTEST and end < count:
                continue
            closing = 0.0 if end == count else gain[end] - BOUNDARY_COST
            unusual = 0.0 if end == count else USUAL_COST.get(length % 4, UNUSUAL_COST)
            if best[start] + closing - unusual > best[end]:
                best[end], came_from[end] = best[start] + closing - unusual, start
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


def find_sections(edges: np.ndarray, timbre: np.ndarray, harmony: np.ndarray, level: np.ndarray) -> tuple[Section, ...]:
    """The sections of a song, from its start to its end.

    edges: (n + 1,) seconds where n bars start and the last one ends.
    timbre, harmony, level: of each bar, as in ``bar_features``.
    """
    similar = self_similarity(bar_features(timbre, harmony, level))
    starts = boundaries(novelty(similar))
    ends = [*starts[1:], len(level)]
    loud = np.array([level[start:end].mean() for start, end in zip(starts, ends, strict=True)])
    span = max(float(np.ptp(loud)), 1e-6)
    intensity = (loud - loud.min()) / span if len(loud) > 1 and span > 1e-3 else np.ones(len(loud))
    kinds = labels(similar, starts)
    return tuple(
        Section(float(edges[start]), float(edges[end]), kind, float(strength))
        for start, end, kind, strength in zip(starts, ends, kinds, intensity, strict=True)
    )
