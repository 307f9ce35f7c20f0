"""The command line of ``train.fit``: help that names the tasks, and the options of a task alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from train import run_folder
from train.command import read_command_line
from train.fit_command import COMMANDS, subcommands
from train.options import Fit, TaskName, recipe_of

ROOT = Path(__file__).parents[2]
NEEDED = ["--data", "synthetic", "--out", "RUN"]


def read(*words):
    return read_command_line(subcommands(), words)


def test_every_task_is_a_subcommand_and_reads_its_own_recipe():
    assert set(COMMANDS) == set(get_args(TaskName)) == {"all", *run_folder.TRAINED} - {"light"}
    for task, command in COMMANDS.items():
        own = run_folder.TASKS if task == "all" else [task]
        assert {name.replace("-", "_") for name in own} <= set(command.recipes)


@pytest.mark.parametrize("task", COMMANDS)
def test_the_options_of_a_task_are_those_of_fit(task):
    asked = read(task, *NEEDED, "--steps", "3")
    alone = Fit(task, Path("synthetic"), Path("RUN"), steps=3)  # with every other option as it stands
    assert all(getattr(asked, option.name) == getattr(alone, option.name) for option in fields(Fit))


def test_an_option_of_a_recipe_is_read():
    asked = read("distill-music", *NEEDED, "--distill-music.loop.minutes", "2", "--distill-music.task.steps", "3")
    recipe = recipe_of(asked, asked.task)
    assert (recipe.loop.minutes, recipe.task.steps) == (2.0, 3)
    assert recipe.task.paths == recipe_of(Fit("distill-music", Path(), Path()), "distill-music").task.paths  # stays


@pytest.mark.parametrize(
    "words",
    [
        ["denoiser", *NEEDED, "--scorer.loop.minutes", "2"],
        ["scorer", *NEEDED, "--theatre-without", "music"],
        ["beats", *NEEDED, "--layout", "smpl22-6d"],
        ["distill-music", *NEEDED, "--distill-music.task.paths.on-beats", "1"],  # there are no accents to move
        ["distill-music", *NEEDED, "--distill-music.task.standing", "0.5"],
        ["distill", *NEEDED, "--distill.task.attack", "1"],
        ["distill", *NEEDED, "--distill.task.paths.most-snr", "10"],  # paths have no losses
        ["waltz", *NEEDED],
        ["denoiser", "--data", "synthetic"],
    ],
)
def test_what_a_task_does_not_read_is_refused(words, capsys):
    with pytest.raises(SystemExit) as refused:
        read(*words)
    assert refused.value.code == 2


def test_help_has_a_line_for_each_task_and_fits_a_screen():
    command = [sys.executable, "-m", "train.fit", "--help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"• {task} " in said for task in COMMANDS)
    assert len(said.splitlines()) < 50
