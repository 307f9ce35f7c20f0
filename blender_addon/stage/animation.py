"""Values that a show gives to lamps and materials: set where they stay the same, keyed where they change."""

from __future__ import annotations

import bpy

from ..scene import actions
from ..shared import splines
from .tracks import Track


class Animation:
    """Collects what changes, then writes one action for each data-block."""

    def __init__(self, first: int, frames: int) -> None:
        """first: the scene's frame of the first values. frames: how many there are."""
        self._first, self._frames = first, frames
        self._curves: dict[bpy.types.ID, list[actions.Curve]] = {}

    def put(self, owner: bpy.types.bpy_struct, attribute: str, track: Track) -> None:
        """Give an attribute the values of a track, with as many numbers as it has."""
        first = track.first
        setattr(owner, attribute, first if len(first) > 1 else first[0])
        changing = [index for index, at in enumerate(track.at) if len(at) > 1]
        if not changing:
            return
        target, values = owner.id_data, track.on(self._frames)
        path = attribute if owner == target else owner.path_from_id(attribute)
        for index in changing:
            keys = splines.keyed(track.at[index])
            self._curves.setdefault(target, []).append(actions.Curve(path, index, values[:, index], "", keys=keys))

    def write(self) -> None:
        """Key what was collected."""
        for target, curves in self._curves.items():
            actions.new_action(target, f"{target.name} show", curves, self._first)
