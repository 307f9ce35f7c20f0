"""The command line of ``train.fit``: a subcommand for each task, with the options that the task reads."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, get_type_hints

from tyro.conf import Suppress

from train.options import Fit, TaskName


@dataclass(frozen=True)
class Command:
    """A subcommand.

    says: what the task trains and needs, for the help.
    recipes: the recipes that it reads, by their names in ``Fit``.
    unread: the other options of ``Fit`` that it does not read.
    """

    says: str
    recipes: tuple[str, ...]
    unread: tuple[str, ...] = ("theatre_without",)


MODEL = ("mel_vae", "motion_vae", "denoiser", "scorer")
VARIANT = ("layout", "network", "prediction", "skip", "music", "latents", "rhythm")

COMMANDS: dict[TaskName, Command] = {
    "all": Command("mel-vae, motion-vae, denoiser and scorer, in this order", MODEL),
    "mel-vae": Command("pack music into latents, and back", MODEL[:1]),
    "motion-vae": Command("pack motion into latents, and back; needs mel-vae", MODEL[1:2]),
    "denoiser": Command("make dances from music; needs mel-vae and motion-vae", MODEL[2:3]),
    "scorer": Command("make music from dances; needs mel-vae and motion-vae", MODEL[3:]),
    "vocoder": Command("turn mels into sound; needs only --vocoder.audio, a folder of songs", ("vocoder",)),
    "distill": Command("make the dances of --init MODEL in a few steps, in a run of its own", ("distill",)),
    "distill-music": Command("make the music of --init MODEL in a few steps, in a run of its own", ("distill_music",)),
    "distill-theatre": Command(
        "make the dances with light of --init MODEL in a few steps, in a run of its own",
        ("distill_theatre", "theatre"),
    ),
    "theatre": Command(
        "make dance and light together; needs mel-vae and motion-vae, trains its first two stages where they lack",
        ("theatre_encoders", "theatre_space", "theatre"),
        (),
    ),
    "theatre-encoders": Command(
        "the first stage of theatre: what reads music, motion and light", ("theatre_encoders", "theatre"), ()
    ),
    "theatre-space": Command("the second stage of theatre: one space for all three", ("theatre_space", "theatre"), ()),
    "classifier": Command("tell styles apart, for metrics", ("classifier",)),
    "autoregressive": Command("dance frame by frame, as a baseline; needs mel-vae and motion-vae", ("autoregressive",)),
    "beats": Command(
        "hear beats and downbeats; needs data prepared with --beats, writes beats.safetensors",
        ("beats",),
        ("preset", "init", "styles", "exclude", "theatre_without", *VARIANT),
    ),
}


def subcommands() -> dict[str, type[Fit]]:
    """``Fit`` by task, without the options that the task does not read. They keep their defaults."""
    recipes = {name for command in COMMANDS.values() for name in command.recipes}
    return {task: _only(task, command, recipes - {*command.recipes}) for task, command in COMMANDS.items()}


def _only(task: TaskName, command: Command, hidden: set[str]) -> type[Fit]:
    """``Fit`` for one task: neither ``hidden`` nor what the command does not read can be given."""
    types = get_type_hints(Fit, include_extras=True)
    left_out: list[tuple[str, Any, Any]] = [("task", Suppress[TaskName], dataclasses.field(default=task))]
    for name in sorted(hidden | {*command.unread}):
        own = Fit.__dataclass_fields__[name]
        default = dataclasses.field(default=own.default, default_factory=own.default_factory)
        left_out.append((name, Suppress[types[name]], default))
    made = dataclasses.make_dataclass(f"Fit {task}", left_out, bases=(Fit,), frozen=True, kw_only=True)
    made.__doc__ = command.says[0].upper() + command.says[1:] + "."
    return made
