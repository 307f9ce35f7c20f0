"""Measure whether dances turn in threes to music in three: ``python -m train.bench.metre [MODEL]``.

The music is improvised here, six pieces in bars of three and the same six patterns in bars of four, each bar with its
last beat once more. So nothing but the metre differs. The columns are those of ``core.metrics.metre``, against the
exact beats, with the metre that the beat tracker heard. A dance that knows its bars has more threes than fours in the
first half of the table, and the reverse in the second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro

from core import pipeline
from core.metrics import metre
from core.protocol import DanceOptions
from core.types import Beats, Waveform
from train.bench.results import write_results
from train.command import run_program
from train.data.music import clock, midi, plain_synth
from train.data.music.improvise import improvise
from train.data.music.patterns import STYLES, Style
from train.evaluation.statistics import Interval, bootstrap

PIECES = (("waltz", 96), ("waltz", 112), ("waltz", 132), ("slow three", 76), ("slow three", 92), ("jazz waltz", 120))
COLUMNS = ("after_2", "after_3", "after_4", "twos", "threes", "fours")
_SEED = 8_000_000  # no seed of a training excerpt


@dataclass(frozen=True)
class Bench:
    """Measure the metre of a model's dances."""

    model: Annotated[str | None, tyro.conf.Positional] = None  # a model folder; the embedded one otherwise
    pieces: int = len(PIECES)  # the first N of them
    seeds: int = 2  # dances to each piece
    seconds: float = 30.0  # of each piece
    device: str = "auto"
    style: str | None = None  # of the dances
    out: Path | None = None  # every dance's figures as JSON


def lengthened(style: Style) -> Style:
    """The style with one beat more in each bar, which is the last one once more."""
    beat = style.steps // style.beats

    def longer(line: str) -> str:
        bars = [line[at : at + style.steps] for at in range(0, len(line), style.steps)]
        return "".join(bar + bar[-beat:] for bar in bars)

    lines = {part: tuple(map(longer, getattr(style, part))) for part in ("bass", "chords")}
    drums = {instrument: tuple(map(longer, some)) for instrument, some in style.drums.items()}
    return replace(style, beats=style.beats + 1, steps=style.steps + beat, drums=drums, **lines)


def played(style: Style, bpm: float, seconds: float, number: int) -> tuple[Waveform, Beats]:
    """A piece in a style, from a downbeat on, and its exact beats."""
    draw = np.random.default_rng([_SEED, number])
    bars = int(np.ceil(seconds * bpm / 60 / style.beats)) + 1
    piece = improvise(style, bars, bpm, draw)
    times = clock.beat_times(bars * style.beats, bpm, "steady", draw)
    sound = plain_synth.render(midi.on_clock(piece.parts, times), seconds, draw)
    down = torch.arange(len(times)) % style.beats == 0
    return sound, Beats(torch.from_numpy(times), bpm, down).between(0, seconds)


def main(args: Bench) -> list[dict]:
    """Dance, measure, print the table, and return the figures of each dance."""
    model = pipeline.Model.load(args.model, args.device)
    rows = []
    for number, (name, bpm) in enumerate(PIECES[: args.pieces]):
        for style in (STYLES[name], lengthened(STYLES[name])):
            song, beats = played(style, bpm, args.seconds, number)
            for seed in range(args.seeds):
                made = pipeline.generate_dance(model, song, DanceOptions(seed=seed, style=args.style))
                about = {"piece": f"{name} {bpm}", "metre": style.beats, "seed": seed, "heard": made.beats.metre}
                rows.append({**about, "danced": made.style, **metre.evaluate(made.motion, beats.times)})
    print(table(rows))
    write_results(rows, args.out)
    return rows


def table(rows: list[dict]) -> str:
    """The means of each piece over its dances, the means of each metre, and what the metre changes, as text."""
    lines = [f"{'':16}{'bars of':>8}{'heard':>8}" + "".join(f"{column.replace('_', ' '):>9}" for column in COLUMNS)]
    pieces = list(dict.fromkeys(row["piece"] for row in rows))
    leaning: dict[int, list[float]] = {}
    for beats, piece in product(sorted({row["metre"] for row in rows}), pieces):
        some = [row for row in rows if row["metre"] == beats and row["piece"] == piece]
        heard = "/".join(map(str, sorted({row["heard"] for row in some})))
        means = {column: float(np.mean([row[column] for row in some])) for column in COLUMNS}
        leaning.setdefault(beats, []).append(means["threes"] - means["fours"])
        lines.append(f"{piece:16}{beats:8}{heard:>8}" + "".join(f"{means[column]:9.3f}" for column in COLUMNS))
    for beats, of in leaning.items():
        lines.append(f"threes less fours in bars of {beats}: {_shown(bootstrap(np.array(of)))}")
    change = np.array(leaning[3]) - np.array(leaning[4])
    lines.append(f"what bars of three change: {_shown(bootstrap(change))}")
    return "\n".join(lines)


def _shown(found: Interval) -> str:
    bounds = "" if found.low is None else f" (95 %: {found.low:.3f} to {found.high:.3f}, {found.units} pieces)"
    return f"{found.mean:.3f}{bounds}"


if __name__ == "__main__":
    run_program("train.bench.metre", main, Bench, __doc__)
