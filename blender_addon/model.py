"""What the add-on knows of a model without opening it: what its ``config.json`` says."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

THEATRE = "theatre"
"""Stands for a dance that is made with its light, among the modalities of ``Facts``."""


@dataclass(frozen=True)
class Facts:
    """What the panel knows of a model.

    styles: their names.
    steps, guidance: what the model was tuned for, by what it makes: "motion", "music", or ``THEATRE``.
    work: of sampling a second of it, in steps without guidance whose context is added. "light": of the light alone.
    taught: whether it has a teacher, for those who have time.
    theatre: whether it makes stage light.
    digest: by which a model is told from another of the same name: of its ``config.json``, training included.
    """

    styles: tuple[str, ...] = ()
    steps: dict[str, int] = field(default_factory=dict)
    guidance: dict[str, float] = field(default_factory=dict)
    work: dict[str, float] = field(default_factory=dict)
    taught: bool = False
    theatre: bool = False
    digest: str = ""


def facts(folder: Path, quality: str = "normal") -> Facts:
    """Of the model in ``folder``, at a quality of ``protocol.QUALITIES``; nothing is known where there is no model that
    can be read."""
    path = folder / "config.json"
    try:
        return _read(path, quality, path.stat().st_mtime_ns)
    except OSError:
        return Facts()


@functools.lru_cache(maxsize=8)
def _read(path: Path, quality: str, _changed: int) -> Facts:
    try:
        data = path.read_bytes()
        config = json.loads(data)["config"]
        styles = config["styles"]
    except (ValueError, KeyError, TypeError):
        return Facts()
    teachers = _named(config.get("teachers"))
    parts = {part: _named(config.get(part)) for part in ("denoisers", "sampling")}
    if quality == "fine":
        for part, one in (("denoisers", "denoiser"), ("sampling", "sampling")):
            parts[part] |= {name: teacher.get(one) for name, teacher in teachers.items()}
    steps, guidance, work = _tuned(parts["denoisers"], parts["sampling"])
    theatre = config.get("theatre")
    if isinstance(theatre, dict):
        counts, guided, costs = _tuned(*(_named(theatre.get(part)) for part in ("denoisers", "sampling")))
        for known, found in ((steps, counts), (guidance, guided)):  # what it is told is its dancer's
            known |= {THEATRE: found["motion"]} if "motion" in found else {}
        work |= {THEATRE: sum(costs.values()), "light": costs.get("light", 0.0)}
    return Facts(
        tuple(name for name in styles if isinstance(name, str)) if isinstance(styles, list) else (),
        steps,
        guidance,
        work,
        bool(teachers),
        isinstance(theatre, dict),
        hashlib.sha256(data).hexdigest(),
    )


def _tuned(denoisers: dict, sampling: dict) -> tuple[dict[str, int], dict[str, float], dict[str, float]]:
    """Steps, guidance and work by modality, as of ``Facts``."""
    steps = _numbers(sampling, "steps", int)
    work = {name: float(count * _passes(denoisers.get(name))) for name, count in steps.items()}
    return steps, _numbers(sampling, "guidance", float), work


def _passes(denoiser: object) -> int:
    """The work of a step: with guidance from outside it has two passes; a context that is not added doubles what each
    goes over."""
    told = denoiser if isinstance(denoiser, dict) else {}
    return (1 if told.get("guided") else 2) * (1 if told.get("context_entry") == "added" else 2)


def _named(values: object) -> dict:
    """A new dictionary of those values that are dictionaries themselves."""
    return (
        {name: value for name, value in values.items() if isinstance(value, dict)} if isinstance(values, dict) else {}
    )


def _numbers(sampling: dict, name: str, kind: type) -> dict:
    """One of the numbers of every modality that has it."""
    found = {modality: values.get(name) for modality, values in sampling.items() if isinstance(values, dict)}
    return {
        modality: kind(value)
        for modality, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
