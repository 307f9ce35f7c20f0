"""From a song to a new action on an armature and the lit stage around it, which the same model makes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .. import looks
from ..errors import UserError
from ..scene import strips
from ..scene.wording import joined
from ..shared import FootlightError, protocol
from ..stage import scenery
from . import card, dance, kept_light, light, preview, takes
from .light import MODEL
from .target import Shown, Target, Written, by_uid

NO_LIGHT = "There is no lit stage. Press Light Stage first, or choose New under Light."


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
    lit: kept_light.Light | None = None,
    out_light: str | Path | None = None,
    **options: Any,
) -> tuple[Target, protocol.TheatreRequest]:
    """What a dance with light is for, and what is asked of the engine.

    look: a name or a file as of ``core.protocol``; any unless given.
    accent: "strike" or "arrive"; the model's own unless given.
    motion: the .npz of a dance, if only light is made.
    light: a SHOW.json, if only the dance is made.
    lit: light of a stage in its place.
    out_light: where the SHOW.json of light that is made is written; in the folder unless given.
    options: as of ``dance.request``. ``others`` are on the stage besides.

    Raises UserError and FootlightError as ``dance.request``, and FootlightError when nothing is left to make.
    """
    target, danced = dance.request(scene, armature, song, folder, operation=card.THEATRE, **options)
    shared = {field.name for field in fields(protocol.TheatreRequest)} & {field.name for field in fields(danced)}
    known = {"look_asked": look or ""}
    if lit is not None:
        light = Path(folder) / "LIGHT.json"
        light.write_bytes(lit.file)
        known |= {"look_asked": lit.told["look_asked"], "light_sha256": lit.digest}
    first = None
    if light is None:
        out_light = out_light or Path(folder) / "SHOW.json"
        first = danced.preview and str(Path(folder) / "FIRST.json")
    asked = protocol.TheatreRequest(
        **{name: getattr(danced, name) for name in shared - {"out"}},
        out=None if motion else danced.out,
        out_light=out_light and str(out_light),
        look=look,
        accent=accent,
        motion=motion and str(motion),
        light=light and str(light),
        preview_light=first,
    )
    return replace(target, asked=target.asked | known, lit=lit), asked


def again(action: bpy.types.Action, song: strips.Song) -> tuple[strips.Song, dict]:
    """How to ask for a dance and its light again: as ``dance.again``, with the arguments look, accent and, of a dance
    to light that was there, lit of ``request``. Raises UserError as it does, and when the picture that the stage was
    lit like is gone."""
    song, options = dance.again(action, song, lit=True)
    kept = card.kept_by(action)
    options["accent"] = kept.get("accent")
    if "light_sha256" not in kept:
        return song, {**options, "look": looks.found(kept["look_asked"]) if kept.get("look_asked") else None}
    lit = kept_light.of_dance(action)
    if lit is None:
        raise UserError(f"The light that {action.name!r} was made for is gone. Press Light Stage, and make another.")
    if lit.digest != kept["light_sha256"]:
        said = f"{action.name!r} was lit anew since it was made: this dance is another one."
        song = replace(song, warning=joined(song.warning, said))
    return song, {**options, "lit": lit, "look": look_of(lit)}


def light_there(scene: bpy.types.Scene, song: strips.Song) -> kept_light.Light:
    """The light of a scene's stage, for a dance to the song that it was written for.
    Raises UserError where there is none, or it was written for another song or another part of it."""
    lit = kept_light.of_stage(light.of(scene))
    if lit is None:
        raise UserError(NO_LIGHT)
    light.check_song(lit, song)
    return lit


def look_of(lit: kept_light.Light) -> str | None:
    """The look of some light, for a dance to it; None where there is none, or the picture of it is gone."""
    try:
        return looks.found(lit.told["look_asked"]) if lit.told.get("look_asked") else None
    except UserError:
        return None


def show(target: Target, first: protocol.DancePreview) -> Shown:
    """Put the first seconds of a dance on the armature, as ``preview.show`` does, and build the stage that their light
    is for where none stands. Raises UserError when it cannot be done; then nothing is changed."""
    shown = preview.show(target, first)
    scene = target.find("dance")[0]
    action = by_uid(bpy.data.actions, shown.action)
    if first.out_light is None or action is None or scenery.standing(scene):
        return shown
    bodies = [by_uid(scene.objects, shown.armature), *(by_uid(scene.objects, uid) for uid in target.others)]
    told = _told(target, card.kept_by(action)) | {"frames": first.frames}
    try:
        lit = kept_light.of_file(first.out_light, **told)
        light.put_up(scene, bodies, target.first, lit.with_told(look=lit.show.look), None)
    except FootlightError:  # the whole will say why
        return shown
    return replace(shown, stage=scenery.standing(scene)[0].session_uid)


def write(target: Target, done: protocol.TheatreDone) -> Written:
    """Give the armature the dance, as ``write_take`` does, and build the stage around it that the light is for, in
    place of one that was there. Raises UserError when what it was made for is gone; then nothing is changed."""
    return _lit(target, write_take(target, done))


def write_takes(targets: Sequence[Target], answers: Sequence[protocol.TheatreDone]) -> Written:
    """Give the armature several dances, as ``takes.write`` does, and light the stage for the one that is shown.
    Raises UserError as it does."""
    return _lit(targets[0], takes.write(targets, answers, write_take))


def write_take(target: Target, done: protocol.TheatreDone) -> Written:
    """Give the armature the dance, as ``dance.write`` does. The action keeps look and accent, and the light for
    ``takes.light_shown``. Raises UserError when what it was made for is gone; then nothing is changed."""
    scene, armature, _ = target.find("dance")
    lit = kept_light.of_file(done.out_light) if done.out_light else None
    written = dance.write(target, done)
    action = written.action
    assert action is not None
    card.keep(action, {"look": done.look, "accent": done.accent})
    if lit is not None:
        told = _told(target, card.kept_by(action)) | {"frames": round(np.ptp(action.frame_range)) + 1}
        bodies = [written.dancer or armature, *(by_uid(scene.objects, uid) for uid in target.others)]
        light.prepared(scene, bodies, round(action.frame_range[0]), lit.with_told(**told), action)
    return written


def _lit(target: Target, written: Written) -> Written:
    """What was put into the scene, with the stage lit for the dance that is shown."""
    assert written.action is not None
    if not kept_light.has_light(written.action):
        return written
    scene, armature, _ = target.find("dance")
    dancer = written.dancer or armature
    assert dancer is not None
    others = [by_uid(scene.objects, uid) for uid in target.others]
    said = takes.light_shown(scene, dancer, [ob for ob in others if ob is not None])
    return replace(written, message=joined(written.message, said))


def _told(target: Target, danced: dict) -> dict:
    """What a lit stage keeps. danced: what its dance keeps."""
    made = danced.get("made", 0.0)
    if target.lit is not None:
        return target.lit.told | {"dance_made": made}
    told = ("look", "song", "song_start", "audio_sha256", "operation", "look_asked", "seed", "beats")
    return {name: danced[name] for name in told if name in danced} | {"by": MODEL, "dance_made": made}
