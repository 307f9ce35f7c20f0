"""From a song, and a dance to it, to a lit stage around whoever dances."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from .. import environment, looks, model, names, styles
from ..engine.job import Preparation
from ..errors import UserError
from ..scene import reading, rigs, strips, takes
from ..scene.wording import joined
from ..shared import beat_grid, file_digest, protocol, ranges
from ..stage import changes, film, lights, scenery, setting, surroundings
from . import beats, card, dance, kept_light
from .target import Target, Written, by_uid

LOOK = names.PREFIX + "look"
"""The custom property of a lit stage's collection that names its look."""

NO_DANCE = "The model lights dances, and there is none. Generate a dance first, or let rules light the song."

ARRIVES = "arrive"
"""The accent of dances that were made alone."""

NO_LOOK = "Rules light by a look. Choose one under Look, or let the model light the dance."

DANCE = names.PREFIX + "dance_made"
"""The custom property that says when the dance was made that the light follows."""


BUILT, FIRST, CHANGED = (names.PREFIX + name for name in kept_light.STANDS)

RULES = "rules"
MODEL = "model"
"""Who writes the light: the rules of a look, or the model that makes dances with light."""


ANEW = (kept_light.EDITED, "look", "cues", "warning")
"""What light that is made anew in part tells of itself anew; all else stays as it was told."""

NOT_EDITED = "The take that is shown was not edited since it was lit"


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
    song: strips.Song,
    folder: str | Path,
    *,
    others: Iterable[bpy.types.Object] = (),
    look: str | None = looks.FIRST,
    by: str = RULES,
    seed: int = 0,
    sequencer: bpy.types.Scene | None = None,
    grid: beat_grid.Grid | None = None,
    lit: kept_light.Light | None = None,
) -> tuple[Target, Preparation]:
    """What the light is for, and the reading of the dance, which ends with what is asked of the engine.

    armature: whose dance the light follows, if it is a body and moves; None lights the song alone.
    others: who is on the stage besides.
    look: as of ``core.protocol.LightOptions``; None is any, which only the model can do.
    by: RULES, or MODEL, which needs a dance.
    folder, sequencer, grid: as of ``dance.request``.
    lit: light that is there, of which only what was edited since is made anew; ``request_edited`` asks so.

    Raises UserError when the armature cannot be read as it is now, the model has no dance to light, or the two scenes
    have different frame rates, and FootlightError when the seed is out of its bounds.
    """
    protocol.check(protocol.LightOptions, seed=seed)
    if look is None and by == RULES:
        raise UserError(NO_LOOK)
    frames = song.frames
    if armature is not None and rigs.fits(armature):
        rigs.check_readable(armature)
        frames = frames or reading.animated_range(armature)[1] + 1 - song.frame_start
    elif by == MODEL:
        raise UserError(NO_DANCE)
    grid = grid or dance.corrected(sequencer or scene, song)
    counted = {} if grid is None else {"beats": beats.text(grid)}
    known = {"operation": card.LIGHT, "by": by, "look_asked": look or "", "seed": card.stored(seed), "song": song.name}
    known |= {"song_start": song.start}
    target = Target.of(
        scene,
        armature,
        sequencer,
        song.frame_start,
        frames,
        about=looks.title(look or ""),
        seed=seed,
        asked=known | {"dance_made": _made(armature), "audio_sha256": file_digest(song.path)} | counted,
        song=song,
        others=tuple(ob.session_uid for ob in others),
    )
    told = danced_as(takes.shown(armature)) if by == MODEL and armature is not None else {}
    if lit is not None:
        kept = {name: value for name, value in lit.told.items() if name not in ANEW}
        target = replace(target, asked=kept | {"dance_made": target.asked["dance_made"]}, lit=lit)
        given = Path(folder) / "GIVEN.json"
        given.write_bytes(lit.file)
        told |= {"light": str(given), "range": lit.edited}
    return target, Preparation("Reading the animation", _read(target, Path(folder), look, by, told))


def request_edited(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    song: strips.Song,
    folder: str | Path,
    **more: Any,
) -> tuple[Target, Preparation]:
    """As ``request``, for light only where the dance that is shown was edited since it was lit: by the same rules or
    model, in the same look and with the same seed. The rest stays.

    more: the other arguments of ``request``: others, sequencer and grid.

    Raises UserError as it does, and when the dance has no light or was not edited since, or is lit to another song.
    """
    lit = kept_light.of_dance(takes.shown(armature))
    if lit is None or not lit.edited:
        raise UserError(f"{NOT_EDITED}.")
    check_song(lit, song)
    look, by = str(lit.told.get("look_asked", "")), lit_by(takes.shown(armature))
    asked = None if by == MODEL and not looks.is_found(look) else looks.found(look)
    seed = int(lit.told["seed"])
    return request(scene, armature, song, folder, look=asked, by=by, seed=seed, lit=lit, **more)


def lit_by(action: bpy.types.Action | None) -> str:
    """Who wrote the light that a dance keeps, RULES or MODEL; RULES where there is none."""
    lit = kept_light.unread(action)
    return RULES if lit is None else str(lit.told.get("by", RULES))


def check_song(lit: kept_light.Light, song: strips.Song) -> None:
    """Raises UserError where light was written for another song or another part of it."""
    if lit.told.get("audio_sha256") != file_digest(song.path):
        raise UserError(f"The stage is lit to another song, {lit.told.get('song', '')!r}. Light it to this one first.")
    if lit.told.get("song_start", song.start) != song.start:
        raise UserError("The stage is lit to another part of this song. Light it again first.")


def danced_as(action: bpy.types.Action | None) -> dict[str, Any]:
    """What the model is told of a dance that it lights: style and accent, as far as the action says them and the model
    knows the style."""
    if action is None or takes.MADE not in action:
        return {}
    style = str(action.get(names.PREFIX + "style", ""))
    accent = str(action.get(names.PREFIX + "accent", ARRIVES))
    known = model.facts(environment.model_folder()).styles
    if not style or not {*styles.names(style)} <= {*known}:
        return {"accent": accent}
    return {"accent": accent, "style": style}


def write(target: Target, done: protocol.LightDone | protocol.TheatreDone) -> Written:
    """Build the stage that the engine's show lights, in place of one that was there.
    Raises UserError when what it was made for is gone; then nothing is changed."""
    song = target.song
    assert song is not None
    scene, armature, _ = target.find("light")
    target = target.with_song()
    out = done.out_light if isinstance(done, protocol.TheatreDone) else done.out
    assert out is not None
    lit = kept_light.of_file(out, **target.asked, look=done.look)
    warning = joined(*done.warnings, song.warning)
    if warning:
        lit = lit.with_told(warning=warning)
    if "frames" not in lit.told:
        lit = lit.with_told(frames=song.frames or round(lit.show.seconds * target.fps))
    others = [by_uid(scene.objects, uid) for uid in target.others]
    parts: list[tuple[int, int]] = []
    if target.lit is not None:  # what was changed by hand elsewhere stays too
        keep_changes(scene)
        kept = kept_light.unread(_dance_of(armature, lit))
        lit = replace(lit, changes=b"" if kept is None else kept.changes)
        parts = [span.frames(target.fps) for span in ranges.parse_all(target.lit.edited, None, target.fps)]
    said = put_up(scene, [armature, *others], target.first, lit, _dance_of(armature, lit), parts)
    if "beats" not in target.asked:
        beats.remember(target, done)
    return Written(said, warning=warning)


def put_up(
    scene: bpy.types.Scene,
    bodies: Iterable[bpy.types.Object | None],
    first: int,
    lit: kept_light.Light,
    action: bpy.types.Action | None,
    anew: Sequence[tuple[int, int]] = (),
) -> str:
    """Build the stage that some light is for, in place of one that was there. Returns a line about it.

    anew: frames [start, end) of the dance in which changes by hand are not kept.

    Other arguments as of ``prepared``, which also says what is raised; then nothing is changed.
    """
    there = _there(bodies)
    keep_changes(scene)
    made = prepared(scene, there, first, lit, action)
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        camera = lights.build(scene, there, made)
    changed = surroundings.set_on(scene, camera)
    stage = scenery.standing(scene)[0]
    kept_light.keep_with_stage(stage, lit)
    changes.remember(scene, stage)
    stage[FIRST] = first
    if lit.changes:
        changes.put_back(scene, stage, lit.changes, first, anew)
        stage[CHANGED] = True
    return f"{title(stage)}: {', '.join(changed)}."


def keep_changes(scene: bpy.types.Scene) -> None:
    """Let the take that a scene's stage was lit for keep what was changed of the stage by hand since."""
    stage = of(scene)
    if stage is None or not stage.get(DANCE) or BUILT not in stage:
        return
    shown = stage.get(names.PREFIX + kept_light.FILE)
    for action in bpy.data.actions:
        if action.get(takes.MADE) == stage[DANCE] and (lit := kept_light.unread(action)) is not None:
            changed = changes.of(scene, stage, stage[FIRST])
            if lit.packed == shown and lit.changes != changed:
                kept_light.keep_with_dance(action, replace(lit, changes=changed))
            return


def prepared(
    scene: bpy.types.Scene,
    bodies: Iterable[bpy.types.Object | None],
    first: int,
    lit: kept_light.Light,
    action: bpy.types.Action | None,
) -> setting.Setting:
    """What the stage is built from that some light is for: as it was prepared before, if everybody still dances as
    they did, or made anew.

    bodies: who is on it. None is nobody.
    first: its first frame.
    lit: the light, which tells how many frames there are.
    action: the dance that is lit. It keeps the light, and what is made anew.

    Raises FootlightError where the light cannot be read.
    """
    there, frames = _there(bodies), (first, first + int(lit.told["frames"]) - 1)
    aspect = film.aspect(scene)
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        told = setting.signature(scene, there, frames, aspect, lit.packed.encode())
        found = setting.unpacked(lit.setting, told) if lit.setting else None
        if found is None:
            found = lights.setting_for(scene, there, frames, lit.show, aspect)
            if action is not None:
                kept_light.keep_with_dance(action, replace(lit, setting=setting.packed(found, told)))
    return found


def _there(bodies: Iterable[bpy.types.Object | None]) -> list[bpy.types.Object]:
    return list(dict.fromkeys(ob for ob in bodies if ob is not None))


def _dance_of(armature: bpy.types.Object | None, lit: kept_light.Light) -> bpy.types.Action | None:
    """The take of an armature that some light is for."""
    made = lit.told["dance_made"]
    found = takes.of(armature) if armature is not None and made else ()
    return next((action for action in found if action.get(takes.MADE) == made), None)


def of(scene: bpy.types.Scene) -> bpy.types.Collection | None:
    """The collection of a scene's lit stage; None where there is none."""
    return next((one for one in scenery.standing(scene) if LOOK in one), None)


def title(stage: bpy.types.Collection) -> str:
    """What a lit stage is called, by its look and its seed."""
    look = looks.title(stage[names.PREFIX + "look_asked"]) or "Any look"
    return f"{look} - seed {stage[names.PREFIX + 'seed']}"


def is_for(stage: bpy.types.Collection, armature: bpy.types.Object | None) -> bool:
    """Whether a stage was lit for the dance that an armature shows; of what Footlight did not make that is unknown."""
    made = _made(armature)
    return not made or made == stage.get(DANCE)


def remove(scene: bpy.types.Scene) -> bool:
    """Take the stage out of a scene, which has its own camera and world again. Returns whether there was one."""
    keep_changes(scene)
    return surroundings.without_stage(scene)


def _read(
    target: Target, folder: Path, look: str | None, by: str, told: dict[str, Any]
) -> Generator[float, None, protocol.LightRequest | protocol.TheatreRequest]:
    song, motion = target.song, folder / "motion.npz"
    assert song is not None
    armature = target.find("light")[1]
    moves = armature is not None and rigs.fits(armature)
    if moves:
        try:
            yield from target.saving(motion, "light")
        except reading.StandsStill:
            moves = False
    if by == MODEL and not moves:
        raise UserError(NO_DANCE)
    asked: dict[str, Any] = {
        "song": song.path,
        "start": song.start,
        "seconds": song.seconds,
        "seed": target.seed,
        "look": look,
        "beats": target.beats_file(folder),
        "motion": str(motion) if moves else None,
    }
    out = str(folder / "SHOW.json")
    if by == MODEL:
        return protocol.TheatreRequest(**asked, **told, out_light=out)
    return protocol.LightRequest(**asked, **told, out=out)


def _made(armature: bpy.types.Object | None) -> float:
    """When the dance was made that an armature shows; 0 where there is none."""
    action = takes.shown(armature) if armature else None
    return float(action.get(takes.MADE, 0.0)) if action else 0.0
