"""The light of a stage as it was written, kept with the stage and with the dance that it is for.

So the stage is lit again as it was, and another dance is made to the same light, without asking for the light anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..names import PREFIX
from ..shared import FootlightError, Show, show_file

FILE = "show"
"""What keeps a SHOW.json, packed into text."""

LIGHT = PREFIX + "light"
"""The custom property of a dance's action that holds its light: a group of what its stage keeps."""


@dataclass(frozen=True)
class Light:
    """Light for a stage.

    file: a SHOW.json.
    told: what the stage keeps of how it was made, by names without the prefix.
    """

    file: bytes
    told: dict[str, Any]

    @property
    def show(self) -> Show:
        """Raises FootlightError where it is none."""
        return show_file.decoded(json.loads(self.file))

    @property
    def digest(self) -> str:
        """What tells it from other light, SHA-256."""
        return hashlib.sha256(self.file).hexdigest()

    def with_told(self, **told: Any) -> Light:
        return Light(self.file, self.told | told)


def of_file(path: str | Path, **told: Any) -> Light:
    """The light of a SHOW.json.

    told: as of ``Light``.

    Raises FootlightError for another file.
    """
    show_file.read(path)
    return Light(Path(path).read_bytes(), told)


def of_stage(stage: bpy.types.Collection | None) -> Light | None:
    """The light of a lit stage; None where there is none, or only its lamps are known."""
    if stage is None:
        return None
    return _read({key.removeprefix(PREFIX): value for key, value in stage.items() if key.startswith(PREFIX)})


def of_dance(action: bpy.types.Action | None) -> Light | None:
    """The light that a dance was lit with last; None where there is none."""
    group = None if action is None else action.get(LIGHT)
    return None if group is None else _read(group.to_dict())


def has_light(action: bpy.types.Action | None) -> bool:
    """Whether a dance keeps its light, without reading it: buttons ask this whenever they are drawn."""
    return action is not None and LIGHT in action


def keep_with_stage(stage: bpy.types.Collection, light: Light) -> None:
    """Let a lit stage keep its light."""
    for name, value in _stored(light).items():
        stage[PREFIX + name] = value


def keep_with_dance(action: bpy.types.Action, light: Light) -> None:
    """Let a dance keep its light, in place of what it kept. One that is linked from another file keeps none."""
    if action.is_editable:
        action[LIGHT] = _stored(light)


def _stored(light: Light) -> dict[str, Any]:
    return light.told | {FILE: base64.b85encode(zlib.compress(light.file)).decode()}


def _read(values: dict[str, Any]) -> Light | None:
    """Light from what keeps it. Whoever changed the text has none any more."""
    try:
        file = zlib.decompress(base64.b85decode(values.pop(FILE)))
        show_file.decoded(json.loads(file))
    except (KeyError, ValueError, TypeError, binascii.Error, zlib.error, FootlightError):
        return None
    return Light(file, values)
