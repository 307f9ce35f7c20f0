"""Measure how much dances repeat their moves: ``python -m train.bench.eights DATA_DIR``.

The columns say how alike a dance is to itself four and eight beats later (``core.metrics.metre.likeness``): of motion
capture whose beats are known, of the model's dances in the same styles to val songs, and of such dances in free form.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro

from core import pipeline
from core.errors import FootlightError
from core.metrics.metre import likeness
from core.protocol import DanceOptions
from core.types import Motion
from train.bench.results import write_results
from train.command import run_program
from train.data.latents import style_of
from train.data.motion.sources import load
from train.data.pairing.pairs import has_known_beats
from train.data.shards import read_index
from train.evaluation.dance.material import song_excerpts
from train.evaluation.statistics import bootstrap

LAGS = (4, 8)  # beats
KINDS = ("capture", "dances", "free form")


@dataclass(frozen=True)
class Bench:
    """Measure how much dances repeat their moves."""

    source: Annotated[Path, tyro.conf.Positional]  # a data folder with songs, and with capture whose beats are known
    model: str | None = None  # a model folder; the embedded one otherwise
    songs: int | None = None  # the first N val songs; all of them otherwise
    seconds: float = 30.0  # of each song
    seeds: int = 1  # dances to each song in each style
    device: str = "auto"
    out: Path | None = None  # every clip's and dance's figures as JSON


def captured(source: Path) -> list[dict]:
    """The figures of all capture whose beats are known and in which somebody dances, that lasts long enough."""
    rows = []
    for entry in read_index(source / "index.jsonl"):
        if entry["kind"] != "motion" or entry.get("static") or not has_known_beats(entry):
            continue
        loaded = load(source / entry["path"], entry)
        beats = torch.arange(0, loaded.motion.seconds, 60 / entry["bpm"], dtype=torch.float64)
        if not loaded.report["dropped"] and len(beats) >= max(LAGS) + 4:
            rows.append(figures("capture", style_of(entry["genre"]), entry["path"], loaded.motion, beats))
    if not rows:
        raise FootlightError(f"{source}: its index names no capture with known beats; choose another folder")
    return rows


def danced(args: Bench, styles: list[str]) -> list[dict]:
    """The figures of a model's dances to the val songs, in every style."""
    model, rows = pipeline.Model.load(args.model, args.device), []
    for excerpt in song_excerpts(args.source, 10.0, args.seconds, most=args.songs):
        heard = pipeline.hear_song(model, excerpt.waveform)
        for style in styles:
            for seed in range(args.seeds):
                for kind in KINDS[1:]:
                    options = DanceOptions(style=style, seed=seed, free_form=kind == "free form")
                    made = pipeline.dance_to(model, heard, options)
                    rows.append(figures(kind, style, excerpt.name, made.motion, excerpt.beats.times))
    return rows


def figures(kind: str, style: str, name: str, motion: Motion, beats: torch.Tensor) -> dict:
    """How alike one dance is to itself after ``LAGS`` beats."""
    alike = likeness(motion, beats, max(LAGS))
    return {"kind": kind, "style": style, "name": name} | {f"after_{lag}": float(alike[lag - 1]) for lag in LAGS}


def main(args: Bench) -> list[dict]:
    """Measure, print the table, and return the figures of each clip and dance."""
    rows = captured(args.source)
    known = pipeline.Model.load(args.model, args.device).config.styles
    rows += danced(args, [style for style in known if any(row["style"] == style for row in rows)])
    print(table(rows))
    write_results(rows, args.out)
    return rows


def table(rows: list[dict]) -> str:
    """The means of each style, and those over styles with their intervals, as text."""
    lines = [f"{'alike after 4, 8 beats':24}" + "".join(f"{kind:>16}" for kind in KINDS)]
    styles = sorted({row["style"] for row in rows if row["kind"] != "capture"})
    means = {
        (style, kind): [
            float(np.mean([row[f"after_{lag}"] for row in rows if (row["style"], row["kind"]) == (style, kind)]))
            for lag in LAGS
        ]
        for style in styles
        for kind in KINDS
    }
    for style in styles:
        shown = ("{:.2f}, {:.2f}".format(*means[style, kind]) for kind in KINDS)
        lines.append(f"{style:24}" + "".join(f"{cell:>16}" for cell in shown))
    for kind in KINDS:
        for place, lag in enumerate(LAGS):
            found = bootstrap(np.array([means[style, kind][place] for style in styles]))
            bounds = "" if found.low is None else f" ({found.low:.2f} to {found.high:.2f}, {found.units} styles)"
            lines.append(f"{kind}, after {lag}: {found.mean:.2f}{bounds}")
    return "\n".join(lines)


if __name__ == "__main__":
    run_program("train.bench.eights", main, Bench, __doc__)
