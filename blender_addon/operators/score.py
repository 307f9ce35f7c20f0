"""Music for this dance: from the animation of the chosen dancer to music in the sequencer."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api import score
from .job_operator import JobOperator, ask
from .seed import NewSeed
from .settings import find_dancer, marking, sampling, score_range, settings_of


class FOOTLIGHT_OT_score_motion(NewSeed, JobOperator, bpy.types.Operator):
    """Make music for the dancer's animation and add it to the sequencer. The animation stays as it is"""

    bl_idname = about = names.SCORE
    bl_label = "Make Music from Motion"
    bl_options = frozenset({"UNDO"})

    def start(self, context: bpy.types.Context) -> None:
        start(context)


def start(context: bpy.types.Context) -> None:
    """Read the animation and ask the engine for its music. Raises UserError when something is missing."""
    folder = session.prepare()
    armature = find_dancer(context)
    target, preparation = score.request(
        context.scene,
        armature,
        folder,
        frames=score_range(context, armature),
        **marking(context.scene),
        free_form=settings_of(context.scene).free_form,
        **sampling(context.scene, names.SCORE),
    )
    ask(context, names.SCORE, target, preparation, score.write)
