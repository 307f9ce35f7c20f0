"""Pictures of moves that come again: ``python -m train.tools.chorus_sheet [--eights]``.

Of a chorus there are three strips of poses on the same beats: its first time, when it comes again, and when it comes
again for a dance in free form. With ``--eights`` there are the first four moves of a dance, one below the other. The
dancer is turned to the front in all of them.
"""

from __future__ import annotations

from collections.abc import Callable
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

MOVE = 8  # beats
BEFORE = 4  # beats of a part that are not shown: its first moves come out of what was danced before


@dataclass(frozen=True)
class ChorusSheet:
    """Draw a part of a song and when it comes again, or moves of eight beats."""

    eights: bool = False  # draw the first four moves
    song: Path | None = None  # what is danced to; the demo song otherwise
    seconds: float = 150.0  # of it
    seed: int = 0
    style: str | None = None
    poses: int = 12  # of each strip
    model: Path | None = None  # a model folder; the embedded model otherwise
    out: Path | None = None  # docs/images/chorus.png or eights.png otherwise


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
    heard = pipeline.hear_song(model, song)
    beats = heard.rhythm.beats.times

    def danced(free: bool) -> Callable[[int, int], Tensor]:
        made = pipeline.dance_to(model, heard, DanceOptions(seed=args.seed, style=args.style, free_form=free))
        places, fps = facing_front(made), made.motion.fps

        def on_beats(first: int, count: int) -> Tensor:
            frames = (beats[first : first + count] * fps).round().long()
            return places[frames.clamp_max(len(places) - 1)]

        return on_beats

    if args.eights:
        first = int(heard.rhythm.beats.downbeats.int().argmax()) if heard.rhythm.beats.downbeats is not None else 0
        dance, names = danced(free=False), ("a move of eight beats", "again", "once more", "then another one")
        return {name: dance(first + MOVE * place, MOVE) for place, name in enumerate(names)}
    rate = model.config.latent_fps
    again, before = longest_return(heard.parts_returning(rate))
    returned, free = danced(free=False), danced(free=True)

    def strip(what: str, dance: Callable[[int, int], Tensor], start: int) -> tuple[str, Tensor]:
        first = int((beats < start / rate - 0.1).sum()) + BEFORE
        return f"{what}, from {start / rate:.0f} s", dance(first, args.poses)

    return dict(
        (
            strip("a part of the song", returned, before),
            strip("it comes again", returned, again),
            strip("it comes again, in free form", free, again),
        )
    )


def main(args: ChorusSheet) -> None:
    """Dance, draw and write the picture."""
    shown = strips(args)
    out = args.out or Path("docs/images") / ("eights.png" if args.eights else "chorus.png")
    poses = max(len(strip) for strip in shown.values())
    width, height = poses * SPACING, AROUND[1] - AROUND[0]
    figure, grid = plt.subplots(len(shown), 1, figsize=(width * 0.62, len(shown) * height * 0.7))
    for axes, (title, strip) in zip(grid, shown.items(), strict=True):
        draw_strip(axes, strip, title)
    write_atomically(out, small_png(figure))
    print(out)


if __name__ == "__main__":
    run_program("train.tools.chorus_sheet", main, ChorusSheet, __doc__)
