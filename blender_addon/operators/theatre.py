"""Make a dance and its stage light together: a new action on the dancer, and the stage around it."""

from __future__ import annotations

import bpy

from .. import light_props, names, session
from ..api import theatre
from .generate import action_called, song_of, writable_dancer
from .job_operator import JobOperator, ask
from .seed import Repeatable
from .settings import find_song, sampling, settings_of, writing
from .stage import on_stage


class FOOTLIGHT_OT_generate_theatre(Repeatable, JobOperator, bpy.types.Operator):
    """Make a dance to the song and the light for it together: a new action on the dancer, and a lit stage in place of
    an earlier one. Without a dancer in the scene one is added"""

    bl_idname = about = names.THEATRE
    bl_label = "Make Dance and Light"
    bl_options = frozenset({"UNDO"})

    again = "Make this dance and its light again, with its own song, seed, style, look, beats and settings"

    def start(self, context: bpy.types.Context) -> None:
        start(context, self.like)


def start(context: bpy.types.Context, like: str = "") -> None:
    """Ask the engine for the dance and the light that the scene's settings describe. like: the name of an action that
    is made again instead.  Raises UserError when something is missing."""
    folder = session.prepare()
    settings = settings_of(context.scene)
    action, armature = action_called(like) if like else None, writable_dancer(context)
    if action is not None:
        song, options = theatre.again(action, song_of(context, action, folder))
    else:
        song, chosen = find_song(context, folder), settings.light
        options = {"look": light_props.asked(chosen), "accent": chosen.accent, "beat_snap": settings.beat_snap}
        options |= sampling(context.scene, names.THEATRE)
    others = on_stage(context)
    options |= writing(context.scene)
    target, request = theatre.request(context.scene, armature, song, folder, others=others, **options)
    ask(context, names.THEATRE, target, request, theatre.write)
