"""How sure a mean is: percentile bootstrap (Efron 1979) over songs, also of differences paired by song.

The unit is the song, or the captured clip of a real pair. Dances to one song depend on each other, so resampling them
apart would make intervals too narrow. Seeds of a song are averaged first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np

from train.evaluation.dance.measures import look_up

RESAMPLES = 4000
LEVEL = 0.95  # of the intervals
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


class Scored(Protocol):
    """What has scores and a unit: a clip of a dance or a score."""

    @property
    def song(self) -> str: ...

    @property
    def scores(self) -> dict: ...


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval.

    mean: of the units.
    low, high: bounds of the central ``LEVEL`` of the bootstrap's means. They are None for a single unit.
    units: how many there are.
    """

    mean: float
    low: float | None
    high: float | None
    units: int


def bootstrap(values: np.ndarray, resamples: int = RESAMPLES) -> Interval:
    """The mean of values (n >= 1,) and its percentile interval."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) == 1:
        return Interval(float(values[0]), None, None, 1)
    low, high = np.quantile(values[draws(len(values), resamples)].mean(axis=1), TAILS)
    return Interval(float(values.mean()), float(low), float(high), len(values))


def draws(units: int, resamples: int = RESAMPLES) -> np.ndarray:
    """Indices (resamples, units) of units drawn with replacement."""
    return np.random.default_rng(0).integers(0, units, (resamples, units))


def sets(units: int, resamples: int = RESAMPLES) -> np.ndarray:
    """Indices (1 + resamples, units) of the sets that ``around`` compares: all units, then each of the ``draws``."""
    return np.vstack((np.arange(units), draws(units, resamples)))


def around(values: np.ndarray, units: int) -> Interval:
    """The interval of a statistic that only a whole set of units has, such as a Fréchet distance.

    In a draw some units repeat and others are missing, which shifts such a statistic. The shift is left out: the
    interval has the quantiles of the draws around the mean of the draws, laid around the statistic of all units.

    values: (1 + resamples,) the statistic of each of the ``sets``.
    """
    whole, resampled = float(values[0]), values[1:]
    if units == 1:
        return Interval(whole, None, None, 1)
    low, high = whole + np.quantile(resampled, TAILS) - resampled.mean()
    return Interval(whole, float(low), float(high), units)


def by_song(clips: Sequence[Scored], path: str) -> dict[str, float]:
    """A metric by its dotted path, averaged over the clips of each song that have it."""
    found: dict[str, list[float]] = {}
    for clip in clips:
        value = look_up(clip.scores, path)
        if value is not None:
            found.setdefault(clip.song, []).append(value)
    return {song: float(np.mean(values)) for song, values in found.items()}


def interval(clips: Sequence[Scored], path: str) -> Interval | None:
    """The mean of a metric over songs, or None when no clip has it."""
    values = by_song(clips, path)
    return bootstrap(np.array(list(values.values()))) if values else None


def difference(clips: Sequence[Scored], reference: Sequence[Scored], path: str) -> Interval | None:
    """The mean difference from the reference over the songs that both have, or None when there are none."""
    ours, theirs = by_song(clips, path), by_song(reference, path)
    shared = [song for song in ours if song in theirs]
    return bootstrap(np.array([ours[song] - theirs[song] for song in shared])) if shared else None


def intervals(clips: Sequence[Scored], paths: Iterable[str]) -> dict[str, dict]:
    """The ``interval`` of every metric that some clip has, by path, as a report keeps it."""
    known = {path: interval(clips, path) for path in paths}
    return {path: asdict(value) for path, value in known.items() if value is not None}


def differences(clips: Sequence[Scored], reference: Sequence[Scored], paths: Iterable[str]) -> dict[str, dict]:
    """The ``difference`` in every metric that some song has in both, by path, as a report keeps it."""
    known = {path: difference(clips, reference, path) for path in paths}
    return {path: asdict(value) for path, value in known.items() if value is not None}
