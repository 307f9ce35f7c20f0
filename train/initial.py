"""What the weights of a model give a run: networks to start from, and those that it does not train."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from core.checkpoint import Checkpoint
from core.config import Config, DenoiserConfig, TheatreConfig, on_stage
from core.diffusion.networks import denoiser_of
from core.theatre.network import Theatre
from train.loop import Task
from train.run_folder import AUTOENCODERS, THEATRE, TRAINED, Trained, is_trained, leave
from train.variants import theatre_is_student

TAKES = {"theatre-space": ("space.", "scheduler."), "theatre": ("scheduler.", "denoisers.")}
"""By stage of theatre, the parts that it starts from a model with; the first stage takes all."""


def start_from(model: Checkpoint, config: Config, name: str, task: Task) -> None:
    """Give a task's network the weights of ``model`` if its configuration is the same, and print which it was."""
    trained = TRAINED[name]
    # latents of another representation mean something else, even if the network has the same shape
    layouts = [some.modalities["motion"].representation for some in (model.config, config)]
    alike = name == "mel-vae" or layouts[0] == layouts[1]
    if alike and trained.config(model.config) == trained.config(config):
        model.load_into(trained.saved, task.phases[trained.phase].networks[trained.part])
        print(f"{name} starts from the weights of the model")
    elif alike and _inner(trained.config(model.config)) == _inner(trained.config(config)):
        network = task.phases[trained.phase].networks[trained.part]
        _take_what_fits(model, config, trained, network)
        print(f"{name} starts from the weights of the model, but for its styles, mask or prediction")
    else:
        print(f"{name} starts from nothing: the model's {trained.saved} has another shape or representation")


def start_theatre(model: Checkpoint, config: Config, name: str, theatre: Theatre) -> None:
    """Give a stage of theatre, or its student, the weights of a ``model`` with a theatre of the same size, and print
    which it was. What the stages before have trained in the run stays.

    A student's denoisers know a few steps only, so stages leave them out; but where the light alone is trained, it
    starts from them, and its dancer stays. Without others, the dancer of the last stage starts from the model's dancer
    of music alone.
    """
    fits = _fits(model, config)
    left_out = theatre_is_student(model.config) and not theatre_is_student(config)
    if fits:
        _take_theatre(model, config, theatre, TAKES.get(name, ("",)), but=("denoisers.",) if left_out else ())
        but = (
            ", but for its denoisers"
            if left_out
            else ""
            if model.config.theatre == config.theatre
            else ", but for what that lacks"
        )
        print(f"{name} starts from the weights of the model{but}")
        if name == "distill-theatre" and not theatre_is_student(model.config):
            _add_lesson(model, theatre)
    if name == "theatre" and (left_out or not fits) and "denoiser.motion" in model.tensors:
        dancer = theatre.denoisers["motion"]
        _take_what_fits(model, on_stage(config), TRAINED["denoiser"], dancer)
        print("theatre: its dancer starts from the weights of the model's dancer")
    elif not fits:
        print(f"{name} starts from nothing: the model has no such networks")


def keep(run: Path, config: Config, model: Checkpoint, *names: str) -> None:
    """Leave networks of ``model`` in a run that trains none of its own, as the tasks ``names`` would.

    Those that the model lacks, or has in another shape or for another representation, are left out.
    """
    for name in names:
        trained = TRAINED[name]
        same = trained.config(config) == trained.config(model.config)
        if name in AUTOENCODERS:
            same = same and config.modalities[trained.modality] == model.config.modalities[trained.modality]
        if is_trained(run, name) or trained.saved not in model.tensors or not same:
            continue
        leave(run, name, {key: value.float() for key, value in model.tensors[trained.saved].items()})


def keep_theatre(run: Path, config: Config, model: Checkpoint) -> None:
    """Leave encoders and space of a model's theatre in a run that has none, as their stages would, and its light.

    Variants without one of the theatre's parts have the same encoders and space, and so share them. A model whose
    theatre has others leaves none.
    """
    if "theatre" not in model.tensors or _encoding(model.config.theatre) != _encoding(config.theatre):
        return
    if any(is_trained(run, name) for name in THEATRE):
        return
    theatre = Theatre(config)
    _take_theatre(model, config, theatre, ("",), but=("denoisers.", "scheduler."))
    for stage in THEATRE[:-1]:
        leave(run, stage, theatre.state_dict())
    keep(run, config, model, "light")


def _inner(config: object) -> object:
    """A denoiser but for what ``_take_what_fits`` can make of another; other networks as they are."""
    if not isinstance(config, DenoiserConfig):
        return config
    plain = replace(config, styles=0, prediction=None, skip=False, observed_parts=1, loudness_power=1.0)
    return replace(plain, context_entry="concatenated", guided=False)


def _take_what_fits(model: Checkpoint, config: Config, trained: Trained, network: nn.Module) -> None:
    """Load a denoiser's weights, and those of its styles by their names. New styles start as the default style.

    If it predicts something else, its output layer starts from nothing. If its mask has another number of parts, all of
    them together mean what they meant.
    """
    source = denoiser_of(model.config.denoisers[trained.modality])
    given, own = model.load_into(trained.saved, source).state_dict(), network.state_dict()
    same = model.config.prediction(trained.modality) == config.prediction(trained.modality)
    for name, value in given.items():
        if name == "styles.weight" and name in own:  # (width, styles)
            own[name] = _styles(value, given["default_style"], model, config).to(own[name])
        elif name == "noisy_in.conv.weight" and value.shape != own[name].shape:  # (width, channels and mask, 1, kernel)
            channels, parts = 2 * source.config.latent_channels, config.denoisers[trained.modality].observed_parts
            whole = value[:, channels:].sum(dim=1, keepdim=True)
            own[name] = torch.cat([value[:, :channels], (whole / parts).expand(-1, parts, -1, -1)], dim=1)
        elif name == "segment":
            own[name] = _segments(value, own[name])
        elif name in own and (same or not name.startswith("out.")):
            own[name] = value.to(own[name])
    network.load_state_dict(own)


def _take_theatre(
    model: Checkpoint, config: Config, theatre: Theatre, parts: tuple[str, ...], but: tuple[str, ...]
) -> None:
    """Load the weights of a model's theatre of the same size whose names begin with ``parts``, and not with ``but``."""
    own, given = theatre.state_dict(), model.tensors["theatre"]
    for key, value in given.items():
        if key not in own or not key.startswith(parts) or key.startswith(but):
            continue
        denoiser, _, name = key.rpartition(".")
        if name == "segment":
            own[key] = _segments(value, own[key])
        elif key.endswith(".styles.weight"):
            default = given[f"{denoiser.removesuffix('.styles')}.default_style"]
            own[key] = _styles(value, default, model, config).to(own[key])
        else:
            own[key] = value.to(own[key])
    theatre.load_state_dict(own)


def _add_lesson(model: Checkpoint, theatre: Theatre) -> None:
    """Add to a dancer what the dancer of music alone has learned over its teacher, if that is a student like it.

    The theatre's dancer has been trained on from that teacher, so the sum is nearly a student already: task arithmetic
    (Ilharco et al. 2023).
    """
    dancer = theatre.denoisers["motion"]
    own = dancer.state_dict()
    teacher, student = (model.tensors.get(f"{kind}.motion", {}) for kind in ("teacher", "denoiser"))
    if not teacher or any(key not in own or own[key].shape != value.shape for key, value in student.items()):
        return
    for key, value in student.items():
        before = _segments(teacher[key], value) if key == "segment" else teacher.get(key)
        own[key] = value.to(own[key]) if before is None else own[key] + (value - before.to(value)).to(own[key])
    dancer.load_state_dict(own)
    print("distill-theatre: its dancer has what the model's student learned over its teacher")


def _fits(model: Checkpoint, config: Config) -> bool:
    """Whether a model has a theatre, of the size of a configuration's."""
    return "theatre" in model.tensors and _size(model.config.theatre) == _size(config.theatre)


def _encoding(theatre: TheatreConfig | None) -> TheatreConfig | None:
    """A theatre but for what makes no difference to its encoders and space."""
    return theatre and replace(
        theatre, denoisers={}, sampling={}, coarse=1.0, answer=0.0, look_guidance=1.0, attention=True
    )


def _size(theatre: TheatreConfig | None) -> object:
    """A theatre but for its styles, how it is sampled and distilled, and what its light is told."""
    if theatre is None:
        return None
    denoisers = {
        name: replace(denoiser, styles=0, guided=False, context_entry="added", cue_channels=0)
        for name, denoiser in theatre.denoisers.items()
    }
    return _encoding(theatre), theatre.attention, denoisers


def _styles(given: Tensor, default: Tensor, model: Checkpoint, config: Config) -> Tensor:
    """The embeddings (width, styles) of a configuration's styles, from those of a model, by their names.

    default: (width,) that of no style, as which new ones start.
    """
    known = dict(zip(model.config.styles, given.unbind(dim=1), strict=True))
    return torch.stack([known.get(style, default) for style in config.styles], dim=1)


def _segments(given: Tensor, own: Tensor) -> Tensor:
    """The embeddings of a denoiser's segments for a network with fewer: an added context has none of its own."""
    return given[[*range(len(own) - 1), -1]].to(own)
