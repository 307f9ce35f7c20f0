"""SHOW.json: a show as a file that other programs can read. ``docs/light.md`` describes it.

    {
      "format": "footlight-show 1",
      "engine": version,
      "fps": 15.625, "frames": 1875,
      "look": name or "",
      "beats": [seconds, ...], "sections": [seconds, ...],
      "cues": [{"seconds": 12.3, "name": "section", "why": "..."}, ...],
      "channels": {"front_hue": [degrees, ...], "front_saturation": 0.8, ...}
    }

A channel has one value for each frame, or a single number where it never changes. Hues are in degrees. A pattern is a
list of weights for each frame, or one list. Other fields may follow; readers ignore what they do not know.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .. import records
from ..errors import FootlightError
from .channels import HUES, MIXTURES, PARTS, SLICES
from .colour import hue_degrees, hue_vector
from .show import DECIMALS, HUE_DECIMALS, Cue, Show, as_valid, check_values

FORMAT = "footlight-show 1"
MOST_BYTES = 256 << 20  # of a file
MOST_FRAMES = 500_000  # nearly nine hours at the usual rate
_FIELDS = ("fps", "frames", "look", "beats", "sections", "cues", "channels")


def encoded(show: Show, **metadata: str) -> bytes:
    """The bytes of a show's file, with ``metadata`` as additional strings. The same show gives the same bytes."""
    document = {
        "format": FORMAT,
        **metadata,
        "fps": show.fps,
        "frames": show.frames,
        "look": show.look,
        "beats": [round(time, DECIMALS) for time in show.beats],
        "sections": [round(time, DECIMALS) for time in show.sections],
        "cues": [records.to_json(cue) for cue in show.cues],
        "channels": {name: _column(show, name) for name, _, _ in PARTS},
    }
    return (json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _column(show: Show, name: str) -> Any:
    values = show.values[:, SLICES[name]].astype(np.float64)
    values = hue_degrees(values).round(HUE_DECIMALS) % 360 if name in HUES else values.round(DECIMALS) + 0.0
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    return values[0].tolist() if (values == values[0]).all() else values.tolist()


def read(path: Path | str) -> Show:
    """Read a show. Raises FootlightError for a file that is damaged or not a show."""
    return decoded(records.read_values(path, MOST_BYTES, "show"), str(path))


def decoded(document: Any, name: str = "show") -> Show:
    """The show of a JSON document.

    document: JSON values.
    name: of the file, for messages.

    Raises FootlightError, which names the field, for anything else.
    """
    form = document.get("format") if isinstance(document, dict) else None
    if form != FORMAT:
        raise FootlightError(f"{name}: is not a show of this version (format {form!r}; expected {FORMAT!r})")
    try:
        if missing := [field for field in _FIELDS if field not in document]:
            raise FootlightError(f"the field {missing[0]!r} is missing")
        if not isinstance(document["look"], str) or not isinstance(document["cues"], list):
            raise FootlightError("look must be a string and cues a list")
        return Show(
            _frames(document["channels"], document["frames"]),
            _number(document["fps"], "fps"),
            document["look"],
            _times(document["beats"], "beats"),
            _times(document["sections"], "sections"),
            tuple(records.from_json(Cue, cue, f"cues[{i}]") for i, cue in enumerate(document["cues"])),
        )
    except FootlightError as error:
        raise FootlightError(f"{name}: {error}") from None


def _frames(channels: Any, frames: Any) -> np.ndarray:
    """The values (t, c) of named channels."""
    if not isinstance(frames, int) or isinstance(frames, bool) or not 0 < frames <= MOST_FRAMES:
        raise FootlightError(f"frames is {frames!r}; expected a whole number from 1 to {MOST_FRAMES}")
    if not isinstance(channels, dict):
        raise FootlightError(f"channels: expected an object, got {channels!r}")
    if missing := [part for part, _, _ in PARTS if part not in channels]:
        raise FootlightError(f"the channel {missing[0]!r} is missing")
    if unknown := sorted(set(channels) - set(SLICES)):
        raise FootlightError(f"the channel {unknown[0]!r} is unknown; it is from another version or another program")
    values = np.concatenate([_values(channels[part], part, width, frames) for part, width, _ in PARTS], axis=1)
    check_values(values)
    return as_valid(values)


def _values(column: Any, part: str, width: int, frames: int) -> np.ndarray:
    """The channels (t, width) of a part."""
    single = width == 1 or part in HUES
    shape = () if single else (width,)
    try:
        values = np.array(column, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.zeros(0)
    if part in MIXTURES or single:
        values = np.broadcast_to(values, (frames, *shape)) if values.shape == shape else values
    if values.shape != (frames, *shape) or not np.isfinite(values).all():
        each = "a number" if single else f"a list of {width} numbers"
        raise FootlightError(f"channel {part!r} needs {each} for each of {frames} frames, or one for all")
    if part in HUES:
        return hue_vector(values)
    return values[:, None] if single else values


def _number(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FootlightError(f"{field}: expected a number, got {value!r}")
    return float(value)


def _times(values: Any, field: str) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise FootlightError(f"{field}: expected a list of seconds, got {values!r}")
    return tuple(_number(value, f"{field}[{i}]") for i, value in enumerate(values))
