"""Score motion: from the animation of the chosen dancer to music in the sequencer."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api import score
from ..scene import reading
from .job_operator import JobOperator, finishing
from .settings import find_dancer, sampling, settings_of


class FOOTLIGHT_OT_score_motion(JobOperator, bpy.types.Operator):
    """Make music to the dancer's animation and add it to the sequencer. The rig stays as it is"""

    bl_idname = names.SCORE
    bl_label = "Score Motion"
    bl_options = frozenset({"UNDO"})

    def begin(self, context: bpy.types.Context) -> None:
        start(context)


def start(context: bpy.types.Context) -> None:
    """Read the animation and ask the engine for its music. Raises UserError when something is missing."""
    folder = session.prepare()
    settings = settings_of(context.scene)
    armature = find_dancer(context)
    target, preparation = score.request(
        context.scene,
        armature,
        folder,
        frames=reading.animated_range(armature) if settings.score_range == "ACTION" else None,
        markers=settings.markers,
        **sampling(context.scene),
    )
    session.start(preparation, finishing(score.write, target))
