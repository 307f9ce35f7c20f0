"""Generate duet: a dance and its music from nothing."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api import duet
from .job_operator import JobOperator, finishing
from .settings import find_dancer, sampling, settings_of


class FOOTLIGHT_OT_generate_duet(JobOperator, bpy.types.Operator):
    """Make a dance and its music together, from the scene's first frame on: a new action and a new strip"""

    bl_idname = names.DUET
    bl_label = "Generate Duet"
    bl_options = frozenset({"UNDO"})

    def begin(self, context: bpy.types.Context) -> None:
        start(context)


def start(context: bpy.types.Context) -> None:
    """Ask the engine for a dance and its music. Raises UserError when something is missing."""
    folder = session.prepare()
    settings = settings_of(context.scene)
    target, request = duet.request(
        context.scene,
        find_dancer(context),
        folder,
        settings.duet_seconds,
        markers=settings.markers,
        beat_snap=settings.beat_snap,
        **sampling(context.scene),
    )
    session.start(request, finishing(duet.write, target))
