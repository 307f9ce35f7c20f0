"""Which bone of the dancer is which: as found, and as the user puts it right."""

from __future__ import annotations

import bpy

from .. import names, session
from ..scene import limbs, rigs
from ..shared import mapping
from . import rows
from .wrapping import wrapped


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
    """The list of bones: what was found in grey, what was chosen in white, and what is missing in words."""
    found = rigs.recognised(dancer)
    wrapped(layout, context, _summary(found))
    if found.lacking:
        alert = layout.column()
        alert.alert = True
        wrapped(alert, context, found.lacking.strip(" ()"), "ERROR")
    column = layout.column(align=True)
    column.enabled = dancer.is_editable and not session.busy()
    kept = getattr(dancer, names.BONES_PROPERTY)
    for joint in mapping.WORDS:
        field = _labelled(column, kept, joint)
        field.prop(kept, joint, text="", icon="BONE_DATA", placeholder=found.by_itself.get(joint, "none"))
    taken = "Take Another Pose" if kept.stance else "Take Current Pose"
    _labelled(column, kept, "stance").operator(names.TAKE_STANCE, text=taken, icon="ARMATURE_DATA")
    _labelled(column, kept, "travel").prop(kept, "travel", expand=True)
    _labelled(column, kept, "floor").prop(kept, "floor", text="", placeholder="its own")
    if limbs.possible(dancer):
        _labelled(column, kept, "keys").prop(kept, "keys", expand=True)
    row = column.row(align=True)
    row.operator(names.IMPORT_BONES, text="Import", icon="IMPORT")
    row.operator(names.EXPORT_BONES, text="Export", icon="EXPORT")
    row.operator(names.CLEAR_BONES, text="Clear", icon="X")


def _labelled(layout: bpy.types.UILayout, kept: bpy.types.PropertyGroup, name: str) -> bpy.types.UILayout:
    """The part of a new row beside the label of a property."""
    return rows.labelled(layout, kept.bl_rna.properties[name].name, rows.HALF)


def _summary(found: mapping.Found) -> str:
    """How the bones were found, and how many."""
    how = {"": "Not recognised", "structure": "Found by shape"}.get(found.rule, f"Found by name ({found.rule})")
    return f"{how}: {len(found.bones)} of {len(mapping.WORDS)} bones"
