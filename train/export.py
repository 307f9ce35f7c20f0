"""Make a model folder from a training run: ``python -m train.export RUN MODEL``.

The averaged weights are stored in half precision. ``python -m core dance --model MODEL`` loads the folder.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro
from torch import Tensor

from core import checkpoint, records
from core.checkpoint import Checkpoint
from core.config import Config, with_teachers
from core.errors import FootlightError
from train.command import run_program
from train.run_folder import (
    AUTOENCODERS,
    LARGEST_JSON,
    TASKS,
    THEATRE,
    TRAINED,
    averaged,
    is_trained,
    read_config,
    task_of,
)

Tensors = dict[str, dict[str, Tensor]]
"""Network -> name -> tensor."""

OPTIONAL = ("scorer", "vocoder", "light", "theatre")  # a model may lack these
WITHOUT = {
    "scorer": "it makes no music (`train.fit scorer` trains that)",
    "vocoder": "its music sounds by a plain method (`train.fit vocoder` trains a better one)",
    "theatre": "it makes no dances together with their light, even if the model that the run started from does "
    "(`train.fit theatre` trains that; lights by rules need none)",
}
"""What a model does without some of these, in words."""


@dataclass(frozen=True)
class Export:
    """Make a model folder from a training run."""

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]  # a folder written by train.fit
    model: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]  # the folder to write
    card: Path | None = None  # JSON to be kept with the model
    half: bool = True  # store weights in half precision
    onto: Path | None = None  # a model that gets the run's students, theatre and decoders, and stays as it is otherwise


def main(args: Export) -> None:
    """Write the model folder, and print what the model lacks that its configuration could have.

    Raises FootlightError for a folder that is no run, a task of it that is not trained yet, and a card that is no JSON.
    """
    config, decoders, further = read_config(args.run), own_decoders(args.run), trained_further(args.run)
    lacked = [name for name in lacking(config, further) if args.onto is None]
    config = without_untrained(config, further)
    needed = [name for name in TASKS if name not in OPTIONAL]
    if args.onto and decoders:  # a run of decoders need not have a dancer
        needed = [name for name in needed if is_trained(args.run, task_of(args.run, name))]
    tasks = [task_of(args.run, name) for name in (*needed, *further)]
    tensors: Tensors = {TRAINED[task].saved: averaged(args.run, task) for task in tasks}
    card = records.read_values(args.card, LARGEST_JSON, "card") if args.card else {}
    if args.onto:
        base = checkpoint.load(args.onto)
        card = {**base.card, **card}
        config, tensors = put_onto(base, config, tensors, [TRAINED[name].saved for name in decoders])
        if "theatre" not in further and kept_steering(args.run):
            tensors["theatre"] = base.tensors["theatre"] | relearned(args.run)
    else:
        config = replace(config, teachers={})
    if args.half:
        tensors = {name: halved(state) for name, state in tensors.items()}
    for task in (*tasks, *(THEATRE[:-1] if "theatre" in tasks else ())):
        settings = args.run / task / "settings.json"
        if settings.is_file():
            card.setdefault("training", {})[task] = json.loads(settings.read_bytes())
    checkpoint.save_folder(args.model, config, tensors, card)
    print("; ".join((f"{args.model} is a model now", *(WITHOUT[name] for name in lacked))))


def trained_further(run: Path) -> list[str]:
    """Which of ``OPTIONAL`` a run has trained. The autoencoder of light is of no use without a theatre."""
    found = [name for name in OPTIONAL if is_trained(run, task_of(run, name))]
    return found if "theatre" in found else [name for name in found if name != "light"]


def without_untrained(config: Config, further: Collection[str]) -> Config:
    """A run's configuration, as far as it has trained what may be missing.

    further: as of ``trained_further``.
    """
    if "scorer" not in further:
        config = replace(config, denoisers={"motion": config.denoisers["motion"]})
    if "vocoder" not in further:
        config = replace(config, vocoder=None)
    if "theatre" not in further:
        modalities = {name: modality for name, modality in config.modalities.items() if name != "light"}
        config = replace(config, theatre=None, modalities=modalities)
    return config


def lacking(config: Config, trained: Collection[str]) -> list[str]:
    """Which of ``WITHOUT`` a run's configuration has and the run did not train."""
    could = {"scorer": "music" in config.denoisers, "vocoder": config.vocoder is not None, "theatre": config.theatre}
    return [name for name in WITHOUT if could[name] and name not in trained]


def own_decoders(run: Path) -> list[str]:
    """The tasks of autoencoders in a run of which it trained the decoder alone, for latents that stay."""
    return [task for task in AUTOENCODERS if trained_with(run, task, "decoder_only")]


def kept_steering(run: Path) -> bool:
    """Whether a run trained the space of a finished theatre on, whose denoisers stay."""
    return bool(trained_with(run, THEATRE[1], "steering"))


def trained_with(run: Path, task: str, name: str) -> Any:
    """A setting with which a run trained a task; None where it did not, or the task has no such setting."""
    settings = run / task / "settings.json"
    return json.loads(settings.read_bytes())["task"].get(name) if settings.is_file() else None


def relearned(run: Path) -> dict[str, Tensor]:
    """The weights of a run's space and of the scheduler that learned along with it."""
    theatre = averaged(run, THEATRE[1])
    return {name: value for name, value in theatre.items() if name.startswith(("space.", "scheduler."))}


def put_onto(base: Checkpoint, config: Config, made: Tensors, decoders: Collection[str] = ()) -> tuple[Config, Tensors]:
    """A model with what another one, trained from it, has more or better.

    That is its students, whose teachers are the model's own denoisers, its theatre, and decoders for the same latents.

    base: the model.
    config, made: configuration and networks of the other one.
    decoders: the autoencoders whose decoder is the other one's own.

    Raises FootlightError if they do not have the same latents.
    """
    for name in base.config.modalities.keys() - {"light"}:
        network = f"autoencoder.{name}"
        encodings = [encoding(tensors[network]) for tensors in (base.tensors, made) if network in tensors]
        if config.modalities.get(name) != base.config.modalities[name] or differs(encodings[0], encodings[-1]):
            raise FootlightError(
                f"the run has other latents of {name} than the model: train it with --init and that model"
            )
    students = [
        name
        for name, denoiser in config.denoisers.items()
        if denoiser.guided and not base.config.denoisers[name].guided
    ]
    whole, tensors = base.config, dict(base.tensors) | {name: made[name] for name in decoders}
    if students:
        denoisers = whole.denoisers | {name: config.denoisers[name] for name in students}
        sampling = whole.sampling | {name: config.sampling[name] for name in students}
        whole = with_teachers(replace(whole, denoisers=denoisers, sampling=sampling), whole)
        tensors |= {f"teacher.{name}": tensors[f"denoiser.{name}"] for name in students}
        tensors |= {f"denoiser.{name}": made[f"denoiser.{name}"] for name in students}
    if config.theatre is not None:
        modalities = whole.modalities | {"light": config.modalities["light"]}
        whole = replace(whole, theatre=config.theatre, modalities=modalities)
        tensors |= {name: made[name] for name in ("theatre", "autoencoder.light")}
    return whole, tensors


def encoding(autoencoder: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of an autoencoder that decide what its latents are."""
    return {name: value for name, value in autoencoder.items() if not name.startswith(("decoder.", "linear.out."))}


def differs(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether the weights of two networks of one shape differ by more than half precision does."""
    return any(
        not torch.allclose(one[name], other[name], rtol=2e-3, atol=1e-6) for name in one if name != "latent_updates"
    )


def halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights in half precision."""
    return {name: value.half() if value.is_floating_point() else value for name, value in state.items()}


if __name__ == "__main__":
    run_program("train.export", main, Export, __doc__)
