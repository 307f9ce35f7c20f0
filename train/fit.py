"""Train a model: ``python -m train.fit TASK --data DATA --out RUN``.

TASK is ``mel-vae``, ``motion-vae`` (needs the mel autoencoder of the same run), ``denoiser`` (needs both) or ``all``
of these; or ``vocoder``, which needs none of them but the audio itself: ``--vocoder.audio DATA_DIR``.
A run folder holds one folder a task with the training state, the averaged weights and TensorBoard logs, and can be
continued at any time by the same command. ``python -m train.export RUN MODEL`` makes the folder that dances.
``--init MODEL`` starts from such a folder instead of from nothing: capture of one's own then needs fewer steps.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro

from core import checkpoint
from core import config as configuration
from core.autoencoder.mel_vae import MelVAE
from core.autoencoder.motion_vae import MotionVAE
from core.checkpoint import Checkpoint, write_atomically
from core.config import Config, VocoderConfig
from core.types import FootlightError
from train.data import latents, synthetic
from train.data.dataset import load_pairs, load_songs
from train.loop import LoopConfig, Task, fit, make_fabric
from train.state import load_state
from train.tasks.denoiser import DenoiserTask, DenoiserTaskConfig
from train.tasks.mel_vae import MelVAEConfig, MelVAETask
from train.tasks.motion_vae import MotionVAEConfig, MotionVAETask
from train.tasks.vocoder import VocoderTask, VocoderTaskConfig, load_waveforms

TASKS = ("mel-vae", "motion-vae", "denoiser")
PHASES = {
    "mel-vae": ("generator", "mel_vae"),
    "motion-vae": ("motion", "motion_vae"),
    "denoiser": ("denoiser", "denoiser"),
    "vocoder": ("generator", "vocoder"),
}


@dataclass(frozen=True)
class MelVAEStage:
    loop: LoopConfig = LoopConfig(steps=6000, batch=16, lr=5e-4)
    task: MelVAEConfig = MelVAEConfig()


@dataclass(frozen=True)
class MotionVAEStage:
    loop: LoopConfig = LoopConfig(steps=6000, batch=16, lr=6e-4, ema=0.995)
    task: MotionVAEConfig = MotionVAEConfig()


@dataclass(frozen=True)
class DenoiserStage:
    loop: LoopConfig = LoopConfig(steps=12_000, batch=16, lr=5e-4, warmup=300, ema=0.998)
    task: DenoiserTaskConfig = DenoiserTaskConfig()


@dataclass(frozen=True)
class VocoderStage:
    """audio: a folder with audio files and an ``index.jsonl`` that names them (kind audio, split train or val)."""

    audio: Path | None = None  # or the word "synthetic"
    model: VocoderConfig = VocoderConfig()  # for a run whose configuration has none yet
    loop: LoopConfig = LoopConfig(steps=6000, batch=16, lr=1e-3, warmup=50, ema=0.995, weight_decay=1e-3)
    task: VocoderTaskConfig = VocoderTaskConfig()


@dataclass(frozen=True)
class Fit:
    """Train one task, or all in order."""

    task: Annotated[Literal["mel-vae", "motion-vae", "denoiser", "vocoder", "all"], tyro.conf.Positional]
    data: Path  # a folder written by train.prepare, or the word "synthetic"
    out: Path  # the run folder
    preset: str | None = None  # "default" where nothing is said; with `init` the configuration of that model
    init: Path | None = None  # a model folder: every network that it has in the same shape starts from its weights
    styles: bool = True  # one style for each genre of the data
    exclude: tuple[str, ...] = ("martial",)  # genres that are not dance
    steps: int | None = None  # overrides the steps of every task that is trained
    mel_vae: MelVAEStage = field(default_factory=MelVAEStage)
    motion_vae: MotionVAEStage = field(default_factory=MotionVAEStage)
    denoiser: DenoiserStage = field(default_factory=DenoiserStage)
    vocoder: VocoderStage = field(default_factory=VocoderStage)


def model_config(args: Fit, pairs: dict[str, list]) -> Config:
    """The preset, widened by the styles that the data has; a run that exists keeps its own configuration."""
    path = args.out / "config.json"
    if path.is_file():
        config = configuration.from_json(Config, json.loads(path.read_text()))
        if config.vocoder is not None or args.task != "vocoder":
            return config
    elif args.init and args.preset is None:
        config = checkpoint.load(args.init).config
    else:
        config = with_styles(configuration.preset(args.preset or "default"), args, pairs)
    if args.task == "vocoder" and config.vocoder is None:
        config = dataclasses.replace(config, vocoder=args.vocoder.model)
    args.out.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(configuration.to_json(config), indent=2) + "\n").encode())
    return config


def with_styles(config: Config, args: Fit, pairs: dict[str, list]) -> Config:
    """The configuration, widened by the styles that the data has."""
    if args.styles:
        styles = tuple(sorted({latents.style_of(pair.genre) for pair in pairs["train"]}))
        config = dataclasses.replace(
            config, styles=styles, denoiser=dataclasses.replace(config.denoiser, styles=len(styles))
        )
    return config


def start_from(model: Checkpoint, config: Config, name: str, task: Task) -> None:
    """Give a task's network the weights of ``model``, where its configuration is the same; say which it was."""
    phase, network = PHASES[name]
    if getattr(model.config, network) == getattr(config, network):
        model.load_into(network, task.phases[phase].networks[network])
        print(f"{name} starts from the weights of the model")
    else:
        print(f"{name} starts from nothing: the model's {network} has another shape")


def averaged(run: Path, task: str) -> dict[str, torch.Tensor]:
    """The EMA weights that a finished task left in a run folder."""
    path = run / task / "ema.safetensors"
    if not path.is_file():
        raise FootlightError(f"{run} has no trained {task}: run `python -m train.fit {task}` first")
    phase, network = PHASES[task]
    prefix = f"{network}."
    return {k[len(prefix) :]: v for k, v in load_state(path)[phase].items() if k.startswith(prefix)}


def load_mel_vae(run: Path, config: Config) -> MelVAE:
    vae = MelVAE(config.mel_vae)
    vae.load_state_dict(averaged(run, "mel-vae"))
    return vae.eval().requires_grad_(False)


def load_motion_vae(run: Path, config: Config) -> MotionVAE:
    vae = MotionVAE(config.motion_vae)
    vae.load_state_dict(averaged(run, "motion-vae"))
    return vae.eval().requires_grad_(False)


def waveforms(audio: Path | None) -> dict[str, list[torch.Tensor]]:
    """What the vocoder is trained on, by split."""
    if audio is None:
        raise FootlightError("the vocoder is trained on sound: give --vocoder.audio, a folder with index.jsonl")
    return synthetic.waveforms() if str(audio) == "synthetic" else load_waveforms(audio)


def main(args: Fit) -> dict[str, dict]:
    """Run the stages; returns each stage's result (see train.loop.fit)."""
    if str(args.data) == "synthetic":
        pairs, songs = synthetic.pairs(), synthetic.songs()
    else:
        pairs = {split: load_pairs(args.data, split) for split in ("train", "val")}
        songs = {split: load_songs(args.data, split) for split in ("train", "val")}
    pairs = {
        split: [pair for pair in some if not any(word in pair.genre for word in args.exclude)]
        for split, some in pairs.items()
    }
    config = model_config(args, pairs)
    initial = checkpoint.load(args.init) if args.init else None
    results: dict[str, dict] = {}
    for name in TASKS if args.task == "all" else (args.task,):
        stage = getattr(args, name.replace("-", "_"))
        loop = stage.loop if args.steps is None else dataclasses.replace(stage.loop, steps=args.steps)
        fabric = make_fabric(loop)
        torch.manual_seed(loop.seed)
        if name == "mel-vae":
            task = MelVAETask(config, stage.task, songs)
        elif name == "motion-vae":
            mel_vae = load_mel_vae(args.out, config)
            clips = latents.motion_clips(pairs, mel_vae, config)
            task = MotionVAETask(config, stage.task, clips)
        elif name == "vocoder":
            task = VocoderTask(config.vocoder, stage.task, waveforms(stage.audio))
        else:
            mel_vae, motion_vae = load_mel_vae(args.out, config), load_motion_vae(args.out, config)
            clips = latents.latent_clips(pairs, mel_vae, motion_vae, config)
            task = DenoiserTask(config, stage.task, motion_vae.to(fabric.device), clips)
        if initial is not None:
            start_from(initial, config, name, task)
        results[name] = fit(task, loop, args.out / name, fabric=fabric)
        if fabric.is_global_zero:
            write_atomically(
                args.out / name / "settings.json",
                (
                    json.dumps({"loop": dataclasses.asdict(loop), "task": dataclasses.asdict(stage.task)}, indent=2)
                ).encode(),
            )
    return results


if __name__ == "__main__":
    try:
        main(tyro.cli(Fit, description=__doc__))
    except FootlightError as error:
        raise SystemExit(f"train.fit: {error}") from None
