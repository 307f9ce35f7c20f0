"""What somebody needs to know who is to help: versions, the computer and the ends of the logs, as plain text.

Nothing personal is needed for that: the user's folder and name are replaced wherever they stand.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
from pathlib import Path

import bpy

from . import environment, readiness, session
from .engine import places, sizes
from .scene import versions

LOGS = ("install", "engine")
LINES = 40


def latest_log() -> Path | None:
    """The log that was written to last."""
    if session.state.log and Path(session.state.log).is_file():
        return Path(session.state.log)
    found = [path for path in map(environment.log_file, LOGS) if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def text() -> str:
    """The report."""
    ready = readiness.now()
    record = places.read_record(environment.engine_places().engine)
    lines = [
        f"Footlight {environment.version()}{', with wheels' if environment.carries_engine() else ''}",
        f"Blender {versions.NAME}, Python {platform.python_version()}",
        f"{platform.platform()}, {processor()}, {os.cpu_count()} threads",
        f"Engine: {ready.kind.value}{': ' if ready.text else ''}{ready.text}",
        f"  Python: {ready.python or 'none'}",
        f"  Compute on: {environment.preferences().device}",
        f"  Online access: {'yes' if bpy.app.online_access else 'no'}",
    ]
    if record:
        packages = ", ".join(f"{name} {version}" for name, version in sorted(record.packages.items()))
        lines.append(f"  Installed by {record.addon}, Python {record.python}, {sizes.text(record.size)}: {packages}")
    if session.state.error:
        lines.append(f"Last error: {session.state.error}")
    for name in LOGS:
        path = environment.log_file(name)
        if path.is_file():
            lines.append(f"\nThe end of {path.name}:")
            lines += path.read_text("utf-8", "replace").splitlines()[-LINES:]
    return impersonal("\n".join(lines) + "\n")


def impersonal(text: str) -> str:
    """A text without the user's folder, name and passwords in addresses."""
    text = re.sub(r"(\w+://)[^/\s@]+@", r"\1***@", text)
    home = str(Path.home())
    if len(home) > 3:
        for written in {home, home.replace("\\", "/"), home.replace("\\", "\\\\")}:
            text = text.replace(written, "~")
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        return text
    if len(name) > 2 and name != "root":
        text = re.sub(rf"(?<=[\\/]){re.escape(name)}(?=[\\/]|$)", "USER", text)
    return text


def processor() -> str:
    """The processor's name, as well as this system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
