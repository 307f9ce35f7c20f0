"""A Python that somebody chose for the engine, looked at: is it there, is it new enough, has it the packages?

It takes seconds, because PyTorch is started for a moment; whoever has a window does it in a thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import places

PROGRAM = Path(__file__).with_name("looked.py")

OLDEST = (3, 11)
"""Of the Pythons that the engine runs in."""

SECONDS = 120
"""A cold disk may take half a minute to load PyTorch."""

NAMES = {"torch": "PyTorch", "numpy": "NumPy"}
"""What people call a package."""


@dataclass(frozen=True)
class Found:
    """problem: what is wrong with it, in a sentence; nothing where it can run the engine.  python: its version.
    packages: the versions that it has."""

    problem: str = ""
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)


def examine(python: Path, requirements: Sequence[str], seconds: float = SECONDS) -> Found:
    """Look at a Python. requirements: what the engine needs, such as "torch>=2.6"."""
    if python.is_dir():
        return Found(f"{python} is a folder. Choose the Python program in it.")
    if not python.is_file():
        return Found(f"There is no Python at {python}. Choose another, or leave the field empty.")
    names = [places.name_of(requirement) for requirement in requirements]
    try:
        answer = subprocess.run(
            [str(python), str(PROGRAM), *names],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            env=clean_environment(),
            check=False,
            **quiet(),
        )
    except subprocess.TimeoutExpired:
        return Found(f"{python} did not answer within {seconds:.0f} seconds. Choose another Python.")
    except OSError as error:
        return Found(f"{python} cannot be run ({error.strerror or error}). Choose a Python program.")
    said, complaint = (text.decode("utf-8", "replace") for text in (answer.stdout, answer.stderr))
    found = _answer(said)
    if found is None:
        return Found(_not_a_python(python, said + complaint, answer.returncode))
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
    unmet = places.unmet(found["packages"], requirements)
    missing = [places.name_of(item) for item in unmet if places.name_of(item) not in found["packages"]]
    if missing:
        name = NAMES.get(missing[0], missing[0])  # what is missing besides is of no more use to know
        return f"This Python has no {name}. Install Engine, or choose another."
    if unmet:
        name = places.name_of(unmet[0])
        return (
            f"This Python has {NAMES.get(name, name)} {found['packages'][name]}; the engine needs {unmet[0]}. "
            "Install Engine, or choose another."
        )
    for name, reason in found["broken"].items():
        return f"{NAMES.get(name, name)} does not start in this Python ({reason}). Install Engine, or choose another."
    return ""


def _not_a_python(python: Path, said: str, code: int) -> str:
    if code == 9009 or "Microsoft Store" in said or (sys.platform == "win32" and "WindowsApps" in python.parts):
        return "This is the Microsoft Store's placeholder and no Python. Install Engine, or choose another."
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    reason = lines[-1] if lines else f"it ended with code {code}"
    return f"{python} does not run as a Python ({reason[:200]}). Install Engine, or choose another."


def clean_environment(**more: str) -> dict[str, str]:
    """The user's environment without what points a Python at Blender's own libraries, or pip at another place."""
    unwanted = {"PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"}
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    return env | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "PYTHONNOUSERSITE": "1", "PIP_USER": "0"} | more


def quiet() -> dict:
    """Options of ``subprocess`` that keep Windows from opening a console window for a moment."""
    return {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {}
