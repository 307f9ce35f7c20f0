"""Melodies from motifs. A motif is a rhythm and a contour that sings well. It is set to chords, answered and varied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from train.demo.composer.harmony import Chord, Key

_SIXTEENTH = 0.25
# (onset, length) in sixteenths, two bars each
CHORUS_RHYTHMS = (
    ((0, 3), (3, 3), (6, 2), (8, 4), (12, 2), (14, 2), (16, 6), (22, 2), (24, 6)),
    ((0, 2), (2, 2), (4, 4), (10, 2), (12, 4), (16, 3), (19, 3), (22, 2), (24, 7)),
    ((0, 4), (6, 2), (8, 3), (11, 3), (14, 2), (16, 4), (20, 2), (22, 2), (24, 6)),
    ((0, 3), (3, 3), (6, 4), (12, 2), (14, 4), (19, 3), (22, 2), (24, 6)),
)
VERSE_RHYTHMS = (
    ((2, 2), (4, 2), (6, 4), (12, 4), (18, 2), (20, 2), (22, 6)),
    ((0, 6), (8, 2), (10, 2), (12, 4), (16, 3), (19, 3), (22, 6)),
    ((4, 2), (6, 2), (8, 4), (14, 2), (16, 4), (20, 2), (22, 2), (24, 4)),
)
_CANDIDATES = 200


class Motif(NamedTuple):
    """Two bars of melody.

    onsets, lengths: beats.
    contour: scale steps from the motif's first tone.
    """

    onsets: tuple[float, ...]
    lengths: tuple[float, ...]
    contour: tuple[int, ...]


def motif(rhythms: Sequence[Sequence[tuple[int, int]]], draw: np.random.Generator) -> Motif:
    """One of the rhythms, with the most singable of many contours that are drawn."""
    rhythm = rhythms[draw.integers(len(rhythms))]
    steps = draw.choice((-4, -3, -2, -1, 0, 1, 2, 3, 4), p=_step_chances(), size=(_CANDIDATES, len(rhythm) - 1))
    contours = np.concatenate([np.zeros((_CANDIDATES, 1), int), np.cumsum(steps, axis=1)], axis=1)
    best = contours[int(np.argmin([_awkwardness(contour) for contour in contours]))]
    onsets, lengths = zip(*rhythm, strict=True)
    return Motif(
        tuple(onset * _SIXTEENTH for onset in onsets),
        tuple(length * _SIXTEENTH for length in lengths),
        tuple(int(step) for step in best),
    )


def augmented(source: Motif) -> Motif:
    """The first half of a motif at half its speed."""
    kept = sum(onset < 4 for onset in source.onsets)
    return Motif(
        tuple(2 * onset for onset in source.onsets[:kept]),
        tuple(2 * length for length in source.lengths[:kept]),
        source.contour[:kept],
    )


def phrase(
    source: Motif,
    harmony: list[tuple[float, float, Chord]],
    key: Key,
    low: int,
    closed: bool,
    variation: int,
    draw: np.random.Generator,
) -> list[tuple[float, float, int]]:
    """Four bars: the motif and its answer, as (start, length, pitch) in beats from the block's start.

    low: the register's lowest pitch.
    closed: end on the tonic if the last chord has it.
    variation: 0 plain, 1 with ornaments on long notes, 2 with more of them and a higher answer.
    """
    written, before = [], None
    lift = -min(source.contour)  # the contour's lowest tone is at the bottom of the register
    for half in (0, 1):
        last = len(source.onsets) - 1
        for index, (onset, length, step) in enumerate(zip(*source, strict=True)):
            start = 8 * half + onset
            degree = step + lift + (2 if half and variation == 2 else 0)
            pitch = key.degree(degree, low)
            chord = _sounding(harmony, start)
            if length >= 0.75 or onset % 1 == 0:
                held = key.singable(chord)
                home = key.tonic % 12
                if half and index == last and closed and home in held:
                    held = (home,)
                tones = [p for p in range(pitch - 6, pitch + 7) if p % 12 in held]
                pitch = _nearest(pitch if before is None else pitch + 0.1 * np.sign(before - pitch), tones)
            if variation and length >= 1 and index != last and draw.uniform() < 0.25 * variation:
                neighbour = key.scale_step(pitch, 1 if draw.uniform() < 0.6 else -1)
                written += [(start, length - 0.5, pitch), (start + length - 0.5, 0.25, neighbour)]
                written.append((start + length - 0.25, 0.25, pitch))
            else:
                written.append((start, length, pitch))
            before = pitch
    return written


def second_voice(
    upper: list[tuple[float, float, int]], harmony: list[tuple[float, float, Chord]], key: Key
) -> list[tuple[float, float, int]]:
    """A voice a third or more below: a third in the scale, or the next chord tone below long notes."""
    lower = []
    for start, length, pitch in upper:
        third = key.scale_step(pitch, -2)
        if length >= 0.75:
            chord = _sounding(harmony, start)
            third = next((p for p in range(pitch - 3, pitch - 10, -1) if p % 12 in key.singable(chord)), third)
        lower.append((start, length, third))
    return lower


def _step_chances() -> np.ndarray:
    weights = np.array([1, 1.5, 4, 9, 4, 9, 4, 1.5, 1], float)
    return weights / weights.sum()


def _awkwardness(contour: np.ndarray) -> float:
    """How hard a contour is to sing.

    It is low for a range of about a sixth, one late peak, and leaps that are filled.
    """
    steps = np.diff(contour)
    span = np.ptp(contour)
    leaps = np.abs(steps[:-1]) >= 3
    filled = (np.sign(steps[1:]) == -np.sign(steps[:-1])) & (np.abs(steps[1:]) <= 2)
    peak = contour == contour.max()
    place = np.argmax(peak) / (len(contour) - 1)
    return float(
        abs(span - 5.5)
        + 3 * (leaps & ~filled).sum()
        + 1.5 * max(0, peak.sum() - 1)
        + 4 * abs(place - 0.62)
        + 1.5 * (steps == 0).sum()
        + 1.0 * (np.abs(steps) >= 3).sum()
        + 0.6 * max(0, 4 - len(np.unique(contour)))
        + 0.5 * abs(contour[-1] - contour[0])
    )


def _sounding(harmony: list[tuple[float, float, Chord]], beat: float) -> Chord:
    return [chord for start, _, chord in harmony if start <= beat + 1e-6][-1]


def _nearest(pitch: float, choices: list[int]) -> int:
    return min(choices, key=lambda choice: (abs(choice - pitch), choice))
