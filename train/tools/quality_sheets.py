"""A picture of every style as *Normal* and *Fine* dance it: ``python -m train.tools.quality_sheets``.

For each style there is a strip of poses on successive beats by the model, and one by its teacher beside it, to the same
song and with the same seed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from core import pipeline
from core.audio import io as audio
from core.errors import FootlightError
from core.files import write_atomically
from core.motion.kinematics import forward
from core.protocol import QUALITIES
from core.results import Dance
from train.command import run_program
from train.demo.song import compose
from train.draw import draw_pose

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SPACING = 1.1  # metres between two poses
FIRST_BEAT = 4  # of the strips, after the dance has begun
COLOURS = 32  # of the picture: lines in three colours, and their edges
AROUND = (-0.15, 2.1)  # metres that a strip shows, from the floor up


@dataclass(frozen=True)
class QualitySheets:
    """Draw all styles at both qualities."""

    song: Path | None = None  # what is danced to; the demo song otherwise
    seconds: float = 12.0  # of it
    seed: int = 0
    poses: int = 10  # of each strip
    model: Path | None = None  # a model folder; the embedded model otherwise
    out: Path = Path("docs/images/normal-and-fine.png")


def dances(args: QualitySheets) -> dict[str, dict[str, Dance]]:
    """A dance by style and quality. Raises FootlightError for a model without styles or without a teacher."""
    model = pipeline.Model.load(args.model)
    if not model.config.styles or "motion" not in model.config.teachers:
        raise FootlightError(f"the model {model.name} has no styles, or no teacher that dances at another quality")
    song = compose(seconds=args.seconds).mono if args.song is None else audio.read(args.song, seconds=args.seconds)
    heard = pipeline.hear_song(model, song)
    return {
        style: {
            quality: pipeline.dance_to(
                model, heard, pipeline.DanceOptions(seed=args.seed, style=style, quality=quality)
            )
            for quality in QUALITIES
        }
        for style in model.config.styles
    }


def on_beats(dance: Dance, poses: int) -> Tensor:
    """Joint positions (poses, j, 3) of a dance on successive beats, metres; fewer where it has fewer beats."""
    positions = forward(dance.motion.rotations, dance.motion.root)
    frames = (dance.beats.times[FIRST_BEAT : FIRST_BEAT + poses] * dance.motion.fps).round().long()
    return positions[frames.clamp(0, len(positions) - 1)]


def picture(made: dict[str, dict[str, Dance]], poses: int) -> bytes:
    """A PNG with a row for each style and a column for each quality.

    made: dances by style and quality.
    poses: of each strip.
    """
    columns = list(next(iter(made.values())))
    width, height = poses * SPACING, AROUND[1] - AROUND[0]
    size = (len(columns) * width * 0.62, len(made) * height * 0.62)
    figure, grid = plt.subplots(len(made), len(columns), figsize=size, squeeze=False)
    for row, (style, by_quality) in zip(grid, made.items(), strict=True):
        for axes, (quality, dance) in zip(row, by_quality.items(), strict=True):
            draw_strip(axes, on_beats(dance, poses), f"{style}, {quality}")
            axes.set_xlim(-SPACING / 2, width - SPACING / 2)
    return small_png(figure)


def draw_strip(axes: Axes, poses: Tensor, title: str) -> None:
    """Draw poses (n, j, 3), metres, side by side."""
    for place, positions in enumerate(poses):
        draw_pose(axes, positions, place * SPACING)
    axes.set(xlim=(-SPACING / 2, (len(poses) - 0.5) * SPACING), ylim=AROUND, aspect="equal", xticks=[], yticks=[])
    axes.set_title(title, fontsize=9, pad=2)
    for side in axes.spines.values():
        side.set_visible(False)


def small_png(figure: Figure) -> bytes:
    """A figure of few colours as a PNG, and closed."""
    figure.tight_layout(pad=0.4)
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=80)
    plt.close(figure)
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(small, format="png", optimize=True)
    return small.getvalue()


def main(args: QualitySheets) -> None:
    """Dance, draw and write the picture."""
    write_atomically(args.out, picture(dances(args), args.poses))
    print(args.out)


if __name__ == "__main__":
    run_program("train.tools.quality_sheets", main, QualitySheets, __doc__)
