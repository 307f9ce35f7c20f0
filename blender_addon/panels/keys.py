"""Which frames of the next dance are keyed."""

from __future__ import annotations

import bpy

from .. import key_props, session
from ..operators.settings import settings_of
from . import rows


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The choices that matter for what is chosen."""
    keys = settings_of(context.scene).keys
    column = layout.column(align=True)
    column.enabled = not session.busy()
    column.row(align=True).prop(keys, "frames", expand=True)
    if keys.frames == key_props.EVERY:
        return
    if keys.frames == key_props.NTH:
        column.prop(keys, "step")
    else:
        column.prop(keys, "degrees")
        column.prop(keys, "millimetres")
    rows.labelled(column, "Curves").prop(keys, "curves", expand=True)
