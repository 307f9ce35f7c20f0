"""From a song to a new action on an armature and the stage light that the same model makes with it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import bpy

from ..scene import strips
from ..shared import protocol
from . import card, dance
from .target import Target, Written


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
    song: strips.Song,
    folder: str | Path,
    *,
    out_light: str | Path | None,
    look: str | None = None,
    accent: str | None = None,
    motion: str | Path | None = None,
    light: str | Path | None = None,
    **options: Any,
) -> tuple[Target, protocol.TheatreRequest]:
    """What a dance with light is for, and what is asked of the engine.

    out_light: where SHOW.json is written, if light is made.
    look: a name or a file as of ``core.protocol``; any unless given.
    accent: "strike" or "arrive"; the model's own unless given.
    motion: the .npz of a dance, if only light is made.
    light: a SHOW.json, if only the dance is made.
    options: as of ``dance.request``.

    Raises UserError and FootlightError as ``dance.request``, and FootlightError when nothing is left to make.
    """
    target, danced = dance.request(scene, armature, song, folder, **options)
    shared = {field.name for field in fields(protocol.TheatreRequest)} & {field.name for field in fields(danced)}
    asked = protocol.TheatreRequest(
        **{name: getattr(danced, name) for name in shared - {"out"}},
        out=None if motion else danced.out,
        out_light=out_light and str(out_light),
        look=look,
        accent=accent,
        motion=motion and str(motion),
        light=light and str(light),
    )
    return target, asked


def write(target: Target, done: protocol.TheatreDone) -> Written:
    """Give the armature the dance, as ``dance.write`` does. Its action keeps look and accent."""
    written = dance.write(target, done)
    assert written.action is not None
    card.keep(written.action, {"look": done.look, "accent": done.accent})
    return written
