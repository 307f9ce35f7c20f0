"""What the operators have in common that read or write a file of JSON."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty


class JsonFile:
    """For operators: the user chooses a file."""

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.json", options={"HIDDEN", "SKIP_SAVE"})
    check_existing: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @property
    def path(self) -> Path:
        return Path(bpy.path.abspath(self.filepath))

    def suggested(self, context: bpy.types.Context) -> str:
        """The name of the file that the file browser begins with."""
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            self.filepath = self.suggested(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}
