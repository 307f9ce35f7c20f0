"""Show the song's beats on the timeline, and take them away."""

from __future__ import annotations

import bpy

from .. import names, session
from ..engine.job import Request
from ..errors import UserError
from ..scene import markers, strips
from .job_operator import JobOperator
from .order import beat_frames, by_uid
from .song import find_song, request_values


class FOOTLIGHT_OT_show_beats(JobOperator, bpy.types.Operator):
    """Mark the song's beats on the timeline"""

    bl_idname = names.SHOW_BEATS
    bl_label = "Show Beats"
    bl_options = frozenset({"UNDO"})

    def begin(self, context: bpy.types.Context) -> None:
        start(context)


class FOOTLIGHT_OT_remove_beats(bpy.types.Operator):
    """Remove the beat markers that Footlight made, and no others"""

    bl_idname = names.REMOVE_BEATS
    bl_label = "Remove Beats"
    bl_options = frozenset({"REGISTER", "UNDO"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        count = markers.remove_beats(context.scene)
        self.report({"INFO"}, f"{count} beat markers removed")
        return {"FINISHED"} if count else {"CANCELLED"}


def start(context: bpy.types.Context) -> None:
    """Ask the engine for the song's beats. Raises UserError when there is no song."""
    song = find_song(context, session.prepare())
    scene, fps = context.scene.session_uid, strips.frame_rate(context.scene)
    request = Request("beats", request_values(song))
    session.start(request, lambda done: show(scene, fps, song, done))


def show(scene_uid: int, fps: float, song: strips.Song, done: dict) -> str:
    """Put the engine's beats on the timeline of the scene that they were asked for."""
    scene = by_uid(bpy.data.scenes, scene_uid)
    if scene is None:
        raise UserError("The scene was deleted meanwhile; no beats were shown.")
    frames = beat_frames(song.frame_start, fps, done.get("beats", ()))
    markers.show_beats(scene, frames, done.get("downbeats"))
    return f"{len(frames)} beats, {float(done.get('tempo', 0)):.0f} bpm"
