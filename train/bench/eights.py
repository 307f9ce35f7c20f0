"""Measure how much dances repeat their moves: ``python -m train.bench.eights DATA_DIR``.

For each style, how alike dances are to themselves some seconds later (``core.metrics.metre.repetition``), and four and
eight beats later where the beats are known (``likeness``): motion capture, the model's dances to val songs, with moves
as of the style and as patterns of ``--moves`` say, and such dances in free form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from torch import Tensor

from core import pipeline
from core.errors import FootlightError
from core.metrics import metre
from core.protocol import DanceOptions
from core.types import Motion
from train.bench.results import write_results
from train.command import run_program
from train.data.latents import style_of
from train.data.pairing.pairs import has_known_beats
from train.evaluation.dance.material import cleaned, dances, song_excerpts
from train.evaluation.statistics import bootstrap

BEATS = (4, 8)
COLUMNS = ("repetition", *(f"after_{lag}" for lag in BEATS))
CAPTURE, AS_STYLE, FREE = "capture", "dances", "free form"


@dataclass(frozen=True)
class Bench:
    """Measure how much dances repeat their moves."""

    source: Annotated[Path, tyro.conf.Positional]  # a data folder with songs and capture
    model: str | None = None  # a model folder; the embedded one otherwise
    songs: int | None = None  # the first N val songs; all of them otherwise
    seconds: float = 30.0  # of each song
    seeds: int = 1  # dances to each song in each style
    moves: tuple[str, ...] = ()  # patterns such as AABB, by which there are dances too
    device: str = "auto"
    out: Path | None = None  # every clip's and dance's figures as JSON


def captured(source: Path) -> list[dict]:
    """The figures of all capture in which somebody dances. Raises FootlightError for a folder without any."""
    rows = []
    for entry in dances(source):
        motion = cleaned(source / entry["path"], entry)
        if motion is None:
            continue
        beats = torch.zeros(0)
        if has_known_beats(entry):
            beats = torch.arange(0, motion.seconds, 60 / entry["bpm"], dtype=torch.float64)
        rows.append(figures(CAPTURE, style_of(entry["genre"]), entry["path"], motion, beats))
    if not rows:
        raise FootlightError(f"{source}: its index names no capture of dance; choose another folder")
    return rows


def danced(args: Bench, model: pipeline.Model, styles: list[str]) -> list[dict]:
    """The figures of a model's dances to the val songs, in every style."""
    kinds = {
        AS_STYLE: DanceOptions(),
        **{moves: DanceOptions(moves=moves) for moves in args.moves},
        FREE: DanceOptions(free_form=True),
    }
    rows = []
    for excerpt in song_excerpts(args.source, 10.0, args.seconds, most=args.songs):
        heard = pipeline.hear_song(model, excerpt.waveform)
        for style in styles:
            for seed in range(args.seeds):
                for kind, options in kinds.items():
                    made = pipeline.dance_to(model, heard, replace(options, style=style, seed=seed))
                    rows.append(figures(kind, style, excerpt.name, made.motion, excerpt.beats.times))
    return rows


def figures(kind: str, style: str, name: str, motion: Motion, beats: Tensor) -> dict:
    """How much one dance repeats itself, as far as it is long enough. beats: (n,) of its music, if they are known."""
    row: dict = {"kind": kind, "style": style, "name": name}
    try:
        row["repetition"] = metre.repetition(motion)
        alike = metre.likeness(motion, beats, max(BEATS))
    except FootlightError:  # too short, or too few beats
        return row
    return row | {f"after_{lag}": float(alike[lag - 1]) for lag in BEATS}


def main(args: Bench) -> list[dict]:
    """Measure, print the table, and return the figures of each clip and dance."""
    model, rows = pipeline.Model.load(args.model, args.device), captured(args.source)
    rows += danced(args, model, [style for style in model.config.styles if any(row["style"] == style for row in rows)])
    print(table(rows))
    write_results(rows, args.out)
    return rows


def table(rows: list[dict]) -> str:
    """The means of each style, and those over styles with their intervals, as text.

    After beats, the means are over the styles whose capture has them.
    """
    styles = sorted({row["style"] for row in rows if row["kind"] != CAPTURE})
    made = tuple(dict.fromkeys(row["kind"] for row in rows if row["kind"] != CAPTURE))
    kinds = (CAPTURE, *made)

    def mean(style: str, kind: str, column: str) -> float:
        of = [row[column] for row in rows if (row["style"], row["kind"]) == (style, kind) and column in row]
        return float(np.mean(of)) if of else float("nan")

    heads = [f"{kind}{suffix}" for suffix in ("", *(f" {lag}" for lag in BEATS)) for kind in kinds]
    lines = [f"{'repetition; after beats':24}" + "".join(f"{head:>13}" for head in heads)]
    for style in styles:
        cells = (mean(style, kind, column) for column in COLUMNS for kind in kinds)
        lines.append(f"{style:24}" + "".join(f"{'–' if np.isnan(cell) else f'{cell:.2f}':>13}" for cell in cells))
    for column in COLUMNS:
        some = [style for style in styles if not np.isnan(mean(style, CAPTURE, column))]
        for kind in kinds if some else ():
            found = bootstrap(np.array([mean(style, kind, column) for style in some]))
            bounds = "" if found.low is None else f" ({found.low:.2f} to {found.high:.2f}, {found.units} styles)"
            lines.append(f"{column.replace('_', ' ')}, {kind}: {found.mean:.2f}{bounds}")
    for kind in made:
        off = [abs(mean(style, kind, "repetition") - mean(style, CAPTURE, "repetition")) for style in styles]
        lines.append(f"repetition, {kind} less capture, by style, without sign: {np.nanmean(off):.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    run_program("train.bench.eights", main, Bench, __doc__)
