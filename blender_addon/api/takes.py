"""Several dances to one song, to choose from. ``scene/takes.py`` lists, shows, accepts and rejects them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ..errors import UserError
from ..scene import playing, strips, takes
from ..scene.wording import joined
from ..shared import FootlightError, protocol
from . import card, dance, kept_light, light
from .target import Target, Written

NOT_LIT = "The take that is shown was not lit. Press Light Stage"


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
    song: strips.Song,
    folder: str | Path,
    seeds: Iterable[int],
    *,
    ask: Callable[..., tuple[Target, Any]] = dance.request,
    **more: object,
) -> tuple[list[Target], list[Any]]:
    """What a take with each of the ``seeds`` is for, and what is asked of the engine for it.

    ask: ``theatre.request`` for takes with their light.
    more: and the other arguments: of ``ask``, which also says what is raised.
    """
    asked = []
    for number, seed in enumerate(seeds):
        place = Path(folder) / f"take {number}"
        place.mkdir(exist_ok=True)
        asked.append(ask(scene, armature, song, place, seed=seed, **more))
    return [target for target, _ in asked], [one for _, one in asked]


def write(
    targets: Sequence[Target],
    answers: Sequence[protocol.DanceDone],
    put: Callable[[Target, Any], Written] = dance.write,
) -> Written:
    """Give the dancer the dances that the engine made, each as a new action, and show the one that is best on the beat.
    Of dances that strike that is the one that moves most on strong beats.

    answers: to the first of the requests; there may be fewer of them.
    put: gives the dancer one of them.

    Raises UserError when what they were made for is gone.
    """
    written: list[Written] = []
    added = None
    for target, done in zip(targets, answers, strict=False):
        if added is not None:
            target = replace(target, armature=added.session_uid, armature_name=added.name)
        written.append(put(target, done))
        added = added or written[-1].dancer
    actions = [one.action for one in written if one.action is not None]
    best = max(actions, key=card.merit)
    armature = added or targets[0].find("dance")[1]
    assert armature is not None
    takes.show(armature, best)
    count = f"{len(actions)} takes" if len(actions) == len(targets) else f"{len(actions)} of {len(targets)} takes"
    shown = card.of(best)
    assert shown is not None
    warnings = dict.fromkeys(one.warning for one in written if one.warning)
    message = f"{count}. Best on the beat, and shown: {shown.line}"
    return Written(message, best, warning=joined(*warnings), dancer=added)


def light_shown(
    scene: bpy.types.Scene,
    armature: bpy.types.Object,
    others: Iterable[bpy.types.Object] | None = None,
    as_written: bool = False,
) -> str:
    """Light the stage as it was lit for the take that a dancer shows. Returns a line about it.

    others: who is on the stage besides; all who dance unless given.
    as_written: without what was changed of the stage by hand.

    Raises UserError where that take was not lit.
    """
    light.keep_changes(scene)
    action = takes.shown(armature)
    lit = kept_light.unread(action)
    if action is None or lit is None:
        raise UserError(f"{NOT_LIT}.")
    if others is None:
        others = _dancing(scene)
    if as_written:
        lit = replace(lit, changes=b"")
    return light.put_up(scene, [armature, *others], round(action.frame_range[0]), lit, action)


def follow(scene: bpy.types.Scene, armature: bpy.types.Object) -> bool:
    """Let the light of a stage go with the take that a dancer shows now. Returns whether another one shines.

    It does where the stage was lit for another take of the same dancer, and this one has light of its own. What was lit
    without a dance, or for a dance that somebody else shows, stays.
    """
    stage, action = light.of(scene), takes.shown(armature)
    if stage is None or action is None or light.is_for(stage, armature) or not kept_light.has_light(action):
        return False
    if not stage.get(light.DANCE) or any(light.is_for(stage, ob) for ob in _dancing(scene)):
        return False
    try:
        light_shown(scene, armature)
    except FootlightError:  # it is only looked at; the button says why
        return False
    return True


def _dancing(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    return [ob for ob in scene.objects if ob.type == "ARMATURE" and playing.is_dance(ob)]
