"""The list of the dancer's bones: read from a file, written to one, and found anew."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import names
from ..errors import UserError
from ..scene import rigs, standing
from ..shared import FootlightError, mapping
from .at_once import AtOnce
from .json_file import JsonFile
from .polling import SaysWhy
from .settings import find_dancer


class _Bones(SaysWhy, bpy.types.Operator):
    """What the operators have in common: whose bones they are."""

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        linked = "The dancer is linked from another file. Make a library override of it first"
        return "" if find_dancer(context).is_editable else linked


class _File(JsonFile, AtOnce, _Bones):
    """Those with a file."""

    def suggested(self, context: bpy.types.Context) -> str:
        return f"{find_dancer(context).name} bones.json"

    def act(self, context: bpy.types.Context) -> str:
        path = self.path
        try:
            return self.exchange(find_dancer(context), path)
        except OSError as error:
            raise UserError(f"{path} cannot be used ({error.strerror}). Choose another file.") from None
        except FootlightError as error:
            raise UserError(f"{path.name}: {error}.") from None

    def exchange(self, dancer: bpy.types.Object, path: Path) -> str:
        """Read or write the file. Returns what is said about it."""
        raise NotImplementedError


class FOOTLIGHT_OT_import_bones(_File):
    """Take which bone is which from a file, for rigs with the same bones"""

    bl_idname = names.IMPORT_BONES
    bl_label = "Import Bones"
    bl_options = frozenset({"REGISTER", "UNDO"})

    def exchange(self, dancer: bpy.types.Object, path: Path) -> str:
        listed = mapping.from_json(path.read_bytes(), tuple(dancer.data.bones.keys()))
        rigs.choose(dancer, listed)
        return f"{sum(bone != mapping.NOT_THERE for bone in listed.values())} bones were taken from {path.name}."


class FOOTLIGHT_OT_export_bones(_File):
    """Write which bone is which to a file, for other rigs with the same bones"""

    bl_idname = names.EXPORT_BONES
    bl_label = "Export Bones"
    bl_options = frozenset({"REGISTER"})

    def exchange(self, dancer: bpy.types.Object, path: Path) -> str:
        bones = rigs.recognised(dancer).bones
        path = path.with_suffix(".json")
        path.write_text(mapping.to_json(bones), encoding="utf-8")
        return f"{len(bones)} bones were written to {path}."


class FOOTLIGHT_OT_clear_bones(_Bones):
    """Forget what was chosen: find anew which bone is which"""

    bl_idname = names.CLEAR_BONES
    bl_label = "Clear Bones"
    bl_options = frozenset({"REGISTER", "UNDO"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        dancer = find_dancer(context)
        rigs.choose(dancer, {})
        getattr(dancer, names.BONES_PROPERTY).stance = ""
        return {"FINISHED"}


class FOOTLIGHT_OT_take_stance(AtOnce, _Bones):
    """Let the dancer stand as it is posed now, in place of its rest pose: upright, with arms as in a T or an A"""

    bl_idname = names.TAKE_STANCE
    bl_label = "Take Current Pose"
    bl_options = frozenset({"REGISTER", "UNDO"})

    def act(self, context: bpy.types.Context) -> str:
        standing.take(context.scene, find_dancer(context))
        return ""
