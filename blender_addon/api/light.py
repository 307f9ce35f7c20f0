"""From a song, and a dance to it, to a lit stage around whoever dances."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import bpy

from .. import looks, names
from ..engine.job import Preparation
from ..errors import UserError
from ..scene import reading, rigs, strips, takes
from ..scene.wording import joined
from ..shared import Show, beat_grid, file_digest, protocol, show_file
from ..stage import film, lights, scenery, surroundings
from . import beats, card, dance
from .target import Target, Written, by_uid

LOOK = names.PREFIX + "look"
"""The custom property of a lit stage's collection that names its look."""

NO_DANCE = "The model lights dances, and there is none. Generate a dance first, or let rules light the song."

DANCE = names.PREFIX + "dance_made"
"""The custom property that says when the dance was made that the light follows."""


RULES = "rules"
MODEL = "model"
"""Who writes the light: the rules of a look, or the model that makes dances with light."""


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
    song: strips.Song,
    folder: str | Path,
    *,
    others: Iterable[bpy.types.Object] = (),
    look: str = looks.FIRST,
    by: str = RULES,
    seed: int = 0,
    sequencer: bpy.types.Scene | None = None,
    grid: beat_grid.Grid | None = None,
) -> tuple[Target, Preparation]:
    """What the light is for, and the reading of the dance, which ends with what is asked of the engine.

    armature: whose dance the light follows, if it is a body and moves; None lights the song alone.
    others: who is on the stage besides.
    look: as of ``core.protocol.LightOptions``.
    by: RULES, or MODEL, which needs a dance.
    folder, sequencer, grid: as of ``dance.request``.

    Raises UserError when the armature cannot be read as it is now, the model has no dance to light, or the two scenes
    have different frame rates, and FootlightError when the seed is out of its bounds.
    """
    protocol.check(protocol.LightOptions, seed=seed)
    frames = song.frames
    if armature is not None and rigs.fits(armature):
        rigs.check_readable(armature)
        frames = frames or reading.animated_range(armature)[1] + 1 - song.frame_start
    elif by == MODEL:
        raise UserError(NO_DANCE)
    grid = grid or dance.corrected(sequencer or scene, song)
    counted = {} if grid is None else {"beats": beats.text(grid)}
    known = {"operation": card.LIGHT, "by": by, "look_asked": look, "seed": card.stored(seed), "song": song.name}
    target = Target.of(
        scene,
        armature,
        sequencer,
        song.frame_start,
        frames,
        about=looks.title(look),
        seed=seed,
        asked=known | {"dance_made": _made(armature), "audio_sha256": file_digest(song.path)} | counted,
        song=song,
        others=tuple(ob.session_uid for ob in others),
    )
    return target, Preparation("Reading the animation", _read(target, Path(folder), look, by))


def write(target: Target, done: protocol.LightDone | protocol.TheatreDone) -> Written:
    """Build the stage that the engine's show lights, in place of one that was there.
    Raises UserError when what it was made for is gone; then nothing is changed."""
    song = target.song
    assert song is not None
    scene, armature, _ = target.find("light")
    out = done.out_light if isinstance(done, protocol.TheatreDone) else done.out
    assert out is not None
    show = show_file.read(out)
    frames = song.frames or round(show.seconds * target.fps)
    warning = joined(*done.warnings, song.warning)
    kept = target.asked | {"look": done.look, **({"warning": warning} if warning else {})}
    said = put_up(target, scene, armature, target.first + frames - 1, show, kept)
    if "beats" not in target.asked:
        beats.remember(target, done)
    return Written(said, warning=warning)


def put_up(
    target: Target, scene: bpy.types.Scene, dancer: bpy.types.Object | None, last: int, show: Show, kept: dict
) -> str:
    """Build the stage that a show lights, from the target's first frame on, in place of one that was there. Returns a
    line about it.

    dancer: around whom it is built, with the target's others.
    last: its last frame.
    kept: what its collection keeps, by names without the prefix.
    """
    others = (by_uid(scene.objects, uid) for uid in target.others)
    bodies = list(dict.fromkeys(ob for ob in (dancer, *others) if ob is not None))
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        camera = lights.set_lit_stage(scene, bodies, (target.first, last), show, film.aspect(scene))
    changed = surroundings.set_on(scene, camera)
    stage = scenery.standing(scene)[0]
    card.keep(stage, kept | {"cues": len(show.cues)})
    return f"{title(stage)}: {', '.join(changed)}."


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
    found = scenery.strike(scene)
    if found:
        surroundings.give_back(scene)
    return found


def _read(
    target: Target, folder: Path, look: str, by: str
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
    return protocol.TheatreRequest(**asked, out_light=out) if by == MODEL else protocol.LightRequest(**asked, out=out)


def _made(armature: bpy.types.Object | None) -> float:
    """When the dance was made that an armature shows; 0 where there is none."""
    action = takes.shown(armature) if armature else None
    return float(action.get(takes.MADE, 0.0)) if action else 0.0
