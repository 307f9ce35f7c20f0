"""Generate dance: from the chosen song to a new action on the chosen dancer, or on a new one where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import bpy

from .. import names, session
from ..api import dance, preview, takes
from ..api.target import Shown, Target, Written, by_uid
from ..errors import UserError
from ..scene import playing, rigs, strips
from ..shared import protocol
from .job_operator import JobOperator, finishing
from .seed import Repeatable
from .settings import dancer_or_none, dancing, find_song, sampling, settings_of, task, writing


class FOOTLIGHT_OT_generate_dance(Repeatable, JobOperator, bpy.types.Operator):
    """Make a dance to the song and give it to the dancer as a new action. Without a dancer in the scene one is added"""

    bl_idname = about = names.GENERATE
    bl_label = "Generate Dance"
    bl_options = frozenset({"UNDO"})

    again = "Make this dance again, with its own song, seed, style, beats and settings"

    def start(self, context: bpy.types.Context) -> None:
        if self.like:
            start_again(context, self.like, self._clicked)
        else:
            start(context, self.takes, self._clicked)


class Dancing:
    """A dance that is being made: its first seconds are put on the dancer for the time being, then the whole.

    target: of what makes it.
    write: puts the whole into the scene.
    show: puts the first seconds into it.
    """

    def __init__(
        self,
        target: Target,
        write: Callable[[Target, Any], Written],
        show: Callable[[Target, protocol.DancePreview], Shown],
    ) -> None:
        self._target, self._write, self._show = target, write, show

    def show(self, first: protocol.DancePreview) -> None:
        """Put the first seconds on the dancer. Raises UserError when it cannot be done."""
        shown = self._show(self._target, first)
        self._target = replace(self._target, shown=shown)
        self._choose()

    def take_off(self) -> None:
        """Let the scene be as it was before ``show``."""
        shown = self._target.shown
        if shown is not None and preview.take_off(shown):
            preview.remove_dancer(shown)

    def finish(self, done: protocol.DanceDone) -> str:
        """Put the whole dance on the dancer. Returns what to tell the user; raises UserError when it cannot be done."""
        return finishing(self._write, self._target)(done)

    def _choose(self) -> None:
        """Let the panel name the dancer that was added."""
        scene = by_uid(bpy.data.scenes, self._target.scene)
        if added := preview.added_dancer(scene, self._target.shown):
            settings_of(scene).dancer = added


def start(context: bpy.types.Context, count: int = 0, watched: bool = False) -> None:
    """Ask the engine for the dance that the scene's settings describe, or for several of them.

    count: how many; 0: as many as the settings say.
    watched: whether somebody can see the first seconds of a single one before the rest is made.

    Raises UserError when something is missing.
    """
    folder = session.prepare()
    settings = settings_of(context.scene)
    armature = writable_dancer(context)
    more = writing(context.scene) | sampling(context.scene, names.GENERATE) | dancing(context.scene)
    first = more.pop("seed")
    seeds = range(first, first + (count or settings.takes))
    song = find_song(context, folder)
    watched = watched and len(seeds) == 1
    targets, requests = takes.request(context.scene, armature, song, folder, seeds, watched=watched, **more)
    ask_for(context, names.GENERATE, targets, requests, dance.write, takes.write)


def start_again(context: bpy.types.Context, name: str, watched: bool = False) -> None:
    """Ask the engine for the dance of an action again.

    watched: as of ``start``.

    Raises UserError when there is none, or no song for it.
    """
    folder = session.prepare()
    action, armature = action_called(name), writable_dancer(context)
    song, options = dance.again(action, song_of(context, action, folder))
    options |= writing(context.scene)
    target, request = dance.request(context.scene, armature, song, folder, watched=watched, **options)
    ask_for(context, names.GENERATE, [target], [request], dance.write, takes.write)


def ask_for(
    context: bpy.types.Context,
    about: str,
    targets: list[Target],
    requests: list[Any],
    write: Callable[[Target, Any], Written],
    write_takes: Callable[[list[Target], Any], Written],
    show: Callable[[Target, protocol.DancePreview], Shown] = preview.show,
) -> None:
    """Ask the engine for dances. The first seconds of a single one are put on the dancer before the rest is made.

    about: which of ``names`` the job is about.
    write, write_takes: put a single dance, and several, into the scene.
    show: puts the first seconds of a single one into it.
    """
    asked = task(context, about, len(requests))
    if len(requests) == 1:
        dancing = Dancing(targets[0], write, show)
        session.start(requests[0], dancing.finish, about, asked, dancing)
    else:
        session.start(requests, finishing(write_takes, targets), about, asked)


def action_called(name: str) -> bpy.types.Action:
    """The action of a dance that is made again. Raises UserError where it is gone."""
    action = bpy.data.actions.get(name)
    if action is None:
        raise UserError(f"There is no action {name!r} any more. Choose another take.")
    return action


def song_of(context: bpy.types.Context, action: bpy.types.Action, folder: str) -> strips.Song:
    """The song of a dance. Raises UserError where it is not in the scene."""
    scene, name = context.scene, str(action.get(f"{names.PREFIX}song", ""))
    if name == strips.mix_name(scene):
        return strips.whole_mix(scene, folder)
    strip = playing.strip_of(scene, name)
    if strip is None:
        raise UserError(f"The song of this dance, {name!r}, is not in {scene.name!r}. Use Choose Song, then try again.")
    return strips.excerpt(scene, strip, folder)


def writable_dancer(context: bpy.types.Context) -> bpy.types.Object | None:
    """Who is to dance; None where there is nobody, and one can be added.

    Raises UserError where it is not clear who, or who cannot be given a dance.
    """
    armature = dancer_or_none(context)
    if armature is not None:
        rigs.check_writable(armature)  # before the song is mixed, which may take a while
    return armature
