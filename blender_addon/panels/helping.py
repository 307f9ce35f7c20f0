"""The two icons in the panel's header: the documentation, and where to tell a fault."""

from __future__ import annotations

import bpy

from .. import names


def draw_header_preset(layout: bpy.types.UILayout) -> None:
    """To be called by a panel's ``draw_header_preset``."""
    row = layout.row(align=True)
    row.emboss = "NONE"
    row.operator(names.OPEN_HELP, text="", icon="HELP")
    row.operator(names.REPORT_BUG, text="", icon="URL")
