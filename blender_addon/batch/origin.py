"""What the results of a batch were made from. It is kept with them, for the next run with --skip-existing."""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path
from typing import Any

import bpy

from .. import environment, model
from ..names import PREFIX
from ..scene.wording import listed
from ..shared import file_digest, thinning
from .command import Item

ORIGIN = f"{PREFIX}origin"
"""The custom property of a scene's sound that holds it: of a .blend, sounds can be read without the rest."""

OPTIONS = (
    *("seconds", "fps", "quality", "steps", "guidance", "beat_snap", "style", "keys", "armature", "duet", "look"),
    *("theatre", "accent", "dataset", "resolution", "free_form", "moves"),
)
"""The options of the command line that decide how an item comes out. Those that name files count by their contents."""

UNKNOWN = "nothing says what it was made from"


def told(item: Item, args: argparse.Namespace) -> str:
    """What decides how an item comes out, as text: the contents of all files, the options and the model.
    Raises OSError for a file that cannot be read."""
    own = Path(args.look) if args.look else None
    read = {
        "scene" if args.score else "song": item.source,
        "scene of --blend": args.blend,
        "file for --look": own if own and own.is_file() else None,
        **{f"file for --{name}": getattr(args, name) for name in ("show", "beats", "dance")},
    }
    options = {name: getattr(args, name) for name in OPTIONS} | {"seed": item.seed}
    options |= {"engine": args.engine} if args.dataset else {}  # of a scene it decides its film alone
    made = {
        "files": {name: _digest(path) for name, path in read.items() if path},
        "options": {name: _plain(value) for name, value in options.items() if value is not None and value is not False},
        "model": model.facts(environment.model_folder()).digest,
    }
    return json.dumps(made, sort_keys=True)


def keep(sound: bpy.types.Sound, origin: str) -> None:
    """Let a scene that will be saved keep its origin, with its sound."""
    sound[ORIGIN] = origin


def of(path: Path) -> str:
    """The origin that a .blend keeps, or a data set's file for it; empty where there is none."""
    if path.suffix != ".blend":
        return path.read_text("utf-8") if path.is_file() else ""
    try:
        with bpy.data.libraries.load(str(path.absolute()), link=True) as (there, wanted):
            wanted.sounds = there.sounds
    except OSError:  # it is no .blend
        return ""
    found = [str(sound.get(ORIGIN, "")) for sound in wanted.sounds if sound is not None]
    for library in {sound.library for sound in wanted.sounds if sound is not None}:
        bpy.data.libraries.remove(library)
    return next(filter(None, found), "")


def otherwise(before: str, now: str) -> str:
    """How what a result was made from differs from what is wanted now, in words; empty where it does not.

    before, now: as of ``told``; before is empty where it is not known.
    """
    try:
        was, wanted = (json.loads(text) for text in (before, now))
        different = [
            *(f"another {name}" for name in _changed(was["files"], wanted["files"])),
            *(_option(name, was["options"].get(name)) for name in _changed(was["options"], wanted["options"])),
            *(["another model"] if was["model"] != wanted["model"] else []),
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return UNKNOWN
    return f"it was made with {listed(different)}" if different else ""


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _option(name: str, value: Any) -> str:
    flag = f"--{name.replace('_', '-')}"
    if value is None:
        return f"no {flag}"
    return flag if value is True else f"{flag} {value}"


def _plain(value: Any) -> Any:
    """A value as the command line has it. A file is its name: what is in it counts."""
    if isinstance(value, str) and Path(value).is_file():
        return Path(value).name
    if isinstance(value, thinning.Spacing):
        kept = value.tolerance
        return f"{kept.degrees:g}:{kept.millimetres:g}" if kept else value.every
    return "x".join(map(str, value)) if isinstance(value, tuple) else value


@functools.cache
def _digest(path: Path | str) -> str:
    return file_digest(path)
