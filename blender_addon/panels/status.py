"""What is going on, what it will cost, and what went wrong: in the panels, and in Blender's status bar."""

from __future__ import annotations

import bpy

from .. import names, notices, session
from ..engine.pace import about as about_seconds
from ..operators.settings import lacking, seconds_of, task
from .wrapping import wrapped

HEIGHT = 1.4
CROSS = 6  # letters that a box and the X in it take
BAR_UNITS = 14  # width of the bar in the status bar


def go(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    operator: str,
    text: str,
    icon: str,
    polls_all: bool = True,
) -> None:
    """The button of an operation and a line below it: what is missing, or how long it is likely to take. While the
    operation runs its progress stands in their place, with *Cancel* where a second click on the button does not hit.

    polls_all: whether the operator's poll asks for all that this button needs, and so its tooltip says it.
    """
    column = layout.column(align=False)
    if session.busy() and session.state.about == operator:
        _running(column)
        return
    lack = None if session.busy() else lacking(context, operator)
    row = column.row()
    row.scale_y = HEIGHT
    row.enabled = polls_all or lack is None
    row.operator(operator, text=text, icon=icon)
    line = column.row()
    line.active = False
    if session.busy():
        line.label(text="Footlight is at work", icon="SORTTIME")
    elif lack:
        line.label(text=lack.short, icon="INFO")
    else:
        line.label(text=_cost(context, operator), icon="TIME")
    error(column, context, operator)


def error(layout: bpy.types.UILayout, context: bpy.types.Context, operator: str) -> None:
    """What went wrong with an operation, with an X."""
    notice = notices.current(context)
    if notice is None or notice.about != operator:
        return
    row = layout.box().row()
    text = row.column()
    text.alert = True
    wrapped(text, context, notice.text[:1].upper() + notice.text[1:], "ERROR", less=CROSS)
    buttons = row.column()
    buttons.operator(names.DISMISS, text="", icon="X", emboss=False)
    if notice.log:
        buttons.operator("wm.path_open", text="", icon="TEXT", emboss=False).filepath = notice.log


def status_bar(self: bpy.types.Header, _context: bpy.types.Context) -> None:
    """What is going on, in Blender's status bar, whatever the user looks at meanwhile."""
    if not session.busy():
        return
    text, fraction = session.progress()
    row = self.layout.row(align=True)
    bar = row.row()
    bar.ui_units_x = BAR_UNITS
    bar.progress(text=text, factor=fraction)
    row.operator(names.CANCEL, text="Cancel", icon="X")


def _running(layout: bpy.types.UILayout) -> None:
    text, fraction = session.progress()
    row = layout.row()
    row.scale_y = HEIGHT
    row.progress(text=text, factor=fraction)
    layout.operator(names.CANCEL, icon="X")


def _cost(context: bpy.types.Context, operator: str) -> str:
    """How long the result will be, and how long it is likely to take, where that was learnt."""
    asked = task(context, operator)
    if asked is None:
        return ""
    seconds = session.expected(asked)
    if seconds is None:
        return f"{seconds_of(context, operator):.1f} s long"
    told = about_seconds(seconds)
    return f"{told[0].upper()}{told[1:]} on this computer"
