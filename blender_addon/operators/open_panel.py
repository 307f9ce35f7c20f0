"""Show the panel."""

from __future__ import annotations

import bpy

from .. import names
from .polling import SaysWhy

PATIENCE = 20
"""So often the tab is looked for: a side bar that was closed knows its tabs when it has been drawn."""

INTERVAL = 0.05  # seconds between two looks


class FOOTLIGHT_OT_open_panel(SaysWhy, bpy.types.Operator):
    """Show the Footlight tab in the side bar"""

    bl_idname = names.OPEN_PANEL
    bl_label = "Open Footlight Panel"
    bl_options = frozenset()

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        there = context.window is not None and _area(context) is not None
        return "" if there else "There is no 3D View in this window"

    def execute(self, context: bpy.types.Context) -> set[str]:
        area = _area(context)
        assert area is not None
        area.spaces.active.show_region_ui = True
        if not _show(area):
            tries = iter(range(PATIENCE))
            bpy.app.timers.register(
                lambda: None if _show(area) or next(tries, None) is None else INTERVAL, first_interval=INTERVAL
            )
        return {"FINISHED"}


def _area(context: bpy.types.Context) -> bpy.types.Area | None:
    """The editor in which the panel is shown: the one in use if it has side bars, else the largest 3D View."""
    if context.area is not None and context.area.type in names.EDITORS:
        return context.area
    views = [area for area in context.window.screen.areas if area.type == "VIEW_3D"]
    return max(views, key=lambda area: area.width * area.height, default=None)


def _show(area: bpy.types.Area) -> bool:
    """Choose the tab. Returns whether the side bar has it."""
    try:
        side = next(region for region in area.regions if region.type == "UI")
        side.active_panel_category = names.TAB
    except (
        AttributeError,
        ReferenceError,
        StopIteration,
        TypeError,
    ):  # the area is gone, or does not know its tabs yet
        return False
    side.tag_redraw()
    return True
