"""Train the baselines and ablations: ``python -m train.ablations --data DATA --out RUNS``.

Each is a configuration of ``train.fit``, on the same data with the same budget of steps for each of its networks. What
two of them share is trained once. ``train.evaluate --systems`` takes RUNS/NAME/model. An interrupted run continues.
DATA needs waveforms (``train.prepare --waveforms``) for entries that do not use mels.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.errors import FootlightError
from train import export, fit
from train.command import run_program
from train.options import Fit


@dataclass(frozen=True)
class Ablation:
    """A baseline or ablation.

    about: what it shows, for a reader.
    flags: of ``train.fit``.
    contrast: whether the motion latents are aligned with the music's.
    shares: task -> the entry that it is taken from.
    direct: diffusion without latents. Crops have twice the frames, and the denoiser also gets the steps of the motion
        autoencoder.
    """

    about: str
    flags: dict = field(default_factory=dict)
    contrast: bool = True
    shares: dict[str, str] = field(default_factory=dict)
    direct: bool = False


ABLATIONS = {
    "base": Ablation("the default's configuration, with the budget of all others"),
    "unet": Ablation(
        "a U-Net in the place of the Transformer (MoMu ablation 4)",
        {"network": "unet"},
        shares={"mel-vae": "base", "motion-vae": "base"},
    ),
    "no-contrast": Ablation("no rhythmic contrast (MoMu ablation 3)", contrast=False, shares={"mel-vae": "base"}),
    "directions": Ablation(
        "directional vectors (MoMu ablation 1)", {"layout": "smpl22-directions"}, shares={"mel-vae": "base"}
    ),
    "flat": Ablation(
        "14 joints in two dimensions, the paper's representation",
        {"layout": "openpose14-2d"},
        shares={"mel-vae": "base"},
    ),
    "waveform": Ablation("the raw waveform in the place of the mel (MoMu ablation 2)", {"music": "waveform"}),
    "edge": Ablation(
        "EDGE-style: diffusion on the motion features, 35 features of the music, no latent space",
        {"music": "features35", "latents": "none", "rhythm": False},
        direct=True,
    ),
}


@dataclass(frozen=True)
class Ablations:
    """Train baselines and ablations with one budget."""

    data: Path  # a folder written by train.prepare --waveforms
    out: Path
    names: tuple[str, ...] = tuple(ABLATIONS)
    preset: str = "default"
    mel_steps: int = 300
    motion_steps: int = 600
    denoiser_steps: int = 500
    frames: int = 96  # of a denoiser's crop, in latent frames


def settings(args: Ablations, name: str) -> Fit:
    """The ``train.fit`` arguments of one entry. Raises FootlightError for an unknown name."""
    if name not in ABLATIONS:
        raise FootlightError(f"unknown ablation {name!r}: choose of {', '.join(ABLATIONS)}")
    entry, plain = ABLATIONS[name], Fit("all", args.data, args.out / name)
    steps = args.denoiser_steps + args.motion_steps * entry.direct
    frames = args.frames * (1 + entry.direct)
    motion, denoiser = plain.motion_vae, plain.denoiser
    return replace(
        plain,
        preset=args.preset,
        mel_vae=replace(plain.mel_vae, loop=replace(plain.mel_vae.loop, steps=args.mel_steps)),
        motion_vae=replace(
            motion,
            loop=replace(motion.loop, steps=args.motion_steps),
            task=motion.task if entry.contrast else replace(motion.task, rhythm=0.0),
        ),
        denoiser=replace(
            denoiser,
            loop=replace(denoiser.loop, steps=steps),
            task=replace(denoiser.task, frames=frames, shortest=frames // 2),
        ),
        **entry.flags,
    )


def share(args: Ablations, name: str) -> None:
    """Take over the finished tasks of other entries. Raises FootlightError when one is missing."""
    for task, source in ABLATIONS[name].shares.items():
        there, here = args.out / source / task, args.out / name / task
        if here.is_dir():
            continue
        if not (there / "ema.safetensors").is_file():
            raise FootlightError(f"{name} takes its {task} from {source}, which is not trained yet: train {source} too")
        shutil.copytree(there, here)


def main(args: Ablations) -> None:
    """Train and export every entry that is not finished yet."""
    for name in args.names:
        arguments, model = settings(args, name), args.out / name / "model"
        if (model / "config.json").is_file():
            print(f"{name}: already trained")
            continue
        print(f"== {name}: {ABLATIONS[name].about}")
        share(args, name)
        for task in ("mel-vae", "motion-vae", "denoiser"):  # dancers, which need not score
            fit.main(replace(arguments, task=task))
        export.main(export.Export(args.out / name, model))


if __name__ == "__main__":
    run_program("train.ablations", main, Ablations, __doc__)
