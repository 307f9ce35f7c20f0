"""Which bone of the dancer is which: as found, and as the user puts it right."""

from __future__ import annotations

import bpy

from .. import names, session
from ..scene import inverse, rigs
from ..shared import mapping
from . import rows
from .wrapping import wrapped


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, dancer: bpy.types.Object | None) -> None:
    """The list of bones: what was found in grey, what was chosen in white, and what is missing in words."""
    if dancer is None:
        layout.label(text="No dancer yet")
        return
    found = rigs.recognised(dancer)
    wrapped(layout, context, _summary(found))
    if found.lacking:
        alert = layout.column()
        alert.alert = True
        wrapped(alert, context, found.lacking.strip(" ()"), "ERROR")
    column = layout.column(align=True)
    column.enabled = dancer.is_editable and not session.busy()
    kept = getattr(dancer, names.BONES_PROPERTY)
    for joint, words in mapping.WORDS.items():
        field = rows.labelled(column, words, rows.HALF)
        field.prop(kept, joint, text="", icon="BONE_DATA", placeholder=found.by_itself.get(joint, "none"))
    rows.labelled(column, "travel", rows.HALF).prop(kept, "travel", expand=True)
    if inverse.possible(dancer):
        rows.labelled(column, "keys on", rows.HALF).prop(kept, "keys", expand=True)
    row = column.row(align=True)
    row.operator(names.IMPORT_BONES, text="Import", icon="IMPORT")
    row.operator(names.EXPORT_BONES, text="Export", icon="EXPORT")
    row.operator(names.CLEAR_BONES, text="Clear", icon="X")


def _summary(found: mapping.Found) -> str:
    """How the bones were found, and how many."""
    how = {"": "Not recognised", "structure": "Found by its shape"}.get(
        found.rule, f"Found by its names ({found.rule})"
    )
    return f"{how}: {len(found.bones)} of {len(mapping.WORDS)} bones"
