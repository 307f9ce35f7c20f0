"""PATH.json: a curve on the floor that a dancer follows.

    {
      "format": "footlight-path 1",
      "points": [[0, 0], [0.8, 0.5], [1.5, 1.6]],
      "facing": "along",
      "seconds": [8, 10, 12]
    }

``points`` are x and z in metres, in the coordinates of the dance (a dancer at rest faces +z, with the left hand at +x).
``facing`` is "along" the curve, or "kept" as the dance turns by itself. ``seconds`` say when the dancer is where;
without them, the curve is walked evenly from the beginning of what is made anew to its end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .. import records
from ..errors import FootlightError

FORMAT = "footlight-path 1"
FACING = ("along", "kept")
FASTEST = 3.0  # metres per second
FARTHEST = 1e3  # metres from the origin


@dataclass(frozen=True)
class FloorPath:
    """A curve on the floor.

    points: (n, 2) x and z, metres; two or more.
    facing: one of ``FACING``.
    seconds: (n,) when the dancer is at each point, increasing; None walks evenly.

    Creating one raises FootlightError for other values.
    """

    points: tuple[tuple[float, ...], ...]
    facing: str = "along"
    seconds: tuple[float, ...] | None = None
    format: str = FORMAT

    def __post_init__(self) -> None:
        if len(self.points) < 2 or any(len(point) != 2 for point in self.points):
            raise FootlightError("the points of a path are two or more pairs [x, z] in metres")
        if not (np.abs(np.array(self.points, float)) < FARTHEST).all():  # written so that NaN is refused too
            raise FootlightError(f"a point of the path is farther than {FARTHEST:g} m from the origin, or no number")
        if self.facing not in FACING:
            raise FootlightError(f"facing is {self.facing!r}; expected {' or '.join(FACING)}")
        if self.seconds is not None:
            if len(self.seconds) != len(self.points):
                raise FootlightError(f"{len(self.points)} points have {len(self.seconds)} seconds; expected one each")
            if not all(before < after for before, after in pairwise(self.seconds)):
                raise FootlightError("the seconds of a path have to increase")
        if not self.length > 0:
            raise FootlightError("all points of the path are in one place")

    @property
    def length(self) -> float:
        """Metres."""
        return float(self._steps.sum())

    def at(self, times: np.ndarray, start: float, end: float) -> np.ndarray:
        """Where the dancer is (n, 2) at times (n,), metres; before and after, at the path's ends.

        start, end: seconds between which a path without times of its own is walked.

        Raises FootlightError if it is faster than ``FASTEST``.
        """
        self.check_pace(start, end)
        points, clock = np.array(self.points), self._clock(start, end)
        return np.stack([np.interp(times, clock, points[:, axis]) for axis in (0, 1)], 1)

    def check_pace(self, start: float, end: float) -> None:
        """Raises FootlightError if the path has to be walked faster than ``FASTEST``.

        start, end: as of ``at``.
        """
        spent = np.diff(self._clock(start, end))
        speed = float((self._steps[spent > 0] / spent[spent > 0]).max())
        if speed > FASTEST:
            raise FootlightError(
                f"the path has to be danced at {speed:.1f} m/s; expected {FASTEST:g} m/s at most: make it shorter, or "
                "the part that is made anew longer"
            )

    def _clock(self, start: float, end: float) -> np.ndarray:
        """When (n,) the dancer is at each point."""
        if self.seconds is not None:
            return np.array(self.seconds)
        return start + (end - start) * np.concatenate(([0.0], self._steps.cumsum())) / self.length

    @property
    def _steps(self) -> np.ndarray:
        """Metres (n - 1,) from each point to the next."""
        return np.linalg.norm(np.diff(np.array(self.points), axis=0), axis=1)


def from_json(text: str | bytes) -> FloorPath:
    """The path of a text. Raises FootlightError, saying what is wrong and where, for anything else."""
    return records.from_text(FloorPath, text, "path", FORMAT, "a path as docs/edits.md shows it")


def to_json(path: FloorPath) -> str:
    """A text that ``from_json`` reads."""
    values = {"format": FORMAT, **{name: value for name, value in records.to_json(path).items() if name != "format"}}
    return json.dumps({name: value for name, value in values.items() if value is not None}) + "\n"
