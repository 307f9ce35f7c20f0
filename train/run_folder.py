"""A run folder: what every stage of ``train.fit`` leaves in it, and takes from it."""

from __future__ import annotations

from pathlib import Path

import torch

from core.autoencoder.identity import Identity
from core.autoencoder.mel_vae import MelVAE, music_autoencoder
from core.autoencoder.motion_vae import MotionVAE, motion_autoencoder
from core.checkpoint import Checkpoint
from core.config import Config
from core.errors import FootlightError
from train.data import latents
from train.data.dataset import Pair
from train.loop import Task
from train.state import load_state, save_state

STAGES = ("mel-vae", "motion-vae", "denoiser", "scorer")
PHASES = {
    "mel-vae": ("generator", "mel_vae"),
    "motion-vae": ("motion", "motion_vae"),
    "denoiser": ("denoiser", "denoiser"),
    "scorer": ("scorer", "scorer"),
    "classifier": ("classifier", "classifier"),
    "vocoder": ("generator", "vocoder"),
}


def untrained(name: str, config: Config) -> bool:
    """Whether a task has nothing to train, because the configuration has an identity in the place of its network."""
    return name in ("mel-vae", "motion-vae") and getattr(config, PHASES[name][1]).kind == "identity"


def take_statistics(run: Path, name: str, config: Config, pairs: list[Pair], model: Checkpoint | None = None) -> dict:
    """Instead of training: an identity learns the statistics of its input, and leaves them in the run as weights.

    model: whose statistics are taken over where it has the same identity, for its denoiser knows them.
    """
    phase, network = PHASES[name]
    if name == "mel-vae":
        module, frames = music_autoencoder(config.mel_vae), (latents.music_of(pair, config) for pair in pairs)
    else:
        module, frames = motion_network(config), latents.motion_features(pairs, config)
    if model is not None and getattr(model.config, network) == getattr(config, network):
        model.load_into(network, module)
    else:
        module.learn_from(torch.cat([some.float() for some in frames]))
    state = {f"{network}.{key}": value for key, value in module.state_dict().items()}
    save_state(run / name / "ema.safetensors", {"step": 0, phase: state})
    print(f"{name}: nothing to train, {network} is an identity; took the statistics of {len(pairs)} pairs")
    return {"step": 0, "history": [], "validation": {}}


def start_from(model: Checkpoint, config: Config, name: str, task: Task) -> None:
    """Give a task's network the weights of ``model``, where its configuration is the same; say which it was."""
    phase, network = PHASES[name]
    # latents of another representation are another language, even where the network has the same shape
    alike = name == "mel-vae" or model.config.signal.motion_layout == config.signal.motion_layout
    if alike and getattr(model.config, network) == getattr(config, network):
        model.load_into(network, task.phases[phase].networks[network])
        print(f"{name} starts from the weights of the model")
    else:
        print(f"{name} starts from nothing: the model's {network} has another shape or representation")


def keep_vocoder(run: Path, config: Config, model: Checkpoint) -> None:
    """Leave the vocoder of ``model`` in a run that trains none: it hears mels, whatever becomes of the latents."""
    path = run / "vocoder" / "ema.safetensors"
    if path.is_file() or "vocoder" not in model.tensors or config.vocoder != model.config.vocoder:
        return
    phase, network = PHASES["vocoder"]
    weights = {f"{network}.{key}": value.float() for key, value in model.tensors["vocoder"].items()}
    save_state(path, {"step": 0, phase: weights})


def averaged(run: Path, task: str) -> dict[str, torch.Tensor]:
    """The EMA weights that a finished task left in a run folder."""
    path = run / task / "ema.safetensors"
    if not path.is_file():
        raise FootlightError(f"{run} has no trained {task}: run `python -m train.fit {task}` first")
    phase, network = PHASES[task]
    prefix = f"{network}."
    return {k[len(prefix) :]: v for k, v in load_state(path)[phase].items() if k.startswith(prefix)}


def motion_network(config: Config) -> MotionVAE | Identity:
    return motion_autoencoder(config.motion_vae, config.signal.motion_layout)


def load_mel_vae(run: Path, config: Config) -> MelVAE | Identity:
    vae = music_autoencoder(config.mel_vae)
    vae.load_state_dict(averaged(run, "mel-vae"))
    return vae.eval().requires_grad_(False)


def load_motion_vae(run: Path, config: Config) -> MotionVAE | Identity:
    vae = motion_network(config)
    vae.load_state_dict(averaged(run, "motion-vae"))
    return vae.eval().requires_grad_(False)
