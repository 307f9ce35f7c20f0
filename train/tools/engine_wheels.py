"""The engine's packages for a kind of computer, to be carried in the extension's zip: downloaded by pip, which may run
on any other kind, each in the version that constraints.txt names.

pip looks at this computer when it reads that a package is needed "on Windows alone", so what needs what is read here.
Standard library alone, and the pip of whoever runs it.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
"""Where PyTorch for the processor is to be had for Linux; PyPI's is for NVIDIA cards and ten times as large."""


class WheelsError(Exception):
    """Which package is not to be had, and what to do."""


@dataclass(frozen=True)
class Target:
    """A kind of computer.

    tags: of packages that run there, as pip takes them.
    pythons: those of the Blenders that run there.
    marker: what packages ask of the system.
    index: a further one for PyTorch.
    build: of PyTorch, as its version says it.
    """

    tags: tuple[str, ...]
    pythons: tuple[str, ...]
    marker: dict[str, str]
    index: str = ""
    build: str = ""


TARGETS = {
    "linux-x64": Target(
        (*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)), "manylinux2014_x86_64"),
        ("3.11", "3.13", "3.14"),  # 3.14: distributions build Blender for their own Python
        {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"},
        CPU_WHEELS,
        "+cpu",
    ),
    "windows-x64": Target(
        ("win_amd64",),
        ("3.11", "3.13"),
        {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64", "os_name": "nt"},
    ),
    "macos-arm64": Target(
        ("macosx_14_0_arm64",),
        ("3.11", "3.13"),
        {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64", "os_name": "posix"},
    ),
}
"""By Blender's own names. 4.5 and 5.0 run on Python 3.11, 5.1 and 5.2 on 3.13."""

LICENCE_FILES = re.compile(r"[^/]+\.dist-info/(licenses?/.+|(licen[cs]e|copying|notice)[^/]*)", re.IGNORECASE)


def collect(source: Path, target: str, pythons: list[str] | None, folder: Path) -> tuple[list[Path], dict[str, bytes]]:
    """Download what the engine needs on a kind of computer.

    source: the checkout, with pyproject.toml and constraints.txt.
    pythons: for these alone.
    folder: where downloads are kept for the next time.

    Returns the packages' files, and the further files that belong beside them, by their names in the zip: for each
    Python what to install, with hashes; all hashes; all licences.

    Raises WheelsError when something is not to be had.
    """
    kind = TARGETS[target]
    needs = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    pins = (source / "constraints.txt").read_text("utf-8").splitlines()
    folder = folder / target
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    made: dict[str, bytes] = {}
    for python in pythons or kind.pythons:
        wheels = closure(needs, pins, kind, python, folder)
        found |= {wheel.name: wheel for wheel in wheels}
        lines = sorted(f"{pin_of(wheel)} --hash=sha256:{digest(wheel)}\n" for wheel in wheels)
        made[f"wheels/python-{python}.txt"] = "".join(lines).encode()
    wheels = [found[name] for name in sorted(found)]
    made["wheels/SHA256SUMS"] = "".join(f"{digest(wheel)}  {wheel.name}\n" for wheel in wheels).encode()
    made["wheels/LICENSES.txt"] = licences(wheels).encode()
    return wheels, made


def closure(needs: Iterable[str], pins: list[str], kind: Target, python: str, folder: Path) -> list[Path]:
    """The files of the packages that are needed, and of what they need in their turn."""
    found: dict[str, Path] = {}
    wanted = {name_of(need) for need in needs}
    while wanted:
        for wheel in download(sorted(wanted), pins, kind, python, folder):
            found[name_of(wheel.name.split("-")[0])] = wheel
        if missing := wanted - found.keys():
            raise WheelsError(f"pip downloaded no {', '.join(sorted(missing))}.")
        further = (needed_by(found[name], kind, python) for name in wanted)
        wanted = {name for names in further for name in names} - found.keys()
    return list(found.values())


def download(names: list[str], pins: list[str], kind: Target, python: str, folder: Path) -> list[Path]:
    """The files of packages, each in the version that it is pinned to."""
    asked = {name: pinned(name, pins, kind, python) for name in names}
    if "torch" in asked:
        asked["torch"] += kind.build
    tags = [part for tag in kind.tags for part in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--python-version", python, *tags, "--dest", str(folder)]
    # The build is part of the version: what another index has cannot be meant.
    command += ["--extra-index-url", kind.index] if "torch" in asked and kind.index else []
    print(f"for Python {python}: {', '.join(asked.values())}", file=sys.stderr)
    exactly = [pin.replace("==", "===") for pin in asked.values()]  # else another build of the version would do
    answer = subprocess.run([*command, *exactly], capture_output=True, text=True, check=False)
    if answer.returncode:
        said = "\n".join(line for line in answer.stderr.splitlines() if line.startswith("ERROR")) or answer.stderr
        raise WheelsError(
            f"not to be had for Python {python}, with which some Blenders run on such computers:\n{said}\n"
            f"Try again where {kind.index or 'PyPI'} can be reached, or leave this Python out: name the others by "
            "--python (make: PYTHONS)."
        )
    return [wheel_of(requirement, kind, python, folder) for requirement in asked.values()]


def wheel_of(requirement: str, kind: Target, python: str, folder: Path) -> Path:
    """The file of a package that was downloaded. There may be others of it, for another Python."""
    name, version = requirement.split("==")
    tags = packaging("tags")
    usable = {str(tag) for tag in tags.compatible_tags(numbers(python), None, kind_platforms(kind))}
    usable |= {str(tag) for tag in tags.cpython_tags(numbers(python), None, kind_platforms(kind))}
    for wheel in sorted(folder.glob("*.whl")):
        parts = wheel.name.removesuffix(".whl").split("-")
        interpreters, abis, platforms = (part.split(".") for part in parts[-3:])
        own = {f"{i}-{a}-{p}" for i in interpreters for a in abis for p in platforms}
        if name_of(parts[0]) == name_of(name) and parts[1] == version and own & usable:
            return wheel
    raise WheelsError(f"pip downloaded no {requirement} for Python {python}.")


def kind_platforms(kind: Target) -> list[str]:
    """A kind's tags, and on Apple's computers those of all earlier systems."""
    if not kind.tags[0].startswith("macosx"):
        return [*kind.tags]
    return list(packaging("tags").mac_platforms((14, 0), "arm64"))


def pinned(name: str, pins: list[str], kind: Target, python: str) -> str:
    """The version of a package that constraints.txt names for a kind of computer, as "torch==2.13.0"."""
    requirement = packaging("requirements").Requirement
    for line in pins:
        if "==" not in line or line.startswith("#"):
            continue
        found = requirement(line)
        if name_of(found.name) == name and applies(found.marker, kind, python):
            return f"{found.name}{found.specifier}"
    raise WheelsError(f"constraints.txt names no version of {name} for Python {python}.")


def needed_by(wheel: Path, kind: Target, python: str) -> list[str]:
    """The names of the packages that a package needs on a kind of computer."""
    requirement = packaging("requirements").Requirement
    found = [requirement(line) for line in metadata(wheel).get_all("Requires-Dist") or ()]
    return [name_of(item.name) for item in found if applies(item.marker, kind, python)]


def applies(marker: Any, kind: Target, python: str) -> bool:
    """Whether a marker such as ``platform_system == "Windows"`` holds on a kind of computer."""
    about = {"python_version": python, "python_full_version": f"{python}.0", "implementation_name": "cpython"}
    about |= {"platform_python_implementation": "CPython", "implementation_version": f"{python}.0", "extra": ""}
    return marker is None or marker.evaluate(about | kind.marker)


def packaging(module: str) -> Any:
    """A module of ``packaging``, which knows tags and markers: every pip carries it."""
    for name in ("packaging", "pip._vendor.packaging"):
        try:
            return importlib.import_module(f"{name}.{module}")
        except ImportError:
            continue
    raise WheelsError(f"{sys.executable} has no pip, which downloads the packages. Use another Python.")


def metadata(wheel: Path) -> Message:
    """What a package says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        return HeaderParser().parsestr(archive.read(name).decode("utf-8", "replace"))


def licences(wheels: Iterable[Path]) -> str:
    """What every package says of its licence, and the texts that it brings, each once. Raises WheelsError for a
    package that says nothing."""
    about, texts = [], {}
    for wheel in wheels:
        said = metadata(wheel)
        licence = licence_of(said)
        with zipfile.ZipFile(wheel) as archive:
            names = sorted(name for name in archive.namelist() if LICENCE_FILES.fullmatch(name))
            for name in names:
                text = archive.read(name).decode("utf-8", "replace").replace("\r\n", "\n").strip()
                texts.setdefault(text, []).append(name)
        if not licence and not names:
            raise WheelsError(f"{wheel.name} says nothing of its licence.")
        line = f"{said['Name']} {said['Version']}: {licence or 'see below'}"
        about += [line] if line not in about else []
    parts = ["The packages in this folder, and their licences:\n", *about, "\n"]
    for text, names in texts.items():
        parts += ["=" * 100, *dict.fromkeys(names), "=" * 100, text, ""]
    return "\n".join(parts)


def licence_of(said: Message) -> str:
    """What a package says of its licence in a word."""
    classes = [line.split(" :: ")[-1] for line in said.get_all("Classifier") or () if line.startswith("License ::")]
    return said.get("License-Expression") or ", ".join(classes) or (said.get("License") or "").split("\n")[0]


def pin_of(wheel: Path) -> str:
    """ "torch==2.13.0+cpu" for its file."""
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version}"


def name_of(requirement: str) -> str:
    """A package's name in its usual form: "MarkupSafe>=2" is markupsafe."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


def numbers(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))


def digest(wheel: Path) -> str:
    with wheel.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
