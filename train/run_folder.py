"""A run folder: what every task of ``train.fit`` leaves in it, and takes from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from core import config as configuration
from core import records
from core.autoencoder.identity import Identity
from core.autoencoder.networks import autoencoder_of
from core.autoencoder.normalised import NormalisedVAE
from core.checkpoint import Checkpoint
from core.config import Config
from core.errors import FootlightError
from core.theatre.network import Theatre
from train.data import latents
from train.data.dataset import Pair
from train.state import load_state, save_state

THEATRE = ("theatre-encoders", "theatre-space", "theatre")
"""The stages of theatre in order. Each trains more of the same networks."""

TASKS = ("mel-vae", "motion-vae", "denoiser", "scorer")

AUTOENCODERS = TASKS[:2]

LARGEST_JSON = 1 << 24  # bytes

STUDENTS = {"denoiser": "distill", "scorer": "distill-music", "theatre": "distill-theatre"}
"""By task, the one that trains a student of its network."""


@dataclass(frozen=True)
class Trained:
    """The network that a task trains.

    phase, part: where it is in the training state.
    saved: its name in a model folder.
    """

    phase: str
    part: str
    saved: str

    @property
    def modality(self) -> str:
        """The modality of its autoencoder or denoiser, or "" for others."""
        return self.saved.partition(".")[2]

    def config(self, config: Config) -> object:
        """The part of a configuration that decides the network's shape, or None."""
        kind = self.saved.partition(".")[0]
        if kind == "autoencoder":
            return config.modalities[self.modality].autoencoder
        if kind == "denoiser":
            return config.denoisers.get(self.modality)
        return {"vocoder": config.vocoder, "theatre": config.theatre}.get(kind)


TRAINED = {
    "mel-vae": Trained("generator", "mel_vae", "autoencoder.music"),
    "motion-vae": Trained("motion", "motion_vae", "autoencoder.motion"),
    "denoiser": Trained("denoiser", "denoiser", "denoiser.motion"),
    "scorer": Trained("scorer", "scorer", "denoiser.music"),
    "distill": Trained("denoiser", "denoiser", "denoiser.motion"),
    "distill-music": Trained("denoiser", "denoiser", "denoiser.music"),
    "autoregressive": Trained("autoregressive", "autoregressive", "autoregressive"),
    "classifier": Trained("classifier", "classifier", "classifier"),
    "vocoder": Trained("generator", "vocoder", "vocoder"),
    "beats": Trained("beats", "beats", "beats"),
    "light": Trained("light", "light", "autoencoder.light"),
    **{name: Trained("theatre", "theatre", "theatre") for name in (*THEATRE, "distill-theatre")},
}


def needed(task: str) -> tuple[str, ...]:
    """The autoencoders that a task of dances or music takes from its run, and does not train; none for other tasks."""
    if task == "autoregressive":
        return AUTOENCODERS
    return AUTOENCODERS[: TASKS.index(task)] if task in TASKS else ()


def untrained(name: str, config: Config) -> bool:
    """Whether a task has nothing to train, because the configuration has an identity instead of its network."""
    return getattr(TRAINED[name].config(config), "kind", None) == "identity"


def take_statistics(run: Path, name: str, config: Config, pairs: list[Pair], model: Checkpoint | None = None) -> dict:
    """Give an identity the statistics of its input, and leave them in the run as weights. This takes the place of
    training.

    model: its statistics are kept if it has the same identity, because its denoiser was trained with them.
    """
    trained = TRAINED[name]
    module = autoencoder_of(config.modalities[trained.modality])
    if name == "mel-vae":
        frames = (latents.music_of(pair, config) for pair in pairs)
    else:
        frames = latents.motion_features(pairs, config)
    if model is not None and trained.config(model.config) == trained.config(config):
        model.load_into(trained.saved, module)
    else:
        module.learn_from(torch.cat([some.float() for some in frames]))
    leave(run, name, module.state_dict())
    print(f"{name}: nothing to train, {trained.saved} is an identity; took the statistics of {len(pairs)} pairs")
    return {"step": 0, "history": [], "validation": {}}


def leave(run: Path, task: str, weights: Mapping[str, Tensor]) -> None:
    """Leave the weights of a network in a run as its task would, without training."""
    trained = TRAINED[task]
    state = {f"{trained.part}.{key}": value for key, value in weights.items()}
    save_state(_averages(run, task), {"step": 0, trained.phase: state})


def task_of(run: Path, task: str) -> str:
    """The task whose network a run has in the place of this task's: that of its student, if there is one."""
    student = STUDENTS.get(task, task)
    return student if is_trained(run, student) else task


def is_trained(run: Path, task: str) -> bool:
    """Whether a run has the weights of a task."""
    return _averages(run, task).is_file()


def _averages(run: Path, task: str) -> Path:
    return run / task / "ema.safetensors"


def averaged(run: Path, task: str) -> dict[str, torch.Tensor]:
    """The averaged (EMA) weights that a finished task left in a run folder."""
    if not is_trained(run, task):
        raise FootlightError(f"{run} has no trained {task}: run `python -m train.fit {task}` first")
    trained = TRAINED[task]
    prefix, state = f"{trained.part}.", load_state(_averages(run, task))[trained.phase]
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def load_autoencoder(run: Path, config: Config, modality: str) -> NormalisedVAE | Identity:
    """A modality's autoencoder as a finished task left it. Raises FootlightError when it is not trained yet."""
    task = next(name for name, trained in TRAINED.items() if trained.saved == f"autoencoder.{modality}")
    vae = autoencoder_of(config.modalities[modality])
    vae.load_state_dict(averaged(run, task))
    return vae.eval().requires_grad_(False)


def load_theatre(run: Path, config: Config, stage: str) -> Theatre:
    """The networks of theatre as a finished stage left them. Raises FootlightError when it is not trained yet."""
    theatre = Theatre(config)
    theatre.load_state_dict(averaged(run, stage))
    return theatre


def light_statistics(run: Path, config: Config, frames: Callable[[], Tensor]) -> Identity | NormalisedVAE:
    """The autoencoder of light of a run: with its own statistics, or with those of frames (n, c), which it keeps."""
    if is_trained(run, "light"):
        return load_autoencoder(run, config, "light")
    module = autoencoder_of(config.modalities["light"])
    module.learn_from(frames())
    leave(run, "light", module.state_dict())
    return module.eval().requires_grad_(False)


def read_config(run: Path) -> Config:
    """The configuration of a run, of format 2 or 1.

    Raises FootlightError for a folder that is no run, and a configuration that is damaged.
    """
    path = run / "config.json"
    if not path.is_file():
        raise FootlightError(f"{run} is no run of train.fit: it has no config.json")
    return configuration.read(records.read_values(path, LARGEST_JSON, "config"))
