"""Generate dance: from the chosen song to a new action on the chosen dancer, or on a new one where there is none."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api import dance
from ..scene import rigs
from .job_operator import JobOperator, finishing
from .seed import NewSeed
from .settings import dancer_or_none, find_song, sampling, settings_of, task


class FOOTLIGHT_OT_generate_dance(NewSeed, JobOperator, bpy.types.Operator):
    """Make a dance to the song and give it to the dancer as a new action. Without a dancer in the scene one is added"""

    bl_idname = about = names.GENERATE
    bl_label = "Generate Dance"
    bl_options = frozenset({"UNDO"})

    def start(self, context: bpy.types.Context) -> None:
        start(context)


def start(context: bpy.types.Context) -> None:
    """Ask the engine for the dance that the scene's settings describe. Raises UserError when something is missing."""
    folder = session.prepare()
    settings = settings_of(context.scene)
    armature = dancer_or_none(context)
    if armature is not None:
        rigs.check_writable(armature)  # before the song is mixed, which may take a while
    target, request = dance.request(
        context.scene,
        armature,
        find_song(context, folder),
        folder,
        markers=settings.markers,
        bars_only=settings.bars_only,
        beat_snap=settings.beat_snap,
        **sampling(context.scene, names.GENERATE),
    )
    session.start(request, finishing(dance.write, target), names.GENERATE, task(context, names.GENERATE))
