"""Values on the frames of a dance, as the few points between which they go straight. Numpy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from .thinning import turning_points


@dataclass(frozen=True)
class Track:
    """One or more numbers that change.

    at: for each number the frames (k,) of its points, from 0 on; of one that stays as it is the first alone.
    values: for each number its values (k,) there, float32.
    """

    at: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]

    @property
    def first(self) -> list[float]:
        """The numbers on the first frame."""
        return [float(column[0]) for column in self.values]

    def scaled(self, factor: float, offset: float = 0.0) -> Track:
        return Track(self.at, tuple((column * factor + offset).astype(np.float32) for column in self.values))

    def only(self, index: int) -> Track:
        """One of the numbers."""
        return Track(self.at[index : index + 1], self.values[index : index + 1])

    def on(self, frames: int) -> np.ndarray:
        """All values (frames, n)."""
        clock = np.arange(frames)
        columns = [np.interp(clock, at, column) for at, column in zip(self.at, self.values, strict=True)]
        return np.stack(columns, axis=1)


def thinned(values: np.ndarray, tolerance: np.ndarray | float) -> Track:
    """The track of ``values`` (t,) or (t, n) with as few points as ``tolerance`` allows.

    tolerance: how far the track may be from the values, at all times or at each (t,).
    """
    columns = np.atleast_2d(values.T)
    changing = [bool((np.abs(column - column[0]) > tolerance).any()) for column in columns]
    at = [
        turning_points(column, tolerance) if moves else np.zeros(1, int)
        for column, moves in zip(columns, changing, strict=True)
    ]
    return Track(tuple(at), tuple(c[where].astype(np.float32) for c, where in zip(columns, at, strict=True)))


def steady(*numbers: float) -> Track:
    """The track of numbers that stay as they are."""
    return Track(tuple(np.zeros(1, int) for _ in numbers), tuple(np.array([one], np.float32) for one in numbers))


def joined(*tracks: Track) -> Track:
    """The numbers of several tracks as one."""
    return Track(
        tuple(at for track in tracks for at in track.at), tuple(column for track in tracks for column in track.values)
    )


def packed(tracks: Mapping[str, Track]) -> dict[str, np.ndarray]:
    """Tracks as a few arrays, for ``unpacked``."""
    columns = [(name, *column) for name, one in tracks.items() for column in zip(one.at, one.values, strict=True)]
    return {
        "names": np.array([name for name, _, _ in columns]),
        "counts": np.array([len(at) for _, at, _ in columns]),
        "at": np.concatenate([at for _, at, _ in columns]).astype(np.int32),
        "values": np.concatenate([values for _, _, values in columns]),
    }


def unpacked(arrays: Mapping[str, np.ndarray]) -> dict[str, Track]:
    """The tracks that ``packed`` made arrays of."""
    found: dict[str, list[Track]] = {}
    for name, at, values in _columns(arrays):
        found.setdefault(name, []).append(Track((at,), (values,)))
    return {name: joined(*columns) for name, columns in found.items()}


def _columns(arrays: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    ends = np.cumsum(arrays["counts"])[:-1]
    yield from zip(
        arrays["names"].tolist(), np.split(arrays["at"], ends), np.split(arrays["values"], ends), strict=True
    )
