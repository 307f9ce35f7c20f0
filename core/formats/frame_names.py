"""Which frame of a film a file belongs to, by the number in its name.

A name may hold several numbers: ``take2_frame_12_body25.json``. The frame's is the one that changes from file to file.
Frame numbers are time, so a detector that wrote no file for some frames leaves a gap in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from core.errors import FootlightError, warn

LONGEST_STRIDE = 10
"""Detectors that skip frames look at every second to tenth one. Numbers with longer strides are clock readings."""

_FARTHEST = 1_000_000  # steps from one file to the next; no film has such a gap


@dataclass(frozen=True)
class Frames:
    """Files of a film in the order of time.

    files: (n,) the files.
    at: (n,) the place of each among the frames that could have one, increasing from 0.
    first: the film's frame at place 0.
    stride: frames of the film from one place to the next.
    """

    files: tuple[Path, ...]
    at: np.ndarray
    first: int
    stride: int

    @property
    def places(self) -> int:
        """How many frames could have a file, from the first to the last."""
        return int(self.at[-1]) + 1

    def from_the_start(self) -> Frames:
        """The same files, with places for the frames before the first."""
        before, first = divmod(self.first, self.stride)
        return Frames(self.files, self.at + before, first, self.stride)


def ordered(files: Sequence[Path], folder: Path) -> Frames:
    """Put the files of a film in order. What is unusual about their numbers is said as a warning.

    files: at least one.
    folder: for messages.

    Raises FootlightError for files of several films, whose numbers repeat.
    """
    without = [path.name for path in files if not re.search(r"\d", path.stem)]
    if 0 < len(without) < len(files):
        warn(f"{folder}: {', '.join(without[:3])} has no frame number in its name and was left out")
        files = [path for path in files if path.name not in without]
    names = [re.split(r"(\d+)", path.stem) for path in files]
    if len(files) == 1 or not any(len(name) > 1 for name in names):  # without numbers, the alphabet is all there is
        return Frames(tuple(sorted(files)), np.arange(len(files)), 0, 1)
    numbers = _numbers(names, folder)
    order = sorted(range(len(files)), key=numbers.__getitem__)
    found = np.array([numbers[k] for k in order], dtype=object)  # of any size
    at, stride = _places(found - found[0], folder)
    first = int(found[0]) if stride <= LONGEST_STRIDE and found[0] < 1 << 40 else 0
    return Frames(tuple(files[k] for k in order), at, first, stride if stride <= LONGEST_STRIDE else 1)


def _numbers(names: list[list[str]], folder: Path) -> list[int]:
    """The frame number of each name, which is text and digits by turns."""
    texts = {tuple(name[::2]) for name in names}
    if len(texts) == 1:
        columns = {k: [int(name[k]) for name in names] for k in range(1, len(names[0]), 2)}
        columns = {k: column for k, column in columns.items() if len(set(column)) == len(column)}
        called = [column for k, column in columns.items() if re.search(r"frame[^a-z]*$", names[0][k - 1].lower())]
        if columns:  # a clock reading beside the number has the wider range
            return min(called or reversed(columns.values()), key=lambda column: max(column) - min(column))
    last = [int(name[-2]) if len(name) > 1 else 0 for name in names]
    if len(set(last)) == len(last):
        return last
    one = next(k for k, number in enumerate(last) if number in last[:k])
    other = last.index(last[one])
    raise FootlightError(
        f"{folder}: {''.join(names[other])!r} and {''.join(names[one])!r} have the same frame number; expected the "
        "files of one film: put those of every film or camera into a folder of its own"
    )


def _places(numbers: np.ndarray, folder: Path) -> tuple[np.ndarray, int]:
    """The place of each of the numbers (n,), which begin at 0, and the step from place to place."""
    steps = [int(b - a) for a, b in pairwise(numbers)]
    usual = sorted(steps)[len(steps) // 2]
    common = math.gcd(*steps)
    if max(steps) > _FARTHEST * usual:
        raise FootlightError(
            f"{folder}: the numbers in the names leap by {max(steps)}; expected those of frames: name the files anew"
        )
    if usual <= LONGEST_STRIDE and common == 1:
        return numbers.astype(np.int64), 1
    if usual <= LONGEST_STRIDE:
        warn(f"{folder}: only one in {common} frames has a file; fps is taken as that of the whole film")
        return (numbers // common).astype(np.int64), common
    warn(f"{folder}: the numbers in the names go up by {usual}; each is taken for one frame, as of a clock")
    return np.cumsum([0, *(max(1, round(step / usual)) for step in steps)]), usual


def gaps(frames: Frames) -> list[tuple[int, int]]:
    """The stretches of the film's frames without a file, as (first, last)."""
    found = []
    for before, after in pairwise((-1, *frames.at.tolist())):
        if after > before + 1:
            ends = before + 1, after - 1
            found.append((frames.first + ends[0] * frames.stride, frames.first + ends[1] * frames.stride))
    return found
