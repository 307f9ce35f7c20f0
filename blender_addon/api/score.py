"""From the animation of an armature to music in the sequencer."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import bpy

from ..engine.job import Preparation
from ..scene import hearing, music, reading, rigs, strips
from ..shared import protocol
from . import card, naming
from .target import Target, Written, finished, mark_beats, with_change


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    folder: str | Path,
    *,
    frames: tuple[int, int] | None = None,
    sequencer: bpy.types.Scene | None = None,
    music_file: str | Path | None = None,
    markers: bool = False,
    bars_only: bool = False,
    seed: int = 0,
    **options: object,
) -> tuple[Target, Preparation]:
    """What the music is for, and the reading of the animation, which ends with what is asked of the engine.

    folder: for temporary files; it must be there until ``write`` has ended.
    frames: the first and the last one, both included; the scene's unless given.
    sequencer: the scene that is to be heard; the same unless given.
    music_file: the .wav that the music goes to; unless given a copy is kept beside the .blend, under a name that is
        free.
    markers, bars_only: as of ``dance.request``.
    options: quality, steps, guidance, style and free_form, as of ``core.protocol.ScoreRequest``.

    Raises UserError when the animation cannot be read, is too short, or the music cannot be kept.
    """
    rigs.check_readable(armature)
    first, last = frames or (scene.frame_start, scene.frame_end)
    target = Target.of(
        scene,
        armature,
        sequencer,
        first,
        last - first + 1,
        about=f"Music for {armature.name}",
        seed=seed,
        asked=card.asked(card.MUSIC, seed, options),
        markers=markers,
        bars_only=bars_only,
        music=Path(music_file).absolute() if music_file else None,
    )
    reading.check_length(first, last, target.fps)
    if target.music is None:
        music.check_folder()
    return target, Preparation("Reading the animation", _read(target, Path(folder), options))


def write(target: Target, done: protocol.ScoreDone) -> Written:
    """Put the music that the engine made into the sequencer. Raises UserError when what it was made for is gone."""
    scene, _, sequencer = target.find("music")
    strip = add_music(target, sequencer, done.out, done)
    changed = hearing.only(sequencer, strip)
    if target.markers:
        mark_beats(scene, target, done)
    return with_change(finished(done, strip=strip), changed, keeping_warning(target))


def add_music(
    target: Target,
    sequencer: bpy.types.Scene,
    made: str,
    done: protocol.ScoreDone | protocol.DuetDone,
) -> bpy.types.Strip:
    """The strip with the music that the engine left at ``made``. Raises UserError as ``music.add``."""
    known = card.kept(done, seconds=done.seconds, frames=target.frames, fps=target.fps, made=time.time())
    style = target.asked.get("style_asked")
    properties = target.asked | known | ({"style": style} if style else {})
    if target.music:
        strip = music.add(sequencer, Path(made), target.first, properties)
    else:
        strip = music.add_copy(sequencer, Path(made), f"music_{target.seed}", target.first, properties)
    taken = {other.name for other in strips.sound_strips(sequencer) if other != strip}
    strip.name = naming.title(target.about, style, target.seed, taken)
    return strip


def keeping_warning(target: Target) -> str:
    """What the user should know about the place where the music is kept; empty when there is nothing."""
    return "" if target.music else music.warning()


def _read(target: Target, folder: Path, options: dict) -> Generator[float, None, protocol.ScoreRequest]:
    motion, out = folder / "motion.npz", target.music or folder / "music.wav"
    yield from target.saving(motion, "music")
    return protocol.ScoreRequest(motion=str(motion), seed=target.seed, **options, out=str(out))
