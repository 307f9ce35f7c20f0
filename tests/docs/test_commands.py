"""The commands of the documentation are understood by the programs that they start."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from functools import cache
from typing import get_type_hints

import pytest

from core import cli
from tests.docs.pages import PAGES, ROOT, commands, text_of
from train.command import read_command_line
from train.fit_command import subcommands

NAMED = [
    pytest.param(command, id=f"{page.name}: {' '.join(command[1:])[:90]}")
    for page in PAGES
    for command in commands(page)
]
OTHERS = {"venv", "pip", "ruff", "basedpyright", "pytest"}
"""Programs of others."""

FLAG = re.compile(r"--[a-z][a-z-]*")


@pytest.mark.parametrize("command", NAMED)
def test_it_is_understood(command):
    program, *words = command[2:] if command[1] == "-m" else command[1:]
    words = [word for word in words if word.strip(".")]  # "..." stands for further words
    if program not in OTHERS:
        understand(program, words)


def understand(program: str, words: list[str]) -> None:
    """Let a program parse its words; fails where it refuses them."""
    if program == "core":
        cli.parser().parse_args(words)
    elif program.endswith(".py"):
        flags = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert flags <= flags_of(program), f"{program} has no {sorted(flags - flags_of(program))}"
    else:
        module = importlib.import_module("train.demo.__main__" if program == "train.demo" else program)
        if program == "train.fit":
            read_command_line(subcommands(), words)
        else:
            read_command_line(get_type_hints(module.main).get("args") or module.Options, words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_make_is_told_it_can_make(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z][a-z-]+)", text_of(page), re.MULTILINE))
    assert named <= targets, sorted(named - targets)


@cache
def flags_of(program: str) -> set[str]:
    """The flags that a program names in its help."""
    answer = subprocess.run([sys.executable, ROOT / program, "--help"], capture_output=True, text=True, check=True)
    return set(FLAG.findall(answer.stdout))


def test_commands_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "Say `python -m core x`.\n\n    make demo   # python -m core\n    A=1 .venv/bin/python -m core dance a \\\n"
        "        --out b.bvh    # a comment\n    py -3.11 train\\tools\\x.py\n    blender -b --python a/b.py -- c --d\n"
    )
    assert commands(page) == [
        ["python", "-m", "core", "dance", "a", "--out", "b.bvh"],
        ["python", "train/tools/x.py"],
        ["python", "a/b.py", "c", "--d"],
    ]


@pytest.mark.parametrize("words", [["dance", "a.wav", "--out", "b.bvh", "--sed", "x"], ["waltz"]])
def test_what_is_wrong_is_refused(words, capsys):
    with pytest.raises(SystemExit):
        understand("core", words)
    with pytest.raises(SystemExit):
        understand("train.fit", ["all", "--data", "DATA", "--nothing"])
    with pytest.raises(AssertionError):
        understand("train/render_batch.py", ["song.mp3", "--out", "films", "--nothing"])
