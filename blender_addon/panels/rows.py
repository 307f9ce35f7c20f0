"""The rows that every operation shares: dancer, style and seed."""

from __future__ import annotations

import bpy

from .. import names
from ..errors import UserError
from ..operators.settings import dancer_or_none, settings_of
from ..props import OWN_CHOICE

SPLIT = 0.25
"""Of the row's width that its label takes."""

HALF = 0.4
"""The same where labels are longer."""


def labelled(layout: bpy.types.UILayout, label: str, factor: float = SPLIT) -> bpy.types.UILayout:
    """The part of a new row beside its label."""
    split = layout.split(factor=factor, align=True)
    left = split.row()
    left.alignment = "RIGHT"
    left.label(text=label)
    return split.row(align=True)


def dancer(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Who dances: a field, and while there is nobody a wide button. The line below says why it is not clear who."""
    settings = settings_of(context.scene)
    try:
        found, why = dancer_or_none(context), ""
    except UserError as error:
        found, why = None, str(error)
    row = labelled(layout, "Dancer")
    if found is None and not why:
        parts = row.split(factor=0.3)
        parts.label(text="none yet")
        parts.operator(names.ADD_DANCER, text="Add Dancer", icon="ADD")
        return
    row.prop(settings, "dancer", text="", icon="ARMATURE_DATA", placeholder=found.name if found else "Choose One")
    row.operator(names.ADD_DANCER, text="", icon="ADD")
    if why:
        line = labelled(layout, "")
        line.alert = True
        line.label(text=why.split(". ")[0], icon="ERROR")


def style(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The style and what is mixed in. The second row stays where it is while there is nothing to mix."""
    settings = settings_of(context.scene)
    labelled(layout, "Style").prop(settings, "style", text="")
    row = labelled(layout, "Mix In")
    row.enabled = settings.style != OWN_CHOICE
    row.prop(settings, "style_second", text="")
    if settings.style_second != OWN_CHOICE:
        row.prop(settings, "style_percent", text="", slider=True)


def seed(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    row = labelled(layout, "Seed")
    row.prop(settings_of(context.scene), "seed", text="")
    row.operator(names.NEW_SEED, text="", icon="FILE_REFRESH")
