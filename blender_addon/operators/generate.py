"""Generate dance: from the chosen song to a new action on the chosen dancer."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api import dance
from ..scene import rigs
from .job_operator import JobOperator, finishing
from .settings import find_dancer, find_song, sampling, settings_of


class FOOTLIGHT_OT_generate_dance(JobOperator, bpy.types.Operator):
    """Make a dance to the song and write it to the dancer as a new action"""

    bl_idname = names.GENERATE
    bl_label = "Generate Dance"
    bl_options = frozenset({"UNDO"})

    def begin(self, context: bpy.types.Context) -> None:
        start(context)


def start(context: bpy.types.Context) -> None:
    """Ask the engine for the dance that the scene's settings describe. Raises UserError when something is missing."""
    folder = session.prepare()
    settings = settings_of(context.scene)
    armature = find_dancer(context)
    rigs.check_writable(armature)  # before the song is mixed, which may take a while
    target, request = dance.request(
        context.scene,
        armature,
        find_song(context, folder),
        folder,
        markers=settings.markers,
        beat_snap=settings.beat_snap,
        **sampling(context.scene),
    )
    session.start(request, finishing(dance.write, target))
