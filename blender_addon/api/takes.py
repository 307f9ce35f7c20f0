"""Several dances to one song, to choose from. ``scene/takes.py`` lists, shows, accepts and rejects them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import bpy

from ..names import PREFIX
from ..scene import strips, takes
from ..scene.wording import joined
from ..shared import protocol
from . import card, dance
from .target import Target, Written


def request(
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None,
    song: strips.Song,
    folder: str | Path,
    seeds: Iterable[int],
    **more: object,
) -> tuple[list[Target], list[protocol.DanceRequest]]:
    """What a take with each of the ``seeds`` is for, and what is asked of the engine for it. more: and the other
    arguments: of ``dance.request``, which also says what is raised."""
    asked = []
    for number, seed in enumerate(seeds):
        place = Path(folder) / f"take {number}"
        place.mkdir(exist_ok=True)
        asked.append(dance.request(scene, armature, song, place, seed=seed, **more))  # pyright: ignore[reportArgumentType]
    return [target for target, _ in asked], [one for _, one in asked]


def write(targets: Sequence[Target], answers: Sequence[protocol.DanceDone]) -> Written:
    """Give the dancer the dances that the engine made, each as a new action, and show the one that is best on the beat.

    answers: to the first of the requests; there may be fewer of them.
    Raises UserError when what they were made for is gone.
    """
    written: list[Written] = []
    added = None
    for target, done in zip(targets, answers, strict=False):
        if added is not None:
            target = replace(target, armature=added.session_uid, armature_name=added.name)
        written.append(dance.write(target, done))
        added = added or written[-1].dancer
    actions = [one.action for one in written if one.action is not None]
    best = max(actions, key=lambda action: action.get(PREFIX + "beat_score", 0.0))
    armature = added or targets[0].find("dance")[1]
    assert armature is not None
    takes.show(armature, best)
    count = f"{len(actions)} takes" if len(actions) == len(targets) else f"{len(actions)} of {len(targets)} takes"
    shown = card.of(best)
    assert shown is not None
    warnings = dict.fromkeys(one.warning for one in written if one.warning)
    message = f"{count}. Best on the beat, and shown: {shown.line}"
    return Written(message, best, warning=joined(*warnings), dancer=added)
