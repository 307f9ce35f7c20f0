"""The takes of a dancer: how many are to be made, and which there are."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api import card
from ..operators.settings import find_dancer, settings_of
from ..scene import takes
from ..shared import FootlightError

ROWS = 4
"""Of the list, with up to twice as many takes in it."""

WIDTH = 0.6
"""The part of the list's width that names have."""


class FOOTLIGHT_UL_takes(bpy.types.UIList):
    """The takes of the dancer that the panel names, the oldest first: a click shows one, a double click renames it."""

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: bpy.types.BlendData,
        item: bpy.types.Action,
        _icon: int,
        _active_data: bpy.types.PropertyGroup,
        _active_property: str,
        _index: int = 0,
    ) -> None:
        parts = layout.split(factor=WIDTH)
        parts.prop(item, names.TAKE_NAME, text="", emboss=False)
        parts.label(text=card.short(item))

    def filter_items(
        self, context: bpy.types.Context, data: bpy.types.BlendData, property: str
    ) -> tuple[list[int], list[int]]:
        actions = getattr(data, property)
        try:
            found = takes.of(find_dancer(context))
        except FootlightError:
            found = []
        places = {action: i for i, action in enumerate(found)}
        flags = [self.bitflag_filter_item if action in places else 0 for action in actions]
        return flags, [places.get(action, len(found)) for action in actions]


def number(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """How many are made with one click."""
    row = layout.row()
    row.enabled = not session.busy()
    row.prop(settings_of(context.scene), "takes")


def _heading(found: list[bpy.types.Action]) -> str:
    """What stands beside the names of takes: a grade of those that arrive with the beat, "Strikes 2.1" of those that
    strike on it."""
    strike = {card.strikes(action) for action in found}
    told = "On beats" if len(strike) > 1 else "Strong beats" if strike == {True} else "Beat"
    return f"{told}, steps/s"


def draw(layout: bpy.types.UILayout, armature: bpy.types.Object | None) -> None:
    """The list, once there is a choice."""
    if armature is None or len(found := takes.of(armature)) < 2:
        return
    column = layout.column(align=True)
    head = column.row()
    head.label(text=f"{len(found)} takes")
    beside = head.row()
    beside.alignment = "RIGHT"
    beside.label(text=_heading(found))
    kept = getattr(armature, names.TAKES_PROPERTY)
    rows = min(ROWS, len(found))
    column.template_list("FOOTLIGHT_UL_takes", "", bpy.data, "actions", kept, "shown", rows=rows, maxrows=2 * ROWS)
    row = column.row(align=True)
    row.operator(names.STEP_TAKE, text="", icon="TRIA_UP").by = -1
    row.operator(names.STEP_TAKE, text="", icon="TRIA_DOWN").by = 1
    row.operator(names.LAY_OUT_TAKES, text="", icon="NLA", depress=takes.are_laid_out(armature))
    row.operator(names.REJECT_TAKE, text="Remove", icon="X")
    row.operator(names.ACCEPT_TAKE, text="Keep This", icon="CHECKMARK")
