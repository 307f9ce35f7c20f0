"""Where the engine's Python, its files and its command are: read from the add-on's preferences."""

from __future__ import annotations

import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import names
from .engine.install import COMPLETE
from .errors import UserError

ROOT = Path(__file__).parents[1]
"""The extension's folder: it holds ``core``."""

BIN = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"


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


def environment_folder() -> Path:
    """Where *Install Engine* puts its Python."""
    return user_folder() / "engine"


def log_file(name: str) -> Path:
    return user_folder() / f"{name}.log"


def find_python() -> Path | None:
    """The engine's Python: the preferences', ``FOOTLIGHT_PYTHON``'s, a checkout's own, or the installed one."""
    if chosen := preferences().python or os.environ.get("FOOTLIGHT_PYTHON"):
        return Path(bpy.path.abspath(chosen))
    beside = [folder / ".venv" / BIN for folder in (ROOT, ROOT.resolve())]
    found = [python for python in beside if python.is_file()]
    installed = environment_folder()
    if (installed / COMPLETE).is_file():
        found.append(installed / BIN)
    return found[0] if found else None


def engine_command() -> list[str]:
    """How the engine is started. Raises UserError when it has no Python yet."""
    python = find_python()
    if python is None:
        raise UserError("The engine is not installed yet. Use Install Engine in the add-on's preferences.")
    if not python.is_file():
        raise UserError(f"There is no Python at {python}. Correct it in the add-on's preferences, or leave it empty.")
    chosen = preferences()
    command = [str(python), "-m", "core.engine", "--device", chosen.device]
    if model := _chosen_model():
        command += ["--model", model]
    return command


def model_folder() -> Path:
    """The folder of the model that the engine uses."""
    return Path(_chosen_model() or ROOT / "core/pretrained/default")


def _chosen_model() -> str:
    return bpy.path.abspath(preferences().model_folder or os.environ.get("FOOTLIGHT_MODEL", ""))


def install_command() -> list[str]:
    """How the engine is installed, by the chosen Python or else Blender's own."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        packages = tomllib.load(file)["project"]["dependencies"]
    python = bpy.path.abspath(preferences().python or sys.executable)
    return [python, str(ROOT / "blender_addon/engine/install.py"), str(environment_folder()), *packages]
