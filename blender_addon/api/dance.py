"""From a song to a new action on an armature."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..errors import UserError
from ..scene import actions, hearing, rigs, songs, standing, strips
from ..shared import protocol
from .target import Target, Written, all_warnings, beat_alignment, mark_beats, summary, with_change


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    song: strips.Song,
    folder: str | Path,
    *,
    sequencer: bpy.types.Scene | None = None,
    markers: bool = False,
    seed: int = 0,
    **options: object,
) -> tuple[Target, protocol.DanceRequest]:
    """What a dance to ``song`` is for, and what is asked of the engine.

    folder: takes the engine's result and must be there until ``write`` has ended.  sequencer: the scene that the song
    is heard in; the same unless given.  markers: whether the beats are to be shown on the timeline.  options: steps,
    guidance, style and beat_snap, as of ``core.protocol.DanceRequest``.
    Raises UserError when the armature cannot be given a dance or the two scenes have different frame rates, and
    FootlightError when an option is out of its bounds.
    """
    rigs.check_writable(armature)
    standing.rest_of(scene, armature)
    target = Target.of(
        scene,
        armature,
        sequencer,
        song.frame_start,
        song.frames,
        name=f"{song.name} dance",
        seed=seed,
        markers=markers,
        song=song,
    )
    return target, _request(target, Path(folder), options)


def write(target: Target, done: protocol.DanceDone) -> Written:
    """Give the armature the dance that the engine made, as a new action.
    Raises UserError when what it was made for is gone; then nothing is changed."""
    song = target.song
    assert song is not None
    scene, armature, sequencer = target.find("dance")
    if not strips.is_there(sequencer, song):
        raise UserError(f"The strip {song.strip!r} was deleted while its dance was made; nothing was written.")
    known = {"song": song.name, "beat_score": beat_alignment(done), "beat_confidence": done.confidence}
    said: list[str] = []
    action = actions.write_dance(
        done.out,
        armature,
        target.first,
        name=target.name,
        frames=target.frames,
        properties={name: value for name, value in known.items() if value is not None},
        say=said.append,
    )
    heard = songs.find(sequencer, song.strip)
    changed = hearing.again(sequencer, heard.strip) if heard else hearing.Changed()
    if target.markers:
        mark_beats(scene, target, done)
    warning = all_warnings(done, song.warning, *said)
    return Written(with_change(f"{action.name}: {summary(action)}", changed), action=action, warning=warning)


def _request(target: Target, folder: Path, options: dict) -> protocol.DanceRequest:
    song = target.song
    assert song is not None
    return protocol.DanceRequest(
        song=song.path,
        start=song.start,
        seconds=song.seconds,
        fps=target.fps,
        seed=target.seed,
        **options,
        out=str(folder / "dance.npz"),
    )
