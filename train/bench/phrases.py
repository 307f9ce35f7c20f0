"""Measure whether music for dances has phrases that come again: ``python -m train.bench.phrases DATA_DIR``.

The model dances to every val song, and makes music for that dance: in phrases, and in free form. Of the song itself and
of both, bars are compared by their harmony, the chroma of four parts of each. Shown is how alike bars are that lie 4,
8, 12 and 16 bars apart, and all others up to 16: correlations, from which what all bars have in common is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro

from core import pipeline
from core.audio.features35 import chroma
from core.audio.io import resample
from core.audio.onsets import RHYTHM_RATE
from core.formats.motion import MotionClip
from core.motion.kinematics import forward
from core.protocol import DanceOptions, ScoreOptions
from core.rhythm.bars import bar_edges
from core.types import Beats, Waveform
from train.bench.results import write_results
from train.command import run_program
from train.evaluation.dance.material import song_excerpts
from train.evaluation.statistics import bootstrap

APART = (4, 8, 12, 16)  # bars
PARTS = 4  # of a bar
HOP = 256  # samples of the chroma
KINDS = ("song", "phrases", "free form")


@dataclass(frozen=True)
class Bench:
    """Measure the phrases of music for dances."""

    source: Annotated[Path, tyro.conf.Positional]  # a data folder with songs
    model: str | None = None  # a model folder; the embedded one otherwise
    songs: int | None = None  # the first N val songs; all of them otherwise
    seconds: float = 60.0  # of each song, at most
    device: str = "auto"
    out: Path | None = None  # the figures of every song as JSON


def likeness(sound: Waveform, beats: Beats) -> dict[str, float]:
    """How alike the harmonies of bars are that lie ``APART``, and that of "others" up to the farthest of them.

    Distances that a piece is too short for are left out.
    """
    edges = bar_edges(beats, sound.seconds)
    tones = chroma(resample(sound, RHYTHM_RATE).samples, RHYTHM_RATE, HOP).double()
    tones = torch.nn.functional.normalize(tones, dim=1).numpy()
    bars = []
    for start, end in pairwise(edges):
        cuts = (np.linspace(start, end, PARTS + 1) * RHYTHM_RATE / HOP).astype(int)
        bars.append(np.concatenate([tones[a : max(a + 1, b)].mean(axis=0) for a, b in pairwise(cuts)]))
    rows = np.array(bars) - np.mean(bars, axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)
    alike = rows @ rows.T
    by_distance = {apart: float(np.diagonal(alike, apart).mean()) for apart in range(1, min(max(APART) + 1, len(bars)))}
    others = [value for apart, value in by_distance.items() if apart not in APART]
    return {str(apart): by_distance[apart] for apart in APART if apart in by_distance} | {
        "others": float(np.mean(others))
    }


def main(args: Bench) -> list[dict]:
    """Dance, make music, measure, print the table, and return the figures of each song."""
    model, rows = pipeline.Model.load(args.model, args.device), []
    for excerpt in song_excerpts(args.source, 0.0, args.seconds, most=args.songs):
        dance = pipeline.generate_dance(model, excerpt.waveform, DanceOptions(seed=excerpt.number)).motion
        clip = MotionClip(forward(dance.rotations, dance.root), dance.fps, dance)
        found = {"song": likeness(excerpt.waveform, excerpt.beats)}
        for kind, free in zip(KINDS[1:], (False, True), strict=True):
            score = pipeline.score_motion(model, clip, ScoreOptions(seed=excerpt.number, free_form=free))
            found[kind] = likeness(score.sound, score.beats)
        rows += [{"name": excerpt.name, "of": kind, **values} for kind, values in found.items()]
    print(table(rows))
    write_results(rows, args.out)
    return rows


def table(rows: list[dict]) -> str:
    """Means over songs, with 95 % intervals, as text."""
    columns = (*map(str, APART), "others")
    lines = [f"{'bars apart':12}" + "".join(f"{column:>24}" for column in columns)]
    for kind in KINDS:
        cells = []
        for column in columns:
            values = np.array([row[column] for row in rows if row["of"] == kind and column in row])
            found = bootstrap(values) if len(values) else None
            bounds = "" if found is None or found.low is None else f" ({found.low:.2f} to {found.high:.2f})"
            cells.append("–" if found is None else f"{found.mean:.2f}{bounds}")
        lines.append(f"{kind:12}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    run_program("train.bench.phrases", main, Bench, __doc__)
