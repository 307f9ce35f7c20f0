"""A picture of moves that return with the chorus: ``python -m train.tools.chorus_sheet``.

Three strips of poses on the same beats of a part of a song: its first time, when it comes again, and when it comes
again for a dance in free form. The dancer is turned to the front in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import torch
from torch import Tensor

from core import pipeline
from core.audio import io as audio
from core.errors import FootlightError
from core.files import write_atomically
from core.motion import rotation
from core.motion.kinematics import forward
from core.protocol import DanceOptions
from core.results import Dance
from train.command import run_program
from train.demo.song import compose
from train.tools.quality_sheets import AROUND, SPACING, draw_strip, small_png

matplotlib.use("Agg")
import matplotlib.pyplot as plt

BEFORE = 4  # beats of a part that are not shown: its first moves come out of what was danced before


@dataclass(frozen=True)
class ChorusSheet:
    """Draw a part of a song and when it comes again."""

    song: Path | None = None  # what is danced to; the demo song otherwise
    seconds: float = 150.0  # of it
    seed: int = 0
    style: str | None = None
    poses: int = 12  # of each strip
    model: Path | None = None  # a model folder; the embedded model otherwise
    out: Path = Path("docs/images/chorus.png")


def facing_front(dance: Dance) -> Tensor:
    """Joint positions (t, j, 3) of a dancer who stands in one place and is turned to the front, metres."""
    motion = dance.motion
    rotations, root = motion.rotations.clone(), motion.root.clone()
    back = rotation.about("y", -rotation.yaw(rotations[:, 0]))
    rotations[:, 0] = rotation.mul(back, rotations[:, 0])
    root[:, (0, 2)] = 0.0
    return forward(rotations, root)


def longest_return(first: Tensor) -> tuple[int, int]:
    """Where the longest stretch that repeats another begins, and where the other begins: latent frames.

    first: (n,) the latent frame that each one repeats, itself where nothing comes again.

    Raises FootlightError where nothing comes again.
    """
    again = (first != torch.arange(len(first))).int()
    edges = torch.diff(again, prepend=torch.zeros(1), append=torch.zeros(1))
    starts, ends = (edges == 1).nonzero()[:, 0], (edges == -1).nonzero()[:, 0]
    if not len(starts):
        raise FootlightError("no part of this song comes again: choose another one")
    start = int(starts[(ends - starts).argmax()])
    return start, int(first[start])


def strips(args: ChorusSheet) -> dict[str, Tensor]:
    """Poses (n, j, 3) by title. Raises FootlightError as ``longest_return`` does."""
    model = pipeline.Model.load(args.model)
    song = compose(seconds=args.seconds).mono if args.song is None else audio.read(args.song, seconds=args.seconds)
    heard, rate = pipeline.hear_song(model, song), model.config.latent_fps
    first = heard.returning(rate)
    again, before = longest_return(torch.arange(heard.frames) if first is None else first)
    options = [DanceOptions(seed=args.seed, style=args.style, free_form=free) for free in (False, True)]
    returned, free = (pipeline.dance_to(model, heard, one) for one in options)
    places, beats = [facing_front(dance) for dance in (returned, free)], heard.rhythm.beats.times

    def on_beats(positions: Tensor, start: int) -> Tensor:
        from_there = beats[beats >= start / rate - 0.1][BEFORE : BEFORE + args.poses]
        return positions[(from_there * returned.motion.fps).round().long().clamp_max(len(positions) - 1)]

    def titled(what: str, start: int) -> str:
        return f"{what}, from {start / rate:.0f} s"

    return {
        titled("a part of the song", before): on_beats(places[0], before),
        titled("it comes again", again): on_beats(places[0], again),
        titled("it comes again, in free form", again): on_beats(places[1], again),
    }


def main(args: ChorusSheet) -> None:
    """Dance, draw and write the picture."""
    shown = strips(args)
    width, height = args.poses * SPACING, AROUND[1] - AROUND[0]
    figure, grid = plt.subplots(len(shown), 1, figsize=(width * 0.62, len(shown) * height * 0.7))
    for axes, (title, poses) in zip(grid, shown.items(), strict=True):
        draw_strip(axes, poses, title)
    write_atomically(args.out, small_png(figure))
    print(args.out)


if __name__ == "__main__":
    run_program("train.tools.chorus_sheet", main, ChorusSheet, __doc__)
