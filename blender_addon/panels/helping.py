"""The two icons in the panel's header: the documentation, and where to tell a fault."""

from __future__ import annotations

import platform

import bpy

from .. import links, names
from ..scene import versions


def draw_header_preset(layout: bpy.types.UILayout) -> None:
    """To be called by a panel's ``draw_header_preset``."""
    if not links.website():
        return
    row = layout.row(align=True)
    row.emboss = "NONE"
    row.operator("wm.url_open", text="", icon="HELP").url = links.page()
    row.operator("wm.url_open", text="", icon="URL").url = links.new_issue(report())


def report() -> str:
    """What a report of a fault begins with."""
    return (
        "What I did, and what happened:\n\n\n"
        "(In Footlight's preferences, Copy Report copies what the engine says. Please paste it here.)\n\n"
        f"Blender {versions.NAME}, {platform.system()} {platform.machine()}, {names.PACKAGE or 'Footlight'}\n"
    )
