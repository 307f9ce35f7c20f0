"""From a song to a new action on an armature and the lit stage around it, which the same model makes together."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import bpy

from .. import looks
from ..scene import strips
from ..scene.wording import joined
from ..shared import protocol, show_file
from . import card, dance
from .light import MODEL, put_up
from .target import Target, Written


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
    song: strips.Song,
    folder: str | Path,
    *,
    look: str | None = None,
    accent: str | None = None,
    motion: str | Path | None = None,
    light: str | Path | None = None,
    out_light: str | Path | None = None,
    **options: Any,
) -> tuple[Target, protocol.TheatreRequest]:
    """What a dance with light is for, and what is asked of the engine.

    look: a name or a file as of ``core.protocol``; any unless given.
    accent: "strike" or "arrive"; the model's own unless given.
    motion: the .npz of a dance, if only light is made.
    light: a SHOW.json, if only the dance is made.
    out_light: where the SHOW.json of light that is made is written; in the folder unless given.
    options: as of ``dance.request``. ``others`` are on the stage besides.

    Raises UserError and FootlightError as ``dance.request``, and FootlightError when nothing is left to make.
    """
    target, danced = dance.request(scene, armature, song, folder, operation=card.THEATRE, **options)
    shared = {field.name for field in fields(protocol.TheatreRequest)} & {field.name for field in fields(danced)}
    if light is None:
        out_light = out_light or Path(folder) / "SHOW.json"
    asked = protocol.TheatreRequest(
        **{name: getattr(danced, name) for name in shared - {"out"}},
        out=None if motion else danced.out,
        out_light=out_light and str(out_light),
        look=look,
        accent=accent,
        motion=motion and str(motion),
        light=light and str(light),
    )
    return replace(target, asked=target.asked | {"look_asked": look or ""}), asked


def again(action: bpy.types.Action, song: strips.Song) -> tuple[strips.Song, dict]:
    """How to ask for a dance and its light again: as ``dance.again``, with the arguments look and accent of
    ``request``. Raises UserError as it does, and when the picture that the stage was lit like is gone."""
    song, options = dance.again(action, song, lit=True)
    kept = card.kept_by(action)
    look = looks.found(kept["look_asked"]) if kept.get("look_asked") else None
    return song, {**options, "look": look, "accent": kept.get("accent")}


def write(target: Target, done: protocol.TheatreDone) -> Written:
    """Give the armature the dance, as ``dance.write`` does, and build the stage around it that the light is for, in
    place of one that was there. The action keeps look and accent.
    Raises UserError when what it was made for is gone; then nothing is changed."""
    scene, armature, _ = target.find("dance")
    show = show_file.read(done.out_light) if done.out_light else None
    written = dance.write(target, done)
    action = written.action
    assert action is not None
    card.keep(action, {"look": done.look, "accent": done.accent})
    if show is None:
        return written
    dancer, last = written.dancer or armature, int(action.frame_range[1])
    said = put_up(target, scene, dancer, last, show, _told(target.asked, card.kept_by(action)))
    return replace(written, message=joined(written.message, said))


def _told(asked: dict, danced: dict) -> dict:
    """What a lit stage keeps. asked: of its target; danced: what its dance keeps."""
    told = {name: danced[name] for name in ("look", "song", "audio_sha256") if name in danced}
    told |= {name: asked[name] for name in ("operation", "look_asked", "seed", "beats") if name in asked}
    return told | {"by": MODEL, "dance_made": danced["made"]}
