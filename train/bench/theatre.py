"""Measure what a dance with its light costs beside the dance alone: ``python -m train.bench.theatre [THEATRE ...]``.

Both are made of 30 s of the demo song, from sound to finished movement and show, in one process with one thread. The
figures are processor seconds, because seconds on the clock would count what other programs do. A THEATRE is a word as
of ``train.evaluate --theatre``: ``default@steps=5`` is the embedded one in five steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import tyro

from core import pipeline
from core.types import Waveform
from train.bench.timing import medians_in_turn, one_thread
from train.command import run_program
from train.demo.song import compose
from train.evaluation.dance.systems import THEATRE, Asked, parse
from train.evaluation.theatre.stagings import options_of, theatre_of

DANCE = "dance alone"


@dataclass(frozen=True)
class Bench:
    """Time theatres beside the default dance."""

    theatres: Annotated[tuple[str, ...], tyro.conf.Positional] = ("default",)  # FOLDER[=NAME][@OPTION=VALUE,...] each
    dancer: str = "default"  # the model of the dance alone
    runs: int = 5  # how often each is timed, in turn
    seconds: float = 30.0  # of the demo song


def main(args: Bench) -> dict[str, float]:
    """Time, print the table, and return the median processor seconds by name."""
    song, loaded = compose(seconds=args.seconds).mono, {}
    dancer = pipeline.Model.load(args.dancer)
    make: dict[str, Callable[[], object]] = {DANCE: lambda: pipeline.generate_dance(dancer, song)}
    for word in args.theatres:
        asked = parse(word, THEATRE)
        make[asked.name] = _performance(asked, loaded, song)
    with one_thread():
        taken = processor_seconds(make, args.runs)
    print(table(taken))
    return taken


def _performance(asked: Asked, loaded: dict[str, pipeline.Model], song: Waveform) -> Callable[[], object]:
    model = theatre_of(asked, loaded)
    options = options_of(asked, model, pipeline.TheatreOptions().fps)
    return lambda: pipeline.generate_theatre(model, song, options)


def processor_seconds(make: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """The median processor seconds of each. All are made in turn, and once before for warmth."""
    for one in make.values():
        one()
    return dict(zip(make, medians_in_turn(list(make.values()), runs, time.process_time), strict=True))


def table(taken: dict[str, float]) -> str:
    """Processor seconds and how often they take those of the dance alone, as text."""
    lines = [f"{'':32}{'CPU seconds':>12}{'times the dance':>17}"]
    lines += [f"{name:32}{seconds:12.2f}{seconds / taken[DANCE]:17.1f}" for name, seconds in taken.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    run_program("train.bench.theatre", main, Bench, __doc__)
