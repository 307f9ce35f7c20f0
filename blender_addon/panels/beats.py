"""The beats of the song: what is known of them, and how they are put right."""

from __future__ import annotations

import bpy

from .. import names, session
from ..api.beats import words
from ..engine.pace import per_cent
from ..errors import UserError
from ..operators.grid import CHANGES, home_of
from ..operators.settings import settings_of
from ..scene import grids, markers
from ..shared import beat_grid
from . import rows, status
from .wrapping import wrapped


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    status.go(layout, context, names.SHOW_BEATS, "Show Beats", "MARKER_HLT")
    settings = settings_of(context.scene)
    beats, bars = markers.shown(context.scene)
    row = layout.row()
    row.label(text=f"{beats} shown, {bars} bars" if beats else "None shown")
    row.operator(names.REMOVE_BEATS, text="Hide Beats", icon="X")
    row = layout.row()
    row.prop(settings, "markers")
    row.prop(settings, "bars_only")
    try:
        home = home_of(context)
    except UserError:
        return
    _grid(layout, context, home)


def _grid(layout: bpy.types.UILayout, context: bpy.types.Context, home: grids.Home) -> None:
    """What is known of the song's beats, and the buttons that change it."""
    grid, corrected = grids.known(home), grids.is_corrected(home)
    wrapped(layout, context, _told(grid, corrected, grids.confidence(home)), "CHECKMARK" if corrected else "BLANK1")
    column = layout.column(align=True)
    column.enabled = not session.busy()
    row = column.row(align=True)
    for change in ("HALF", "DOUBLE"):
        row.operator(names.CORRECT_BEATS, text=CHANGES[change].label).change = change
    column.operator(names.CORRECT_BEATS, text=CHANGES["LATER"].label).change = "LATER"
    column.operator(names.CORRECT_BEATS, text=CHANGES["ONE"].label, icon="REW").change = "ONE"
    row = rows.labelled(column, "Beats a bar", rows.HALF)
    for metre in beat_grid.METRES:
        button = row.operator(names.CORRECT_BEATS, text=str(metre), depress=grid is not None and grid.metre == metre)
        button.change, button.metre = "METRE", metre
    column.operator(names.USE_MARKERS, icon="MARKER")
    row = column.row(align=True)
    row.operator(names.IMPORT_BEATS, text="Import", icon="IMPORT")
    row.operator(names.EXPORT_BEATS, text="Export", icon="EXPORT")
    row.operator(names.CLEAR_BEATS, text="Clear", icon="X")


def _told(grid: beat_grid.Grid | None, corrected: bool, confidence: float | None) -> str:
    if grid is None:
        return "Not tracked yet"
    if corrected:
        return f"Corrected: {words(grid)}"
    sure = "" if confidence is None else f", {per_cent(confidence)} sure"
    return f"Tracked: {words(grid, confidence)}{sure}"
