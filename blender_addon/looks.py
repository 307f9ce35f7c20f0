"""The looks of stage light that the engine knows, in words. Their files lie in ``core/light/looks``."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from pathlib import Path

from . import environment
from .errors import UserError
from .shared import protocol

FOLDER = environment.ROOT / "core" / "light" / "looks"
FIRST = protocol.default(protocol.LightOptions, "look")
"""The name of the look that is taken unless another one is chosen."""


@dataclass(frozen=True)
class Look:
    """A look.

    name: as the engine is told it.
    title, about: for people; neither ends with a full stop.
    """

    name: str
    title: str
    about: str


@functools.cache
def shipped() -> tuple[Look, ...]:
    """All looks, the one that is taken first before the others, which are in the order of their names."""
    found = [_read(path) for path in FOLDER.glob("*.json")]
    return tuple(sorted(found, key=lambda look: (look.name != FIRST, look.name)))


def title(asked: str) -> str:
    """What a look is called.

    asked: its name, or the path of a picture or of a file with a look.
    """
    return next((look.title for look in shipped() if look.name == asked), Path(asked).stem)


def is_found(asked: str) -> bool:
    """Whether a look is one that the engine knows, or a file that is there."""
    return any(look.name == asked for look in shipped()) or os.path.isfile(asked)


def found(asked: str) -> str:
    """A look, as the engine is told it. Raises UserError where it is a file that is not there."""
    if is_found(asked):
        return asked
    raise UserError(f"There is no file {asked}. Choose another picture under Look.")


def _read(path: Path) -> Look:
    told = json.loads(path.read_text("utf-8"))
    return Look(told["name"], told["title"], told["about"].rstrip("."))
