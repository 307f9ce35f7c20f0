"""A Python that can make environments, and the empty environment that it makes for the engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import carried, piping, places
from .examine import OLDEST
from .programs import last_line, run
from .requirements import numbers
from .telling import InstallError

PYTHONS = ("python3.13", "python3.12", "python3.11", "python3.14", "python3")
"""Where Blender's own Python cannot do it, as in some Linux distributions."""


@dataclass(frozen=True)
class Maker:
    """A Python that can make environments.

    version: such as "3.13".
    """

    python: str
    version: str


def candidates(chosen: str) -> Iterator[str]:
    """Pythons that could make the environment, the most wanted first."""
    if chosen:
        yield chosen
    yield sys.executable
    for name in PYTHONS:
        found = shutil.which(name)
        if found and "WindowsApps" not in found:  # Windows' placeholders, which open a shop
            yield found


def find(chosen: str = "", wheels: Path | None = None) -> Maker:
    """The first Python that is new enough, and for which there are packages. Raises InstallError.

    chosen: one to be tried first.
    wheels: a folder that has everything, or None for the network.
    """
    refused = ""
    for python in dict.fromkeys(candidates(chosen)):
        version = version_of(python)
        if not version:
            refused = refused or f"{python} does not run"
        elif numbers(version) < OLDEST or not has_packages(wheels, version):
            refused = refused or f"{python} is Python {version}"
        else:
            return Maker(python, version)
    if wheels:
        has = ", ".join(sorted(carried.versions(wheels), key=numbers))
        raise InstallError(
            f"This zip carries the engine for Python {has}; {refused}. Choose such a Python in the preferences, or "
            "install the engine with the ordinary zip, which needs a network."
        )
    raise InstallError(
        f"The engine needs Python 3.11 or newer; {refused}. Choose another Python in the preferences, or leave the "
        "field empty to use Blender's own."
    )


def has_packages(wheels: Path | None, version: str) -> bool:
    """Whether there are packages for a Python, as far as is known before anything is downloaded."""
    return wheels is None or carried.list_of(wheels, version).is_file()


def version_of(python: str) -> str:
    """The version of a Python, such as "3.13", or nothing where it does not run."""
    try:
        answer = run([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], seconds=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    said = answer.said.strip()
    return said if answer.code == 0 and re.fullmatch(r"\d+\.\d+", said) else ""


def make_environment(folder: Path, maker: Maker) -> Path:
    """An empty environment in ``folder``, without pip, which some distributions leave out; returns its Python."""
    shutil.rmtree(folder, ignore_errors=True)
    answer = run([maker.python, "-m", "venv", "--without-pip", folder])
    said = answer.said + answer.complaint
    sys.stderr.write(said)
    python = folder / places.BIN
    if answer.code == 0 and python.is_file():
        return python
    if "no space left" in said.lower():
        raise InstallError(piping.explain(said))
    if "No module named venv" in said:
        raise InstallError(
            f"{maker.python} cannot make environments: it has no venv module. Install it (on Debian: the package "
            "python3-venv), or choose a Python from python.org in the preferences."
        )
    raise InstallError(f"No environment could be made in {folder}: {last_line(said)}")


def packages_folder(python: Path) -> Path:
    """Where an environment's Python looks for packages."""
    answer = run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    if answer.code:
        raise InstallError(f"The environment in {python.parents[1]} does not run: {last_line(answer.complaint)}")
    return Path(answer.said.strip())
