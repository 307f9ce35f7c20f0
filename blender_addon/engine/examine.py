"""A Python that somebody chose for the engine, looked at: is it there, is it new enough, has it the packages?

It takes seconds, because PyTorch is started for a moment; whoever has a window does it in a thread.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import programs
from .programs import last_line
from .requirements import name_of, unmet

PROGRAM = Path(__file__).with_name("looked.py")

OLDEST = (3, 11)
"""Of the Pythons that the engine runs in."""

SECONDS = 120
"""A cold disk may take half a minute to load PyTorch."""

NAMES = {"torch": "PyTorch", "numpy": "NumPy"}
"""What people call a package."""


@dataclass(frozen=True)
class Found:
    """What was found of a Python.

    problem: what is wrong with it, in a sentence; nothing where it can run the engine.
    python: its version.
    packages: the versions that it has.
    """

    problem: str = ""
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)


def examine(python: Path, requirements: Sequence[str], seconds: float = SECONDS) -> Found:
    """Look at a Python.

    requirements: what the engine needs, such as "torch>=2.6".
    """
    if python.is_dir():
        return Found(f"{python} is a folder. Choose the Python program in it.")
    if not python.is_file():
        return Found(f"There is no Python at {python}. Choose another, or leave the field empty.")
    names = [name_of(requirement) for requirement in requirements]
    try:
        answer = programs.run([python, PROGRAM, *names], seconds)
    except subprocess.TimeoutExpired:
        return Found(f"{python} did not answer within {seconds:.0f} seconds. Choose another Python.")
    except OSError as error:
        return Found(f"{python} cannot be run ({error.strerror or error}). Choose a Python program.")
    found = _answer(answer.said)
    if found is None:
        return Found(_not_a_python(python, answer.said + answer.complaint, answer.code))
    version = ".".join(map(str, found["python"]))
    return Found(_problem(found, version, requirements), version, found["packages"])


def _answer(said: str) -> dict | None:
    for line in reversed(said.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and {"python", "packages", "broken"} <= found.keys():
            return found
    return None


def _problem(found: dict, version: str, requirements: Sequence[str]) -> str:
    if tuple(found["python"][:2]) < OLDEST:
        return f"This is Python {version}; the engine needs 3.11 or newer. Install Engine, or choose another."
    lacking = unmet(found["packages"], requirements)
    missing = [name_of(item) for item in lacking if name_of(item) not in found["packages"]]
    if missing:
        name = NAMES.get(missing[0], missing[0])  # what is missing besides is of no more use to know
        return f"This Python has no {name}. Install Engine, or choose another."
    if lacking:
        name = name_of(lacking[0])
        return (
            f"This Python has {NAMES.get(name, name)} {found['packages'][name]}; the engine needs {lacking[0]}. "
            "Install Engine, or choose another."
        )
    for name, reason in found["broken"].items():
        return f"{NAMES.get(name, name)} does not start in this Python ({reason}). Install Engine, or choose another."
    return ""


def _not_a_python(python: Path, said: str, code: int) -> str:
    if code == 9009 or "Microsoft Store" in said or (sys.platform == "win32" and "WindowsApps" in python.parts):
        return "This is the Microsoft Store's placeholder and no Python. Install Engine, or choose another."
    reason = last_line(said, f"it ended with code {code}")
    return f"{python} does not run as a Python ({reason[:200]}). Install Engine, or choose another."
