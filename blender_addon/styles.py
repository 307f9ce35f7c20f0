"""The styles that a model knows, and how a choice of them is told to the engine."""

from __future__ import annotations

import functools
import json
from pathlib import Path


def of_model(folder: Path) -> tuple[str, ...]:
    """The styles of the model in ``folder``; none where there is no model that can be read."""
    path = folder / "config.json"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return ()


@functools.lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> tuple[str, ...]:
    try:
        found = json.loads(path.read_text("utf-8"))["config"]["styles"]
    except (ValueError, KeyError, TypeError):
        return ()
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()


def text(first: str, second: str, share: float) -> str | None:
    """``salsa``, ``salsa:0.7,pop:0.3``, or None for the model's own choice.

    first, second: styles, empty where none is chosen.  share: of the second, 0 to 1.
    """
    weights = {first: 1.0 - share, second: share} if second not in ("", first) else {first: 1.0}
    told = {name: round(weight, 3) for name, weight in weights.items() if round(weight, 3) > 0}
    if not first or not told:
        return None
    return next(iter(told)) if len(told) == 1 else ",".join(f"{name}:{weight:g}" for name, weight in told.items())
