"""A dance and its music from nothing: a new action and a new strip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy

from ..scene import hearing, music, rigs, standing, strips
from ..shared import protocol, thinning
from . import card
from .dance import put_on
from .score import add_music, keeping_warning
from .target import Target, Written, mark_beats, with_change


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
    folder: str | Path,
    seconds: float,
    *,
    sequencer: bpy.types.Scene | None = None,
    music_file: str | Path | None = None,
    markers: bool = False,
    bars_only: bool = False,
    keys: thinning.Spacing = thinning.EVERY_FRAME,
    seed: int = 0,
    **options: object,
) -> tuple[Target, protocol.DuetRequest]:
    """What a duet from the scene's first frame on is for, and what is asked of the engine.

    armature: None adds the Footlight dancer when the dance is there.
    seconds: how long it is; whole frames are made of them.
    keys: as of ``dance.request``.
    options: quality, steps, guidance, style, beat_snap and switch, as of ``core.protocol.DuetRequest``.
    The others: as of ``score.request``.

    Raises UserError when the armature cannot be given a dance or the music cannot be kept, and FootlightError when an
    option is out of its bounds.
    """
    if armature is not None:
        rigs.check_writable(armature)
        standing.rest_of(scene, armature)
    target = Target.of(
        scene,
        armature,
        sequencer,
        scene.frame_start,
        round(seconds * strips.frame_rate(scene)),
        about="Dance and Music",
        seed=seed,
        asked=card.asked(card.BOTH, seed, options),
        markers=markers,
        bars_only=bars_only,
        keys=keys,
        music=Path(music_file).absolute() if music_file else None,
    )
    if target.music is None:
        music.check_folder()
    return target, _request(target, Path(folder), options)


def write(target: Target, done: protocol.DuetDone) -> Written:
    """Put a finished duet into the scene, both or neither. Raises UserError when what it was made for is gone."""
    scene, armature, sequencer = target.find("dance")
    if armature is not None:
        rigs.check_writable(armature)
    strip = add_music(target, sequencer, done.out_music, done)
    try:
        written = put_on(
            target,
            done,
            done.out_motion,
            scene,
            armature,
            {"song": strip.name, "song_start": 0.0, "song_seconds": done.seconds},
        )
    except Exception:
        music.remove(sequencer, strip)
        raise
    changed = hearing.only(sequencer, strip)
    if target.markers:
        mark_beats(scene, target, done)
    return with_change(replace(written, strip=strip), changed, keeping_warning(target))


def _request(target: Target, folder: Path, options: dict) -> protocol.DuetRequest:
    assert target.frames is not None
    return protocol.DuetRequest(
        seconds=target.frames / target.fps,
        fps=target.fps,
        seed=target.seed,
        **options,
        out_motion=str(folder / "dance.npz"),
        out_music=str(target.music or folder / "music.wav"),
    )
