"""The packages in a zip that installs its engine without a network: a folder of wheels, and a list for each Python."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from .telling import InstallError


def list_of(folder: Path, version: str) -> Path:
    """The file that says what a Python needs of the folder, each package with its hash.

    version: such as "3.13".
    """
    return folder / f"python-{version}.txt"


def versions(folder: Path) -> list[str]:
    """The Pythons that a folder has packages for."""
    return [path.stem.removeprefix("python-") for path in folder.glob("python-*.txt")]


def wheels(folder: Path, version: str) -> list[Path]:
    """A Python's packages. Raises InstallError where one is missing or is not what the list says."""
    text = list_of(folder, version).read_text("utf-8")
    wanted = dict(re.findall(r"^(\S+) --hash=sha256:([0-9a-f]{64})$", text, re.MULTILINE))
    by_digest = {digest(wheel): wheel for wheel in sorted(folder.glob("*.whl"))}
    for pin, expected in wanted.items():
        if expected not in by_digest:
            name = pin.split("==")[0]
            raise InstallError(f"{name} in the extension is damaged. Copy the zip again, and install it again.")
    return [by_digest[expected] for expected in wanted.values()]


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
