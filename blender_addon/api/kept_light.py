"""The light of a stage as it was written, kept with the stage and with the dance that it is for.

So the stage is lit again as it was, and another dance is made to the same light, without asking for the light anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from ..names import PREFIX
from ..shared import FootlightError, Show, show_file
from ..stage import changes

FILE = "show"
"""What keeps a SHOW.json, packed into text."""

LIGHT = PREFIX + "light"
"""The custom property of a dance's action that holds its light: a group of what its stage keeps."""


EDITED = "edited"
"""What tells which frames of a dance were edited since it was lit: ``Light.edited``."""

CHANGES = "changes"
"""What keeps how the stage of a dance was changed by hand, see ``stage/changes.py``."""

STANDS = (changes.BUILT, "first", "changed")
"""What a stage keeps of how it stands, which is not its light's: how it was built, its first frame, and whether it was
built with changes that were made by hand."""

SETTING = "setting"
"""What keeps how the stage of a dance is built, see ``stage/setting.py``."""


@dataclass(frozen=True)
class Light:
    """Light for a stage.

    packed: a SHOW.json, as text that a property holds.
    told: what the stage keeps of how it was made, by names without the prefix.
    setting: what the stage is built from, see ``stage/setting.py``; empty where that is not known.
    changes: what of the stage was changed by hand, see ``stage/changes.py``; empty where that is nothing.
    """

    packed: str
    told: dict[str, Any]
    setting: bytes = b""
    changes: bytes = b""

    @property
    def file(self) -> bytes:
        """The SHOW.json. Raises FootlightError where it is none."""
        try:
            return zlib.decompress(base64.b85decode(self.packed))
        except (ValueError, zlib.error):
            raise FootlightError("the light that is kept here is damaged; light the stage again") from None

    @property
    def show(self) -> Show:
        """Raises FootlightError where it is none."""
        return show_file.decoded(_parsed(self.file))

    @property
    def edited(self) -> str:
        """The frames of the dance that were edited since, counted from its first one, as ``core.grid.ranges`` reads
        them; empty where there are none."""
        told = self.told.get(EDITED, "")
        return told if isinstance(told, str) else ""  # older files only tell that there are some

    def with_edited(self, first: int, end: int) -> Light:
        """The same light of a dance whose frames [first, end) were edited."""
        told = f"frames {first}:{end}"
        return self.with_told(edited=", ".join(dict.fromkeys([*filter(None, self.edited.split(", ")), told])))

    @property
    def digest(self) -> str:
        """What tells it from other light, SHA-256."""
        return hashlib.sha256(self.file).hexdigest()

    def with_told(self, **told: Any) -> Light:
        return replace(self, told=self.told | told)


def of_file(path: str | Path, **told: Any) -> Light:
    """The light of a SHOW.json.

    told: as of ``Light``.

    Raises FootlightError for another file.
    """
    show = show_file.read(path)
    packed = base64.b85encode(zlib.compress(Path(path).read_bytes())).decode()
    return Light(packed, {"cues": len(show.cues), **told})


def of_stage(stage: bpy.types.Collection | None) -> Light | None:
    """The light of a lit stage; None where there is none, or only its lamps are known."""
    if stage is None:
        return None
    return _readable(_of({key.removeprefix(PREFIX): value for key, value in stage.items() if key.startswith(PREFIX)}))


def of_dance(action: bpy.types.Action | None) -> Light | None:
    """The light that a dance was lit with last; None where there is none."""
    return _readable(unread(action))


def unread(action: bpy.types.Action | None) -> Light | None:
    """As ``of_dance``, but nobody has looked whether the light can be read, which takes a moment."""
    group = None if action is None else action.get(LIGHT)
    return None if group is None else _of(group.to_dict())


def has_light(action: bpy.types.Action | None) -> bool:
    """Whether a dance keeps its light, without reading it: buttons ask this whenever they are drawn."""
    return action is not None and LIGHT in action


def was_edited(action: bpy.types.Action | None) -> bool:
    """Whether it is known which part of a dance was edited since it was lit; as ``has_light``, without reading it."""
    return action is not None and LIGHT in action and isinstance(action[LIGHT].get(EDITED), str)


def keep_with_stage(stage: bpy.types.Collection, light: Light) -> None:
    """Let a lit stage keep its light."""
    for name, value in (light.told | {FILE: light.packed}).items():
        stage[PREFIX + name] = value


def keep_with_dance(action: bpy.types.Action, light: Light) -> None:
    """Let a dance keep its light, in place of what it kept. One that is linked from another file keeps none."""
    if action.is_editable:
        action[LIGHT] = light.told | {FILE: light.packed, SETTING: light.setting, CHANGES: light.changes}


def _of(values: dict[str, Any]) -> Light | None:
    """Light from what keeps it."""
    packed = values.pop(FILE, None)
    setting, changed = (values.pop(name, b"") for name in (SETTING, CHANGES))
    values = {name: value for name, value in values.items() if name not in STANDS}
    if not isinstance(packed, str):
        return None
    return Light(packed, values, *(kept if isinstance(kept, bytes) else b"" for kept in (setting, changed)))


def _readable(light: Light | None) -> Light | None:
    """Light that can be read. Whoever changed the text has none any more."""
    try:
        return light if light is not None and light.show else None
    except FootlightError:
        return None


def _parsed(file: bytes) -> Any:
    try:
        return json.loads(file)
    except ValueError:
        raise FootlightError("the light that is kept here is damaged; light the stage again") from None
