"""What the extension draws into Blender's status bar, and how that stays there."""

from __future__ import annotations

from collections.abc import Callable

import bpy

Draw = Callable[[bpy.types.Header, bpy.types.Context], None]

_drawn: list[Draw] = []


def register(draw: Draw) -> None:
    _drawn.append(draw)
    _append()


def unregister() -> None:
    while _drawn:
        bpy.types.STATUSBAR_HT_header.remove(_drawn.pop())


def redraw(context: bpy.types.Context, window: bpy.types.Window) -> None:
    """Draw the status bar of a window again.

    It is no area of the window's screen; that its text is set is what draws it again. Another operator that runs may
    have a text of its own there, and is left alone.
    """
    _append()
    if all(operator.bl_idname.startswith("FOOTLIGHT_") for operator in window.modal_operators):
        with context.temp_override(window=window):
            window.workspace.status_text_set_internal(None)


def _append() -> None:
    """Draw there again where that was lost. ``WorkSpace.status_text_set`` puts back what the status bar drew when it
    was first called, perhaps before this extension was there: by the installation from a dropped zip, say."""
    header = bpy.types.STATUSBAR_HT_header
    for draw in _drawn:
        if draw not in getattr(header.draw, "_draw_funcs", ()):
            header.append(draw)
