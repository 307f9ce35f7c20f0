"""Dance and music: both from nothing."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api import duet
from .job_operator import JobOperator, ask
from .seed import NewSeed
from .settings import dancer_or_none, sampling, settings_of, writing


class FOOTLIGHT_OT_generate_duet(NewSeed, JobOperator, bpy.types.Operator):
    """Make a dance and its music together, without a song, from the scene's first frame on. Without a dancer in the
    scene one is added"""

    bl_idname = about = names.DUET
    bl_label = "Make Dance and Music"
    bl_options = frozenset({"UNDO"})

    def start(self, context: bpy.types.Context) -> None:
        start(context)


def start(context: bpy.types.Context) -> None:
    """Ask the engine for a dance and its music. Raises UserError when something is missing."""
    folder = session.prepare()
    settings = settings_of(context.scene)
    target, request = duet.request(
        context.scene,
        dancer_or_none(context),
        folder,
        settings.duet_seconds,
        beat_snap=settings.beat_snap,
        **writing(context.scene),
        **sampling(context.scene, names.DUET),
    )
    ask(context, names.DUET, target, request, duet.write)
