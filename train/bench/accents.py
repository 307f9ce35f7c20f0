"""Measure how the dancers of each genre use strong beats: ``python -m train.bench.accents DATA``.

The first clips of every genre in prepared data, as they were danced and moved to where they strike
(``train.data.pairing.striking``). The figure is ``core.metrics.theatre.energy_on_beats``: above 1 strikes, below 1
arrives, and who ignores the beat has 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from core.metrics.theatre import energy_on_beats
from core.motion.kinematics import forward
from train.command import run_program
from train.data.dataset import Pair, load_pairs
from train.data.pairing.striking import strike_delay, struck
from train.data.rates import MOTION_FPS

COLUMNS = ("danced", "struck", "earlier")


@dataclass(frozen=True)
class Bench:
    """Measure the accents of genres."""

    data: Annotated[Path, tyro.conf.Positional]  # a folder written by train.prepare
    clips: int = 10  # of each genre, at most


def main(args: Bench) -> dict[str, dict[str, float]]:
    """Measure, print the table, and return the means by genre and column."""
    genres: dict[str, list[Pair]] = {}
    for split in ("train", "val"):
        for pair in load_pairs(args.data, split):
            genres.setdefault(pair.genre, []).append(pair)
    found = {genre: [accents(pair) for pair in some[: args.clips]] for genre, some in sorted(genres.items())}
    means = {
        genre: {column: float(np.mean([row[column] for row in rows])) for column in COLUMNS}
        for genre, rows in found.items()
    }
    print(f"{'energy on strong beats':32}{'clips':>6}{'as danced':>11}{'struck':>8}{'beats earlier':>15}")
    for genre, row in means.items():
        print(f"{genre:32}{len(found[genre]):6}{row['danced']:11.2f}{row['struck']:8.2f}{row['earlier']:15.2f}")
    return means


def accents(pair: Pair) -> dict[str, float]:
    """Energy on strong beats of a pair as it was danced and as it strikes, and how many beats earlier that is."""
    beats_earlier = strike_delay(pair) / MOTION_FPS * pair.tempo / 60
    return {"danced": on_beats(pair), "struck": on_beats(struck(pair)), "earlier": beats_earlier}


def on_beats(pair: Pair) -> float:
    """``energy_on_beats`` of a pair's motion."""
    beats = pair.grid()
    return energy_on_beats(forward(pair.rotations, pair.root), MOTION_FPS, beats)


if __name__ == "__main__":
    run_program("train.bench.accents", main, Bench, __doc__)
