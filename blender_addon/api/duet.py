"""A dance and its music from nothing: a new action and a new strip."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..scene import actions, hearing, music, rigs, standing, strips
from ..shared import protocol
from .score import add_music, keeping_warning
from .target import Target, Written, all_warnings, beat_alignment, mark_beats, summary, with_change


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    folder: str | Path,
    seconds: float,
    *,
    sequencer: bpy.types.Scene | None = None,
    music_file: str | Path | None = None,
    markers: bool = False,
    seed: int = 0,
    **options: object,
) -> tuple[Target, protocol.DuetRequest]:
    """What a duet from the scene's first frame on is for, and what is asked of the engine.

    seconds: how long it is; whole frames are made of them.  options: steps, guidance, style, beat_snap and
    switch, as of ``core.protocol.DuetRequest``.  The others: as of ``score.request``.
    Raises UserError when the armature cannot be given a dance or the music cannot be kept, and FootlightError when an
    option is out of its bounds.
    """
    rigs.check_writable(armature)
    standing.rest_of(scene, armature)
    target = Target.of(
        scene,
        armature,
        sequencer,
        scene.frame_start,
        round(seconds * strips.frame_rate(scene)),
        name=f"duet_{seed}",
        seed=seed,
        markers=markers,
        music=Path(music_file).absolute() if music_file else None,
    )
    if target.music is None:
        music.check_folder()
    return target, _request(target, Path(folder), options)


def write(target: Target, done: protocol.DuetDone) -> Written:
    """Put a finished duet into the scene, both or neither. Raises UserError when what it was made for is gone."""
    scene, armature, sequencer = target.find("duet")
    rigs.check_writable(armature)
    score = beat_alignment(done)
    said: list[str] = []
    strip = add_music(target, sequencer, done.out_music, done)
    try:
        action = actions.write_dance(
            done.out_motion,
            armature,
            target.first,
            name=f"{Path(strip.name).stem} dance",
            frames=target.frames,
            properties={"song": strip.name} | ({} if score is None else {"beat_score": score}),
            say=said.append,
        )
    except Exception:
        music.remove(sequencer, strip)
        raise
    changed = hearing.only(sequencer, strip)
    if target.markers:
        mark_beats(scene, target, done)
    warning = all_warnings(done, *said, keeping_warning(target))
    message = with_change(f"{action.name}: {summary(action)}", changed)
    return Written(message, action=action, strip=strip, warning=warning)


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
