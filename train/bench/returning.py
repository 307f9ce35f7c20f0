"""Measure whether moves return where a part of the song comes again: ``python -m train.bench.returning DATA_DIR``.

Every val song is danced to, whole. Where a part of it comes again, the poses are compared with those of its first time,
bar by bar, as the pelvis sees them: *returns* is the mean distance of the joints. *New moves* is the same of a dance
whose moves need not return, and *elsewhere* the distance of returning poses to those of other moments of the dance.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from torch import Tensor

from core import pipeline
from core.motion import kinematics
from core.protocol import DanceOptions
from core.types import Motion
from train.bench.results import write_results
from train.command import run_program
from train.evaluation.dance.material import song_excerpts
from train.evaluation.statistics import bootstrap

COLUMNS = ("returns", "new moves", "elsewhere")
FPS = 30.0
UPRIGHT = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Bench:
    """Measure whether moves return."""

    source: Annotated[Path, tyro.conf.Positional]  # a data folder with songs
    model: str | None = None  # a model folder; the embedded one otherwise
    songs: int | None = None  # the first N val songs; all of them otherwise
    seconds: float = 180.0  # of each song, at most
    seeds: int = 2  # dances to each song
    device: str = "auto"
    out: Path | None = None  # every dance's figures as JSON


def poses(motion: Motion) -> Tensor:
    """Joints (t, j, 3) as the pelvis sees them, metres."""
    rotations = motion.rotations.clone()
    rotations[:, 0] = torch.tensor(UPRIGHT)
    return kinematics.forward(rotations, torch.zeros_like(motion.root))


def distances(motion: Motion, first: Tensor, fps: float) -> tuple[float, float]:
    """How far the poses of what comes again are from those of its first time, and from others half a dance on, cm.

    first: (n,) the latent frame that each one repeats, itself where nothing comes again; ``fps`` of them a second.
    """
    frame = torch.arange(motion.frames)
    latent = (frame / motion.fps * fps).long().clamp_max(len(first) - 1)
    ago = (latent - first[latent]).double() / fps * motion.fps
    again = frame[ago > 0]
    before = (again - ago[again].round().long()).clamp_min(0)
    places = poses(motion)
    other = (before + motion.frames // 2) % motion.frames
    near, far = (float(100 * (places[again] - places[at]).norm(dim=-1).mean()) for at in (before, other))
    return near, far


def main(args: Bench) -> list[dict]:
    """Dance, measure, print the table, and return the figures of each dance in whose song something comes again."""
    model = pipeline.Model.load(args.model, args.device)
    rate, rows = model.config.latent_fps, []
    for excerpt in song_excerpts(args.source, 0.0, args.seconds, most=args.songs):
        heard = pipeline.hear_song(model, excerpt.waveform)
        first = heard.parts_returning(rate)
        if bool((first == torch.arange(len(first))).all()):
            print(f"{excerpt.name}: nothing comes again")
            continue
        share = float((first != torch.arange(len(first))).float().mean())
        for seed in range(args.seeds):
            returned, new = (
                pipeline.dance_to(model, heard, DanceOptions(seed=seed, fps=FPS, free_form=free)).motion
                for free in (False, True)
            )
            near, elsewhere = distances(returned, first, rate)
            about = {"song": excerpt.name, "seconds": excerpt.seconds, "seed": seed, "share": share}
            found = (near, distances(new, first, rate)[0], elsewhere)
            rows.append(about | dict(zip(COLUMNS, found, strict=True)))
    print(table(rows))
    write_results(rows, args.out)
    return rows


def table(rows: list[dict]) -> str:
    """The means of each song over its dances, and those over songs with their intervals, as text."""
    lines = [f"{'centimetres':32}{'seconds':>8}{'again':>8}" + "".join(f"{column:>12}" for column in COLUMNS)]
    means: dict[str, list[float]] = {column: [] for column in COLUMNS}
    for song in dict.fromkeys(row["song"] for row in rows):
        some = [row for row in rows if row["song"] == song]
        for column in COLUMNS:
            means[column].append(float(np.mean([row[column] for row in some])))
        shown = "".join(f"{means[column][-1]:12.1f}" for column in COLUMNS)
        lines.append(f"{song[:31]:32}{some[0]['seconds']:8.0f}{some[0]['share']:8.0%}{shown}")
    for column, of in means.items():
        found = bootstrap(np.array(of))
        bounds = "" if found.low is None else f" ({found.low:.1f} to {found.high:.1f}, {found.units} songs)"
        lines.append(f"{column}: {found.mean:.1f}{bounds}")
    return "\n".join(lines)


if __name__ == "__main__":
    run_program("train.bench.returning", main, Bench, __doc__)
