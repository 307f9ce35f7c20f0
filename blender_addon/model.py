"""What the add-on knows of a model without opening it: what its ``config.json`` says."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Facts:
    """styles: their names.  steps, guidance: what the model was tuned for, by what it makes: "motion" or "music".
    digest: by which a model is told from another of the same name: of its ``config.json``, training included."""

    styles: tuple[str, ...] = ()
    steps: dict[str, int] = field(default_factory=dict)
    guidance: dict[str, float] = field(default_factory=dict)
    digest: str = ""


def facts(folder: Path) -> Facts:
    """Of the model in ``folder``; nothing is known where there is no model that can be read."""
    path = folder / "config.json"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return Facts()


@functools.lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> Facts:
    try:
        data = path.read_bytes()
        config = json.loads(data)["config"]
        styles = config["styles"]
        sampling = config.get("sampling") or {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return Facts()
    return Facts(
        tuple(name for name in styles if isinstance(name, str)) if isinstance(styles, list) else (),
        _numbers(sampling, "steps", int),
        _numbers(sampling, "guidance", float),
        hashlib.sha256(data).hexdigest(),
    )


def _numbers(sampling: object, name: str, kind: type) -> dict:
    """One of the numbers of every modality that has it."""
    if not isinstance(sampling, dict):
        return {}
    found = {modality: values.get(name) for modality, values in sampling.items() if isinstance(values, dict)}
    return {
        modality: kind(value)
        for modality, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
