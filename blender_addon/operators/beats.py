"""Show the song's beats on the timeline, and take them away."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api import beats
from ..scene import markers
from .job_operator import JobOperator, ask
from .polling import SaysWhy
from .settings import find_song, settings_of


class FOOTLIGHT_OT_show_beats(JobOperator, bpy.types.Operator):
    """Find the song's beats and mark them on the timeline"""

    bl_idname = about = names.SHOW_BEATS
    bl_label = "Show Beats"
    bl_options = frozenset({"UNDO"})

    def begin(self, context: bpy.types.Context) -> None:
        start(context)


class FOOTLIGHT_OT_remove_beats(SaysWhy, bpy.types.Operator):
    """Take away the beat markers that Footlight made, and no others"""

    bl_idname = names.REMOVE_BEATS
    bl_label = "Hide Beats"
    bl_options = frozenset({"REGISTER", "UNDO"})

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        return "" if any(markers.shown(context.scene)) else "No beats are shown"

    def execute(self, context: bpy.types.Context) -> set[str]:
        count = markers.remove_beats(context.scene)
        self.report({"INFO"}, f"{count} beat markers removed")
        return {"FINISHED"} if count else {"CANCELLED"}


def start(context: bpy.types.Context) -> None:
    """Ask the engine for the song's beats. Raises UserError when there is no song."""
    song = find_song(context, session.prepare())
    target, request = beats.request(
        context.scene,
        song,
        bars_only=settings_of(context.scene).bars_only,
    )
    ask(context, names.SHOW_BEATS, target, request, beats.write)
