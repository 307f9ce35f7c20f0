"""The beats of a song, as markers on the timeline."""

from __future__ import annotations

import bpy

from ..errors import UserError
from ..scene import strips
from ..scene.wording import joined
from ..shared import protocol
from .target import Target, Written, by_uid, mark_beats


def request(
    scene: bpy.types.Scene,
    song: strips.Song,
    *,
    sequencer: bpy.types.Scene | None = None,
    bars_only: bool = False,
) -> tuple[Target, protocol.BeatsRequest]:
    """What the beats of ``song`` are for, and what is asked of the engine. sequencer: the scene that the song is heard
    in; the same unless given.  bars_only: whether only the beats that begin a bar are to be shown.
    Raises UserError when the two scenes have different frame rates."""
    target = Target.of(scene, None, sequencer, song.frame_start, song.frames, song=song, bars_only=bars_only)
    return target, protocol.BeatsRequest(song=song.path, start=song.start, seconds=song.seconds)


def write(target: Target, done: protocol.BeatsDone) -> Written:
    """Put the beats on the timeline in place of those shown before. Raises UserError when the scene is gone."""
    scene = by_uid(bpy.data.scenes, target.scene)
    if scene is None:
        raise UserError("The scene was deleted meanwhile; no beats were shown.")
    count = mark_beats(scene, target, done)
    bars = f" in bars of {done.metre}" if done.metre else ""
    sure = "" if done.confidence is None else f", {done.confidence:.0%} sure"
    warning = joined(*done.warnings, target.song.warning if target.song else "")
    return Written(f"{count} beats{bars}, {done.tempo:.0f} bpm{sure}", warning=warning)
