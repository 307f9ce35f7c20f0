"""From a song, and a dance to it, to a lit stage around whoever dances."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import looks, names
from ..engine.job import Preparation
from ..errors import UserError
from ..scene import reading, rigs, strips, takes
from ..scene.wording import joined
from ..shared import beat_grid, protocol, show_file
from ..stage import film, lights, scenery, surroundings
from . import beats, card, dance
from .target import Target, Written, by_uid

LOOK = names.PREFIX + "look"
"""The custom property of a lit stage's collection that names its look."""

DANCE = names.PREFIX + "dance_made"
"""The custom property that says when the dance was made that the light follows."""


@dataclass(frozen=True)
class LightTarget(Target):
    """What light is for. bodies: the session_uids of the armatures that the stage is built around."""

    bodies: tuple[int, ...] = ()


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
    song: strips.Song,
    folder: str | Path,
    *,
    others: Sequence[bpy.types.Object] = (),
    look: str = looks.FIRST,
    seed: int = 0,
    sequencer: bpy.types.Scene | None = None,
    grid: beat_grid.Grid | None = None,
) -> tuple[LightTarget, Preparation]:
    """What the light is for, and the reading of the dance, which ends with what is asked of the engine.

    armature: whose dance the light follows, if it is a body and moves; None lights the song alone.  others: who is on
    the stage besides.  look: as of ``core.protocol.LightOptions``.  folder, sequencer, grid: as of ``dance.request``.
    Raises UserError when the armature cannot be read as it is now, or the two scenes have different frame rates, and
    FootlightError when the seed is out of its bounds.
    """
    protocol.check(protocol.LightOptions, seed=seed)
    frames = song.frames
    if armature is not None and rigs.fits(armature):
        rigs.check_readable(armature)
        frames = frames or reading.animated_range(armature)[1] + 1 - song.frame_start
    grid = grid or dance.corrected(sequencer or scene, song)
    counted = {} if grid is None else {"beats": beats.text(grid)}
    known = {"operation": card.LIGHT, "look_asked": look, "seed": card.stored(seed), "song": song.name}
    known |= {"dance_made": _made(armature), "audio_sha256": _digest(song.path)}
    target = LightTarget.of(
        scene,
        armature,
        sequencer,
        song.frame_start,
        frames,
        about=looks.title(look),
        seed=seed,
        asked=known | counted,
        song=song,
        bodies=tuple(ob.session_uid for ob in dict.fromkeys((*filter(None, (armature,)), *others))),
    )
    return target, Preparation("Reading the animation", _read(target, Path(folder), look))


def write(target: LightTarget, done: protocol.LightDone) -> Written:
    """Build the stage that the engine's show lights, in place of one that was there.
    Raises UserError when what it was made for is gone; then nothing is changed."""
    song = target.song
    assert song is not None
    scene, _, sequencer = target.find("light")
    if not strips.is_there(sequencer, song):
        raise UserError(f"The strip {song.strip!r} was deleted while its light was made; nothing was written.")
    show = show_file.read(done.out)
    bodies = [ob for uid in target.bodies if (ob := by_uid(scene.objects, uid))]
    frames = song.frames or round(show.seconds * target.fps)
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        camera = lights.set_lit_stage(
            scene, bodies, (target.first, target.first + frames - 1), show, film.aspect(scene)
        )
    changed = surroundings.set_on(scene, camera)
    if "beats" not in target.asked:
        beats.remember(target, done)
    warning = joined(*done.warnings, song.warning)
    told = {"look": done.look, "cues": len(show.cues), **({"warning": warning} if warning else {})}
    stage = scenery.standing(scene)[0]
    card.keep(stage, target.asked | told)
    return Written(f"{title(stage)}: {', '.join(changed)}.", warning=warning)


def of(scene: bpy.types.Scene) -> bpy.types.Collection | None:
    """The collection of a scene's lit stage; None where there is none."""
    return next((one for one in scenery.standing(scene) if LOOK in one), None)


def title(stage: bpy.types.Collection) -> str:
    """What a lit stage is called, by its look and its seed."""
    return f"{looks.title(stage[names.PREFIX + 'look_asked'])} - seed {stage[names.PREFIX + 'seed']}"


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


def _read(target: LightTarget, folder: Path, look: str) -> Generator[float, None, protocol.LightRequest]:
    song, motion = target.song, folder / "motion.npz"
    assert song is not None
    armature = target.find("light")[1]
    moves = armature is not None and rigs.fits(armature)
    if moves:
        try:
            yield from target.saving(motion, "light")
        except reading.StandsStill:
            moves = False
    return protocol.LightRequest(
        song=song.path,
        start=song.start,
        seconds=song.seconds,
        seed=target.seed,
        look=look,
        beats=target.beats_file(folder),
        motion=str(motion) if moves else None,
        out=str(folder / "SHOW.json"),
    )


def _made(armature: bpy.types.Object | None) -> float:
    """When the dance was made that an armature shows; 0 where there is none."""
    action = takes.shown(armature) if armature else None
    return float(action.get(takes.MADE, 0.0)) if action else 0.0


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
