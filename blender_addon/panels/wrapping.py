"""Texts that are longer than a panel is wide."""

from __future__ import annotations

import textwrap

import bpy

POINTS_PER_LETTER = 7.0
ICON_LETTERS = 6
NARROWEST = 20  # letters
WITHOUT_REGION = 40
NO_BREAK = "\N{NO-BREAK SPACE}"


def wrapped(
    layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE", *, less: int = 0
) -> None:
    """A text over as many lines as the region's width makes necessary. Words stay whole, and so do "8 %".

    less: letters that are taken by what stands beside or around it.
    """
    column = layout.column(align=True)
    column.scale_y = 0.8
    width = max(letters(context) - less, NARROWEST)
    lines = textwrap.wrap(text.replace(" %", NO_BREAK + "%"), width, break_long_words=False, break_on_hyphens=False)
    for i, line in enumerate(lines):
        column.label(text=line.replace(NO_BREAK, " "), icon=icon if i == 0 or icon == "NONE" else "BLANK1")


def letters(context: bpy.types.Context) -> int:
    """How many fit into a line."""
    if context.region is None:
        return WITHOUT_REGION
    width = context.region.width / (context.preferences.system.ui_scale * POINTS_PER_LETTER)
    return max(int(width) - ICON_LETTERS, NARROWEST)
