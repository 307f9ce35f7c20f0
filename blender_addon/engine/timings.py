"""How long jobs took on this computer, and how long the next one is likely to take.

Learnt from every job that was finished, and kept in a small file of the user's. Nothing is foretold that was not seen:
without a job of its kind there is no figure.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

VERSION = 2
KEPT = 12  # jobs of each kind
NEAREST = 5  # of them, those of the most similar size
KINDS = 24  # of which something is kept
LARGEST_FILE = 100_000  # bytes; what is larger was not written here
LONGEST = 86_400.0  # seconds of a job that is believed
KNOTS = 20

LOADED = 0.05
"""The engine's own fraction at which its model is loaded and the work begins."""

OVERHEAD = {"dance": 10.0, "score": 20.0, "duet": 20.0, "theatre": 12.0, "light": 4.0, "beats": 4.0}
"""What a job costs besides sampling, in its unit: the beat, the movement, the feet, the sound."""


@dataclass(frozen=True)
class Task:
    """What is asked.

    operation: as in the protocol.
    seconds: of dance or music.
    work: of sampling a second of it, as of ``model.Facts``.
    device: what the engine is told to compute on.
    """

    operation: str
    seconds: float
    work: float = 0.0
    device: str = "auto"

    @property
    def kind(self) -> str:
        return f"{self.operation} {self.device}"

    @property
    def size(self) -> float:
        """How much work it all is."""
        return self.seconds * (self.work + OVERHEAD[self.operation])


@dataclass(frozen=True)
class Expected:
    """Seconds of a job's parts, where they are known.

    prepare: reading in Blender.
    start: of the engine.
    """

    work: float | None = None
    start: float | None = None
    prepare: float | None = None


@dataclass(frozen=True)
class Took:
    """Seconds that a job's parts took.

    start, prepare: None where there was no such part.
    curve: (``KNOTS`` + 1,) shares of the work at evenly spaced fractions of the engine's.
    """

    work: float
    start: float | None = None
    prepare: float | None = None
    curve: tuple[float, ...] = ()


@dataclass(frozen=True)
class Timings:
    """What is known.

    work, prepare: kind of task -> its size and what it took, the newest last.
    start: device -> what starting the engine took.
    curves: kind of task -> its curve.
    """

    work: dict[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    prepare: dict[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    start: dict[str, tuple[float, ...]] = field(default_factory=dict)
    curves: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def expect(self, task: Task, cold: bool) -> Expected:
        """How long a task is likely to take.

        cold: whether the engine has to be started.
        """
        started = self.start.get(task.device)
        return Expected(
            _scaled(self.work.get(task.kind), task.size),
            (statistics.median(started) if started else None) if cold else 0.0,
            _scaled(self.prepare.get(task.kind), task.seconds),
        )

    def total(self, task: Task, cold: bool) -> float | None:
        """Seconds from the click to the result; None where no such job was seen yet."""
        expected = self.expect(task, cold)
        if expected.work is None:
            return None
        return expected.work + (expected.start or 0.0) + (expected.prepare or 0.0)

    def curve(self, task: Task) -> tuple[float, ...]:
        return self.curves.get(task.kind) or FIRST.get(task.operation, EVEN)

    def learnt(self, task: Task, took: Took) -> Timings:
        """With a job that has just ended."""
        work = _with(self.work, task.kind, (task.size, took.work))
        prepare = self.prepare
        if took.prepare is not None:
            prepare = _with(prepare, task.kind, (task.seconds, took.prepare))
        start = self.start if took.start is None else _with(self.start, task.device, took.start)
        curves = self.curves
        if took.curve:
            before = curves.get(task.kind, took.curve)
            both = tuple((old + new) / 2 for old, new in zip(before, took.curve, strict=True))
            curves = _bounded({**curves, task.kind: both}, task.kind)
        return Timings(work, prepare, start, curves)


EVEN = tuple(i / KNOTS for i in range(KNOTS + 1))
"""The curve of a clock that runs evenly."""


def curve_through(points: Sequence[tuple[float, float]], seconds: float) -> tuple[float, ...]:
    """A curve of what was heard of a job; none where that was too little.

    points: fractions of the engine's, rising, and the seconds since the work began.
    seconds: that the work took.
    """
    known = [point for point in points if LOADED < point[0] < 1.0]
    if len(known) < 3 or seconds <= 0:
        return ()
    line = [(LOADED, 0.0), *((fraction, min(when / seconds, 1.0)) for fraction, when in known), (1.0, 1.0)]
    curve = []
    for knot in EVEN:
        fraction = LOADED + knot * (1 - LOADED)
        after = next((i for i, point in enumerate(line) if point[0] >= fraction), len(line) - 1)
        (left, low), (right, high) = line[max(after - 1, 0)], line[after]
        curve.append(high if right <= left else low + (fraction - left) / (right - left) * (high - low))
    return tuple(curve)


FIRST = {
    "dance": curve_through(((0.145, 0.03), (0.195, 0.06), (0.809, 0.94), (0.953, 0.99)), 1.0),
    "score": curve_through(((0.098, 0.01), (0.145, 0.02), (0.62, 0.8)), 1.0),
    "duet": curve_through(((0.667, 0.88), (0.905, 0.95), (0.972, 0.96)), 1.0),
}
"""The curves before anything was learnt: where the engine's stages lie on two processor cores."""


def read(path: Path) -> Timings:
    """What is known from the file; nothing where there is none, or one that was not written by ``write``."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            return Timings()
        found = json.loads(path.read_text("utf-8"))
        if found["version"] != VERSION:
            return Timings()
        return Timings(
            {kind: _pairs(rows) for kind, rows in found["work"].items()},
            {kind: _pairs(rows) for kind, rows in found["prepare"].items()},
            {device: tuple(_sane(value) for value in values) for device, values in found["start"].items()},
            {kind: _curve(values) for kind, values in found["curves"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Timings()


def write(path: Path, timings: Timings) -> None:
    """Keep it, whole or not at all. What cannot be written is not kept: nobody is to lose a dance to it."""
    told = {
        "version": VERSION,
        "work": timings.work,
        "prepare": timings.prepare,
        "start": timings.start,
        "curves": timings.curves,
    }
    partial = None
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".part", delete=False) as file:
            partial = Path(file.name)
            json.dump(told, file)
        os.replace(partial, path)
    except OSError:
        if partial is not None:
            with contextlib.suppress(OSError):
                partial.unlink()


def _scaled(jobs: Sequence[tuple[float, float]] | None, size: float) -> float | None:
    """What the jobs of the most similar sizes say of one of this size: the median, which a single odd one leaves."""
    if not jobs or size <= 0:
        return None
    newest_first = tuple(reversed(jobs))
    nearest = sorted(newest_first, key=lambda job: abs(math.log(job[0] / size)))[:NEAREST]
    return statistics.median(took / of for of, took in nearest) * size


def _with(kept: dict, key: str, value: object) -> dict:
    return _bounded({**kept, key: (*kept.get(key, ()), value)[-KEPT:]}, key)


def _bounded(kept: dict, newest: str) -> dict:
    """The ``KINDS`` entries that were set last; ``newest`` has just been."""
    others = [(key, value) for key, value in kept.items() if key != newest]
    return dict([*others, (newest, kept[newest])][-KINDS:])


def _sane(value: object) -> float:
    """A time or a size that can be. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < LONGEST * 1000:
        raise ValueError(value)
    return float(value)


def _pairs(rows: list) -> tuple[tuple[float, float], ...]:
    return tuple((_sane(size), _sane(took)) for size, took in rows[-KEPT:])


def _curve(values: list) -> tuple[float, ...]:
    """Raises ValueError for what is no rising curve from 0 to 1."""
    curve = tuple(float(value) for value in values)
    if len(curve) != len(EVEN) or list(curve) != sorted(curve) or not all(0.0 <= share <= 1.0 for share in curve):
        raise ValueError(values)
    return curve
