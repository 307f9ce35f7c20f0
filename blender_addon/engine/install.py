"""Make the engine's own Python environment. A program of its own: ``python install.py FOLDER PACKAGE...``.

It runs in a Python that has nothing installed, so it uses the standard library alone, and it speaks the engine's
protocol (progress, done and error as JSON lines on stdout; everything pip says goes to stderr), so that Blender
watches it as it watches any other job.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

COMPLETE = "footlight-engine.json"
"""Written last, into the environment's folder: without it an installation was broken off."""

CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
"""On Linux the ordinary torch brings 5 GB of libraries for NVIDIA cards, which a dance in seconds does not need."""

STEPS = (
    (re.compile(r"^Collecting (\S+)"), "Looking up {}", 0.002),
    (re.compile(r"^\s*Downloading (\S+?)-\d\S* \(([^)]+)\)"), "Downloading {} ({})", 0.04),
    (re.compile(r"^Installing collected packages"), "Unpacking the packages", 0.2),
)
"""What a line of pip's means to a person, and how much of the whole it is worth."""


class InstallError(Exception):
    """What went wrong, and what to do."""


def main(folder: str, *packages: str) -> int:
    try:
        install(Path(folder), packages)
    except InstallError as error:
        tell("error", kind="install", message=str(error))
        return 1
    tell("done", folder=folder)
    return 0


def install(folder: Path, packages: tuple[str, ...]) -> None:
    """A virtual environment in ``folder`` with ``packages``. What an earlier attempt left there is replaced."""
    tell("progress", stage="Making an environment", fraction=0.01)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        venv.EnvBuilder(with_pip=True, clear=True).create(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InstallError(
            f"{sys.executable} could not make an environment in {folder} ({error}). It needs Python's venv and "
            "ensurepip modules: choose another Python in the preferences (python.org's has both)."
        ) from None
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    torch = [package for package in packages if package.startswith("torch")]
    if torch and sys.platform == "linux":
        try:
            pip(python, ["--index-url", CPU_WHEELS, *torch])
        except InstallError as error:  # a company's own package index, say: then the ordinary torch is taken below
            sys.stderr.write(f"{error}\n")
    pip(python, packages)
    tell("progress", stage="Checking the engine", fraction=0.97)
    check(python, packages)
    (folder / COMPLETE).write_text(json.dumps({"packages": list(packages)}), "utf-8")


def check(python: Path, packages: Sequence[str]) -> None:
    """Raises InstallError when a package is there but does not start: a system library is missing, say."""
    modules = ", ".join(re.split(r"[^\w-]", package)[0].replace("-", "_") for package in packages)
    answer = subprocess.run([python, "-c", f"import {modules}"], capture_output=True, text=True, check=False)
    sys.stderr.write(answer.stderr)
    if answer.returncode:
        raise InstallError(f"The packages are installed but do not start: {last_line(answer.stderr)}")


def pip(python: Path, arguments: Sequence[str]) -> None:
    """Install, telling what happens. Raises InstallError with the reason in plain words."""
    command = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    command += arguments
    env = dict(os.environ, PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1")
    process = subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    said, fraction = [], 0.05
    for line in process.stdout:
        sys.stderr.write(line)
        said.append(line)
        for pattern, stage, worth in STEPS:
            if found := pattern.match(line):
                fraction = min(fraction + worth, 0.95)
                tell("progress", stage=stage.format(*found.groups()), fraction=fraction)
    if process.wait():
        raise InstallError(explain("".join(said)))


def explain(said: str) -> str:
    """pip's complaint in plain words."""
    words = said.lower()
    if "no space left" in words:
        return "The disk is full. The engine needs about 2 GB in the add-on's folder: make room and try again."
    if "no matching distribution" in words or "could not find a version" in words:
        name = re.search(r"no matching distribution found for (\S+)", words)
        what = name.group(1) if name else "one of the packages"
        version = ".".join(map(str, sys.version_info[:2]))
        return (
            f"There is no {what} for Python {version} on this computer, or the network is out of reach. Check the "
            "connection; otherwise choose another Python (3.11 to 3.13) in the preferences."
        )
    if any(sign in words for sign in ("connection", "timed out", "name resolution", "getaddrinfo", "ssl", "proxy")):
        return "The packages could not be downloaded. Check the internet connection (and proxy), then try again."
    if "permission" in words or "access is denied" in words:
        return "The add-on's folder cannot be written. Check its permissions, or close other programs using it."
    return f"pip could not install the engine: {last_line(said)}"


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def tell(event: str, **values) -> None:
    print(json.dumps({"type": event, **values}), flush=True)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
