"""Measure what an autoencoder keeps of captured movement: ``python -m train.bench.decoder DATA [MODEL ...]``.

Every take is encoded and decoded again. Nothing that a dancer makes of latents can be quicker than what their decoder
makes of the latents of real movement, so this is the first place to look where dances are soft. Columns:

    cm                 mean distance of joints, as the body's heading sees them
    speed, jerk        of the decoded movement, over those of the capture
    0.5-1.5 ... Hz     amplitudes of joint velocities, relative to the pelvis, over those of the capture
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from torch import Tensor

from core.autoencoder.networks import autoencoder_of
from core.autoencoder.normalised import NormalisedVAE
from core.checkpoint import load
from core.config import Config
from core.errors import FootlightError
from core.metrics.physics import mean_jerk, mean_speed
from core.motion.features import encode, positions_from_features
from core.motion.layouts import layout_named
from core.pipeline.model import find_model
from train.bench.results import write_results
from train.command import run_program
from train.data.dataset import Pair, load_pairs
from train.data.latents import style_of
from train.tasks.motion_vae import as_the_heading_sees

BANDS = ((0.5, 1.5), (1.5, 3.0), (3.0, 5.0), (5.0, 8.0), (8.0, 12.0))  # Hz
WINDOW = 64  # frames
ALL = "all"


@dataclass(frozen=True)
class Bench:
    """Measure autoencoders of motion."""

    data: Annotated[Path, tyro.conf.Positional]  # a folder written by train.prepare
    models: Annotated[tuple[str, ...], tyro.conf.Positional] = ("default",)  # model folders
    split: str = "val"
    takes: int = 6  # of each style, at most
    exclude: tuple[str, ...] = ("martial",)  # genres
    out: Path | None = None  # the table as JSON


@dataclass(frozen=True)
class Movement:
    """What a motion is compared by: "speed" m/s, "jerk" m/s3 and the mean power in each of ``BANDS``."""

    speed: float
    jerk: float
    bands: Tensor

    @classmethod
    def of(cls, positions: Tensor, fps: float) -> Movement:
        """That of joint positions (t, j, 3)."""
        return cls(mean_speed(positions, fps), mean_jerk(positions, fps), band_powers(positions, fps))


def band_powers(positions: Tensor, fps: float) -> Tensor:
    """The power (b,), in (m/s)^2, of joint velocities in ``BANDS``: an oscillation of amplitude a has a^2 / 2.

    positions: (t, j, 3), of ``WINDOW`` + 1 frames or more. They are taken relative to joint 0.
    """
    velocity = (positions[:, 1:] - positions[:, :1]).diff(dim=0) * fps
    hann = torch.hann_window(WINDOW, dtype=velocity.dtype)
    pieces = velocity.unfold(0, WINDOW, WINDOW // 2)  #                               n j 3 w
    power = torch.fft.rfft(pieces * hann).abs().square().mean(dim=(0, 1)).sum(dim=0)  # f
    density = 2 * power / (WINDOW * hann.square().sum())
    hertz = torch.fft.rfftfreq(WINDOW, 1 / fps)
    return torch.stack([density[(hertz >= low) & (hertz < high)].sum() for low, high in BANDS])


def motion_vae_of(model: str) -> tuple[NormalisedVAE, Config]:
    """The motion autoencoder of a model folder. Raises FootlightError if it has none that is trained."""
    saved = load(find_model(model))
    vae = autoencoder_of(saved.config.modalities["motion"])
    if not isinstance(vae, NormalisedVAE):
        raise FootlightError(f"the model {model} makes motion without an autoencoder: there is nothing to measure")
    saved.load_into("autoencoder.motion", vae)
    return vae.eval().requires_grad_(False), saved.config


def chosen(pairs: list[Pair], takes: int, exclude: tuple[str, ...]) -> Iterator[tuple[str, Pair]]:
    """At most so many takes of each style that are long enough, with their style; each take once."""
    seen: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        style = style_of(pair.genre)
        if any(word in pair.genre for word in exclude) or len(pair.rotations) <= 2 * WINDOW:
            continue
        if len(seen[style]) < takes and pair.motion_name not in seen[style]:
            seen[style].add(pair.motion_name)
            yield style, pair


def compared(vae: NormalisedVAE, config: Config, pair: Pair) -> tuple[float, Movement, Movement]:
    """The distance (cm) of a take and what is decoded of it, and the movement of both."""
    motion = config.modalities["motion"]
    layout = layout_named(motion.representation)
    whole = encode(pair.motion(), layout)[None].float()
    features = whole[:, : whole.shape[1] // motion.autoencoder.stride * motion.autoencoder.stride]
    decoded = vae.decode_long(vae.encode_long(features))
    seen = [as_the_heading_sees(x, motion.fps, layout)[0] for x in (features, decoded)]
    bodies = [positions_from_features(x, motion.fps, layout=layout)[0] for x in (features, decoded)]
    was, made = (Movement.of(body, motion.fps) for body in bodies)
    return 100 * float((seen[0] - seen[1]).norm(dim=-1).mean()), was, made


def row_of(found: list[tuple[float, Movement, Movement]]) -> dict[str, float]:
    """The figures of some takes: means, and ratios of means."""
    distances, was, made = zip(*found, strict=True)
    before, after = (torch.stack([one.bands for one in some]).mean(dim=0) for some in (was, made))
    row = {
        "cm": sum(distances) / len(found),
        "speed": sum(one.speed for one in made) / sum(one.speed for one in was),
        "jerk": sum(one.jerk for one in made) / sum(one.jerk for one in was),
    }
    return row | {
        f"{low:g}-{high:g} Hz": float(r) for (low, high), r in zip(BANDS, (after / before).sqrt(), strict=True)
    }


def measured(model: str, pairs: list[Pair], args: Bench) -> dict[str, dict[str, float]]:
    """The row of each style, and of all takes."""
    vae, config = motion_vae_of(model)
    found: dict[str, list] = defaultdict(list)
    for style, pair in chosen(pairs, args.takes, args.exclude):
        figures = compared(vae, config, pair)
        found[style].append(figures)
        found[ALL].append(figures)
    if not found:
        raise FootlightError(f"{args.data} has no take of {args.split} that is longer than {2 * WINDOW} frames")
    return {style: row_of(found[style]) for style in (*sorted(found.keys() - {ALL}), ALL)}


def main(args: Bench) -> dict[str, dict[str, dict[str, float]]]:
    """Print a table for each model. Returns its rows by model and style."""
    pairs, tables = load_pairs(args.data, args.split), {}
    for model in args.models:
        tables[model] = rows = measured(model, pairs, args)
        print(f"{model:24s}" + "".join(f"{name:>11s}" for name in rows[ALL]))
        for style, row in rows.items():
            print(f"{style:24s}" + "".join(f"{value:11.2f}" for value in row.values()), flush=True)
    write_results(tables, args.out)
    return tables


if __name__ == "__main__":
    run_program("train.bench.decoder", main, Bench, __doc__)
