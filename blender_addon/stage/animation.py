"""Values that a show gives to lamps and materials: set where they stay the same, keyed where they change."""

from __future__ import annotations

import bpy
import numpy as np

from ..scene import actions
from ..shared import splines
from .thinning import turning_points


class Animation:
    """Collects what changes, then writes one action for each data-block."""

    def __init__(self, first: int) -> None:
        """first: the scene's frame of the first values."""
        self._first = first
        self._curves: dict[bpy.types.ID, list[actions.Curve]] = {}

    def put(
        self, owner: bpy.types.bpy_struct, attribute: str, values: np.ndarray, tolerance: np.ndarray | float
    ) -> None:
        """Give an attribute its values (t,), or (t, n) where it has n numbers.

        tolerance: how far the keyed curve may be from the values, at all times or at each (t,).
        """
        columns = values[:, None] if values.ndim == 1 else values
        first = columns[0].tolist()
        setattr(owner, attribute, first if values.ndim == 2 else first[0])
        target = owner.id_data
        path = attribute if owner == target else owner.path_from_id(attribute)
        for index, column in enumerate(columns.T):
            if (np.abs(column - column[0]) > tolerance).any():
                keys = splines.keyed(turning_points(column, tolerance))
                self._curves.setdefault(target, []).append(actions.Curve(path, index, column, "", keys=keys))

    def write(self) -> None:
        """Key what was collected."""
        for target, curves in self._curves.items():
            actions.new_action(target, f"{target.name} show", curves, self._first)
