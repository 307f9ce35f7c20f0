"""Make the engine's own Python environment. A program of its own: ``python install.py FOLDER PACKAGE...``.

It runs in a Python that has nothing installed, so it uses the standard library alone, and it speaks the engine's
protocol (progress, done and failed as JSON lines on stdout; everything pip says goes to stderr), so that Blender
watches it as it watches any other job.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

COMPLETE = "footlight-engine.json"
"""Written last, into the environment's folder: without it an installation was broken off."""

CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
"""On Linux the ordinary torch brings 5 GB of libraries for NVIDIA cards, which a dance in seconds does not need."""

OLDEST = (3, 11)
"""Of the Pythons that the engine runs in."""

SPACE = 2_000_000_000
"""Bytes that the packages need while they are unpacked."""

PYTHONS = ("python3.13", "python3.12", "python3.11", "python3.14", "python3")

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
        tell("failed", kind="install", message=str(error))
        return 1
    tell("done")
    return 0


def install(folder: Path, packages: tuple[str, ...]) -> None:
    """A virtual environment in ``folder`` with ``packages``. What an earlier attempt left there is replaced."""
    tell("progress", stage="Making an environment", fraction=0.01)
    python = make_environment(folder)
    torch = [package for package in packages if package.startswith("torch")]
    if torch and sys.platform == "linux":
        try:
            pip(python, ["--index-url", CPU_WHEELS, *torch])
        except InstallError as error:  # a company's own package index, say: then the ordinary torch is taken below
            sys.stderr.write(f"{error}\n")
    pip(python, packages)
    tell("progress", stage="Checking the engine", fraction=0.97)
    check(python, packages)
    try:
        (folder / COMPLETE).write_text(json.dumps({"packages": list(packages)}), "utf-8")
    except OSError as error:
        raise InstallError(explain(str(error))) from None


def make_environment(folder: Path) -> Path:
    """An empty environment in ``folder``, made by this Python, else by another one on the path; returns its Python.
    A Blender from a Linux distribution may run on a Python that comes without what this needs."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InstallError(f"The folder {folder.parent} cannot be made: {error.strerror}.") from None
    shutil.rmtree(folder, ignore_errors=True)
    if (free := shutil.disk_usage(folder.parent).free) < SPACE:
        raise InstallError(f"Only {free / 1e9:.1f} GB are free in {folder.parent}; the engine needs 2 GB. Make room.")
    found = [sys.executable, *(shutil.which(name) for name in PYTHONS)]
    said, too_old = "", ""
    for maker in dict.fromkeys(python for python in found if python):
        if old := older(maker):
            too_old = too_old or old
            continue
        shutil.rmtree(folder, ignore_errors=True)
        answer = subprocess.run([maker, "-m", "venv", folder], capture_output=True, text=True, check=False)
        sys.stderr.write(answer.stdout + answer.stderr)
        if answer.returncode == 0:
            return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        said = said or answer.stdout + answer.stderr
    shutil.rmtree(folder, ignore_errors=True)
    if not said and too_old:
        raise InstallError(
            f"The engine needs Python 3.11 or newer; {too_old}. Choose another Python in the preferences, or leave "
            "the field empty to use Blender's own."
        )
    if "no space left" in said.lower():
        raise InstallError(explain(said))
    if "ensurepip" in said:
        raise InstallError(
            f"{sys.executable} cannot make environments: its venv module is not whole. Install it (on Debian: "
            "the package python3-venv), or choose a Python from python.org in the preferences."
        )
    raise InstallError(f"No environment could be made in {folder}: {last_line(said)}")


def older(python: str) -> str:
    """What is wrong with the version of a Python, or nothing: "PATH is Python 3.9"."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    version = answer.stdout.strip()
    if answer.returncode or not re.fullmatch(r"\d+\.\d+", version):
        return f"{python} does not run"
    return f"{python} is Python {version}" if tuple(map(int, version.split("."))) < OLDEST else ""


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
    assert process.stdout is not None
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
    if "certificate_verify_failed" in words or "confirming the ssl certificate" in words:
        return (
            "The download server's certificate is not trusted: a company's network or a virus scanner reads the "
            "connection. Set the variable PIP_CERT to its certificate file, start Blender again and try again."
        )
    if any(sign in words for sign in ("connection broken", "could not fetch url", "timed out", "getaddrinfo")):
        return "The packages could not be downloaded. Check the internet connection (and proxy), then try again."
    if found := re.search(r"no matching distribution found for (\S+)", words):
        return (
            f"There is no {found.group(1)} for this computer and its Python. Choose another Python (3.11 to 3.13) in "
            "the preferences."
        )
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
