"""Make a dance and its stage light together: a new action on the dancer, and the stage around it."""

from __future__ import annotations

import bpy

from .. import light_props, names, session
from ..api import card, takes, theatre
from ..scene import takes as listed
from .generate import action_called, ask_for, song_of, writable_dancer
from .job_operator import JobOperator
from .seed import Repeatable
from .settings import dancer_or_none, dancing, find_song, lacking, look_lacking, sampling, settings_of, writing
from .stage import on_stage


class FOOTLIGHT_OT_generate_theatre(Repeatable, JobOperator, bpy.types.Operator):
    """Make a dance to the song and the light for it together: a new action on the dancer, and a lit stage in place of
    an earlier one. Without a dancer in the scene one is added"""

    bl_idname = about = names.THEATRE
    bl_label = "Make Dance and Light"
    bl_options = frozenset({"UNDO"})

    again = "Make this dance and its light again, with its own song, seed, style, look, beats and settings"

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        """What is there can be made again, and in its look once more, while the panel names no picture."""
        session.check_idle()
        lack = lacking(context, cls.about)
        if lack is None or (lack == look_lacking(context, cls.about) and _shown_look(context) is not None):
            return ""
        return lack.long

    def start(self, context: bpy.types.Context) -> None:
        if self.like:
            start_again(context, self.like, self._clicked)
        else:
            start(context, self.takes, self._clicked, alike=self.new_seed)


def start(context: bpy.types.Context, count: int = 0, watched: bool = False, alike: bool = False) -> None:
    """Ask the engine for the dance and the light that the scene's settings describe, or for several of them.

    count, watched: as of ``generate.start``.
    alike: whether it is another take of the one that is shown, whose look is taken while the panel names no picture.

    Raises UserError when something is missing.
    """
    folder = session.prepare()
    settings = settings_of(context.scene)
    armature, song = writable_dancer(context), find_song(context, folder)
    chosen = settings.light
    options = {"accent": chosen.accent, **dancing(context.scene), **sampling(context.scene, names.THEATRE)}
    if chosen.made == light_props.KEPT:
        lit = theatre.light_there(context.scene, song)
        options |= {"lit": lit, "look": theatre.look_of(lit)}
    elif alike and look_lacking(context, names.THEATRE) is not None:
        options["look"] = _shown_look(context) or None
    else:
        options["look"] = light_props.asked(chosen.together)
    first = options.pop("seed")
    seeds = range(first, first + (count or settings.takes))
    watched = watched and len(seeds) == 1
    options |= writing(context.scene) | {"others": on_stage(context), "watched": watched}
    targets, requests = takes.request(context.scene, armature, song, folder, seeds, ask=theatre.request, **options)
    ask_for(context, names.THEATRE, targets, requests, theatre.write, theatre.write_takes, theatre.show)


def start_again(context: bpy.types.Context, name: str, watched: bool = False) -> None:
    """Ask the engine for the dance of an action and its light again.

    watched: as of ``start``.

    Raises UserError when there is none, or no song for it.
    """
    folder = session.prepare()
    action, armature = action_called(name), writable_dancer(context)
    song, options = theatre.again(action, song_of(context, action, folder))
    options |= writing(context.scene) | {"others": on_stage(context), "watched": watched}
    target, request = theatre.request(context.scene, armature, song, folder, **options)
    ask_for(context, names.THEATRE, [target], [request], theatre.write, theatre.write_takes, theatre.show)


def _shown_look(context: bpy.types.Context) -> str | None:
    """The look of the dance that is shown, where it was made with its light: "" for any; None of another dance."""
    armature = dancer_or_none(context)
    action = listed.shown(armature) if armature is not None else None
    if action is None or action.get(f"{names.PREFIX}operation") != card.THEATRE:
        return None
    return str(action.get(f"{names.PREFIX}look_asked", ""))
