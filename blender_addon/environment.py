"""Where the engine's Python, its files and its command are: read from the add-on's preferences."""

from __future__ import annotations

import functools
import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import names
from .engine import places
from .errors import UserError

ROOT = Path(__file__).parents[1]
"""The extension's folder: it holds ``core``."""

WHEELS = ROOT / "wheels"
"""The engine's packages, in an extension that installs its engine without a network."""


@dataclass(frozen=True)
class Values:
    """The preferences where the add-on is not enabled as one, as in a script that imports it."""

    python: str = ""
    device: str = "auto"
    model_folder: str = ""


def preferences() -> bpy.types.AddonPreferences | Values:
    addon = bpy.context.preferences.addons.get(names.PACKAGE)
    return addon.preferences if addon and addon.preferences else Values()


def user_folder() -> Path:
    """The extension's own folder among the user's files."""
    try:
        return Path(bpy.utils.extension_path_user(names.PACKAGE, create=True))
    except ValueError:  # not installed as an extension
        return Path(bpy.utils.user_resource("DATAFILES", path="footlight", create=True))


def engine_places() -> places.Places:
    """Where *Install Engine* puts its Python."""
    return places.Places(user_folder())


def log_file(name: str) -> Path:
    return user_folder() / f"{name}.log"


def chosen_python() -> Path | None:
    """The Python that the preferences name."""
    chosen = preferences().python
    return Path(bpy.path.abspath(chosen)) if chosen else None


def use_installed() -> None:
    """Empty the preferences' field for another Python."""
    if addon := bpy.context.preferences.addons.get(names.PACKAGE):
        addon.preferences.python = ""


def provided_python() -> Path | None:
    """The Python of whoever started Blender for this: ``FOOTLIGHT_PYTHON``'s, or a checkout's own."""
    if given := os.environ.get("FOOTLIGHT_PYTHON"):
        return Path(given)
    beside = [folder / ".venv" / places.BIN for folder in (ROOT, ROOT.resolve())]
    return next((python for python in beside if python.is_file()), None)


def find_python() -> Path | None:
    """The engine's Python: the preferences', a provided one, or the installed one."""
    if python := chosen_python() or provided_python():
        return python
    installed = engine_places().engine
    return installed / places.BIN if places.read_record(installed) else None


def engine_command() -> list[str]:
    """How the engine is started. Raises UserError when it has no Python yet."""
    python = find_python()
    if python is None:
        raise UserError("The engine is not installed yet. Use Install Engine.")
    if not python.is_file():
        raise UserError(missing(python))
    chosen = preferences()
    command = [str(python), "-m", "core.engine", "--device", chosen.device]
    if model := _chosen_model():
        command += ["--model", model]
    return command


def missing(python: Path) -> str:
    """What to say when a Python is not where it was."""
    if python.is_relative_to(engine_places().engine):
        return "The Python that the engine was made with is gone: Blender was moved or updated. Use Reinstall."
    return f"There is no Python at {python}. Choose another in the add-on's preferences, or leave the field empty."


def model_folder() -> Path:
    """The folder of the model that the engine uses."""
    return Path(_chosen_model() or ROOT / "core/pretrained/default")


def _chosen_model() -> str:
    return bpy.path.abspath(preferences().model_folder or os.environ.get(names.MODEL_VARIABLE, ""))


@functools.cache
def requirements() -> list[str]:
    """What the engine needs, such as "torch>=2.6"."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]["dependencies"]


@functools.cache
def tested_torch() -> str:
    """The PyTorch that the tests were run with, such as "torch==2.13.0"."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return next(line.strip() for line in lines if line.startswith("torch=="))


@functools.cache
def manifest() -> dict:
    """What the extension says of itself to Blender."""
    with open(ROOT / "blender_manifest.toml", "rb") as file:
        return tomllib.load(file)


def version() -> str:
    """The add-on's version."""
    return manifest()["version"]


def carries_engine() -> bool:
    """Whether this extension installs its engine without a network."""
    return WHEELS.is_dir()


def install_command(large: bool = False) -> list[str]:
    """How the engine is installed, by Blender's own Python or the chosen one.

    large: with PyTorch's libraries for NVIDIA cards.
    """
    program = [sys.executable, "-m", "blender_addon.engine.install"]
    command = [*program, str(user_folder()), "--addon", version(), "--tested", tested_torch()]
    if python := chosen_python():
        command += ["--python", str(python)]
    if carries_engine():
        command += ["--wheels", str(WHEELS)]
    return [*command, *(["--large"] if large else []), *requirements()]
