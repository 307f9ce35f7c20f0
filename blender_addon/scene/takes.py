"""A dancer's takes: every dance that was made for it, each an action of its own.

They belong to a dancer by a mark on both, which outlives renaming, saving and linking. Which one is shown is the
armature's action. They may also lie on NLA tracks, one each: then the one that is shown is the one that is not muted.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
import uuid
from collections.abc import Iterator

import bpy

from .. import names
from ..errors import UserError
from . import songs, staging

TRACK = "Take: "
"""How the names of NLA tracks begin that hold a take. Others with a take in them are the user's."""

DANCER = names.PREFIX + "dancer_id"
MADE = names.PREFIX + "made"


def enlist(armature: bpy.types.Object, action: bpy.types.Action) -> None:
    """Count a new dance among the takes of the armature that it was made for."""
    action[DANCER], action[MADE] = _mark(armature) or _set_mark(armature), time.time()


def of(armature: bpy.types.Object) -> list[bpy.types.Action]:
    """The takes of a dancer, the oldest first. A dance that it shows is one, whoever it was made for."""
    return sorted(_each(armature), key=lambda action: (action.get(MADE, 0.0), action.name))


def several(armature: bpy.types.Object) -> bool:
    """Whether there is a choice. Looks no further than it must: buttons ask this whenever they are drawn."""
    return len([*itertools.islice(_each(armature), 2)]) == 2


def shows_one(armature: bpy.types.Object) -> bool:
    """Whether what a dancer shows is a take."""
    current = shown(armature)
    return current is not None and songs.MADE in current


def _each(armature: bpy.types.Object) -> Iterator[bpy.types.Action]:
    mark, current = _mark(armature), shown(armature)
    return (a for a in bpy.data.actions if songs.MADE in a and ((mark and a.get(DANCER) == mark) or a == current))


def shown(armature: bpy.types.Object) -> bpy.types.Action | None:
    """The action that a dancer shows, a take or another one."""
    return staging.dance_of(armature)


def show(armature: bpy.types.Object, action: bpy.types.Action) -> None:
    """Let a dancer show a take. What it showed before stays in the file."""
    data = armature.animation_data or armature.animation_data_create()
    if data.action is not None and data.action != action:
        data.action.use_fake_user = True
    tracks = _tracks(armature)
    for take, track in tracks.items():
        track.mute, track.name = take != action, TRACK + take.name
    if action in tracks:
        data.action = None
    else:
        data.action, data.action_slot = action, staging.slot_of(action)


def are_laid_out(armature: bpy.types.Object) -> bool:
    """Whether takes of a dancer lie on NLA tracks."""
    return bool(_tracks(armature))


def lay_out(armature: bpy.types.Object) -> None:
    """Put every take of a dancer on an NLA track of its own, above those that are there. All of them are muted but the
    one that was shown; a dancer that showed another action goes on showing that, and all are muted."""
    current, found = shown(armature), of(armature)
    data = armature.animation_data or armature.animation_data_create()
    laid = _tracks(armature)
    for action in found:
        if action not in laid:
            action.use_fake_user = True
            track = data.nla_tracks.new()
            track.name = TRACK + action.name
            strip = track.strips.new(action.name, math.floor(action.frame_range[0]), action)
            strip.action_slot, strip.influence = staging.slot_of(action), 1.0
            track.mute = True
    if current is not None:
        show(armature, current)


def take_up(armature: bpy.types.Object) -> bool:
    """Take the takes of a dancer off their NLA tracks; the one that was shown is its action again. Returns whether
    there were any."""
    current, tracks = shown(armature), _tracks(armature)
    for track in tracks.values():
        armature.animation_data.nla_tracks.remove(track)
    if tracks and current is not None:
        show(armature, current)
    return bool(tracks)


@contextlib.contextmanager
def taken_up(armature: bpy.types.Object | None) -> Iterator[None]:
    """Meanwhile the takes of a dancer are off their NLA tracks. Afterwards they lie there again if they did, and new
    ones too, whatever happens."""
    if armature is None or not take_up(armature):
        yield
        return
    try:
        yield
    finally:
        lay_out(armature)


def _tracks(armature: bpy.types.Object) -> dict[bpy.types.Action, bpy.types.NlaTrack]:
    """The takes that lie on NLA tracks of a dancer's own, whoever they were made for, and these tracks."""
    data = armature.animation_data
    named = [track for track in data.nla_tracks if track.name.startswith(TRACK)] if data else ()
    actions = ((track.strips[0].action, track) for track in named if len(track.strips) == 1)
    return {action: track for action, track in actions if action is not None and songs.MADE in action}


def step(armature: bpy.types.Object, by: int) -> bpy.types.Action | None:
    """Show the take that is so many places further in the list, which begins anew at its end. Returns it."""
    found, current = of(armature), shown(armature)
    if not found:
        return None
    place = found.index(current) + by if current in found else 0
    show(armature, found[place % len(found)])
    return found[place % len(found)]


def label(action: bpy.types.Action) -> str:
    """What a take is called in a list of takes: its name without the song's, which all of them begin with."""
    return action.name.removeprefix(_beginning(action))


def rename(action: bpy.types.Action, label: str) -> None:
    """Call a take otherwise in the list. The name of the action still begins with the song's, where it did."""
    beginning = _beginning(action)
    action.name = beginning + label if action.name.startswith(beginning) else label


def _mark(armature: bpy.types.Object) -> str:
    """What an armature's takes are marked with; empty where it has none."""
    kept = getattr(armature, names.TAKES_PROPERTY, None)
    return (kept.dancer if kept else "") or str(armature.get(DANCER, ""))


def _set_mark(armature: bpy.types.Object) -> str:
    """A new mark. A library override keeps only what the add-on has registered; a script may do without the add-on."""
    mark = uuid.uuid4().hex
    if (kept := getattr(armature, names.TAKES_PROPERTY, None)) is not None:
        kept.dancer = mark
    else:
        armature[DANCER] = mark
    return mark


def _beginning(action: bpy.types.Action) -> str:
    return f"{action.get(names.PREFIX + 'song', '')} - "


def accept(armature: bpy.types.Object, action: bpy.types.Action) -> tuple[list[str], list[str]]:
    """Keep one take and remove the others to the same song from the file. Returns the names of those that were removed,
    and of those that were left because something else uses them."""
    show(armature, action)
    others = [other for other in of(armature) if other != action and _song(other) == _song(action)]
    left = [other for other in others if _used_elsewhere(armature, other)]
    removed = [other for other in others if other not in left]
    told = [other.name for other in removed], [other.name for other in left]
    for other in removed:
        _remove(armature, other)
    return told


def reject(armature: bpy.types.Object, action: bpy.types.Action) -> bpy.types.Action | None:
    """Remove a take from the file; the next one is shown in its place. Returns that; None where there is none.

    Raises UserError where something else uses it.
    """
    if _used_elsewhere(armature, action):
        raise UserError(f"{action.name!r} is used in the NLA or by another object too. Take it out there first.")
    if shown(armature) == action:
        following = step(armature, 1)
        if following == action:
            armature.animation_data.action = None
    _remove(armature, action)
    return shown(armature)


def _remove(armature: bpy.types.Object, action: bpy.types.Action) -> None:
    """Remove a take from the file, and its NLA track."""
    if track := _tracks(armature).get(action):
        armature.animation_data.nla_tracks.remove(track)
    bpy.data.actions.remove(action)


def _song(action: bpy.types.Action) -> tuple:
    """Which part of which song a take is for."""
    return tuple(action.get(names.PREFIX + key) for key in ("operation", "song", "song_start", "song_seconds"))


def _used_elsewhere(armature: bpy.types.Object, action: bpy.types.Action) -> bool:
    data = armature.animation_data
    own = (data is not None and data.action == action) + (action in _tracks(armature))
    return action.users - action.use_fake_user - own > 0
