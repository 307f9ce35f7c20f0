"""How the add-on and its installer start another program, a Python mostly, and what they take from its words."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """What a program left.

    code: its exit code.
    said, complaint: what it wrote to stdout and to stderr.
    """

    code: int
    said: str
    complaint: str


def run(command: Sequence[str | Path], seconds: float | None = None) -> Answer:
    """Run a program to its end.

    seconds: that it may take; None for as long as it wants.

    Raises OSError when it cannot be started, and subprocess.TimeoutExpired.
    """
    answer = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=clean_environment(),
        timeout=seconds,
        check=False,
        **quiet(),
    )
    said, complaint = (text.decode("utf-8", "replace") for text in (answer.stdout, answer.stderr))
    return Answer(answer.returncode, said, complaint)


def clean_environment(**more: str) -> dict[str, str]:
    """The user's environment without what points a Python at Blender's own libraries, or pip at another place."""
    unwanted = {"PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"}
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    return env | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "PYTHONNOUSERSITE": "1", "PIP_USER": "0"} | more


def quiet() -> dict:
    """Options of ``subprocess`` that keep Windows from opening a console window for a moment."""
    return {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {}


def last_line(text: str, otherwise: str = "it said nothing") -> str:
    """The last line that is not empty, without the spaces around it.

    otherwise: where there is none.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else otherwise
