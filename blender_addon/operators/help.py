"""Opening the documentation, and telling a fault."""

from __future__ import annotations

import platform

import bpy

from .. import links, names, report
from ..scene import versions


class FOOTLIGHT_OT_open_help(bpy.types.Operator):
    """Open the page that explains every button, in your web browser. F1 with the mouse over a button or field opens its
    place there"""

    bl_idname = names.OPEN_HELP
    bl_label = "Footlight Help"
    bl_options = frozenset({"INTERNAL"})

    def execute(self, _context: bpy.types.Context) -> set[str]:
        return bpy.ops.wm.url_open(url=links.page())


class FOOTLIGHT_OT_report_bug(bpy.types.Operator):
    """Copy a report of this computer and the engine, without your name and folders, and open the page that says where
    to send it"""

    bl_idname = names.REPORT_BUG
    bl_label = "Report a Bug"
    bl_options = frozenset({"INTERNAL"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.window_manager.clipboard = report.text()
        bpy.ops.wm.url_open(url=links.new_issue(beginning()))
        self.report({"INFO"}, "The report is on the clipboard. Your web browser shows what else to send.")
        return {"FINISHED"}


def beginning() -> str:
    """What the text of a fault begins with, where it is told on the website."""
    return (
        "What I did, what I expected and what happened:\n\n\n"
        "The report (it is on the clipboard; please paste it here):\n\n\n"
        f"Blender {versions.NAME}, {platform.system()} {platform.machine()}, {names.PACKAGE or 'Footlight'}\n"
    )
