"""Take an error or a warning away, and say what a figure means."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import bpy
from bpy.props import StringProperty

from .. import names, notices
from ..api import card
from ..scene import strips
from .job_operator import redraw


class FOOTLIGHT_OT_dismiss(bpy.types.Operator):
    """Take this message away"""

    bl_idname = names.DISMISS
    bl_label = "Dismiss"
    bl_options = frozenset({"UNDO_GROUPED", "INTERNAL"})

    action: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    strip: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    collection: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        if action := bpy.data.actions.get(self.action):
            card.dismiss_warning(action)
        elif stage := bpy.data.collections.get(self.collection):
            card.dismiss_warning(stage)
        elif self.strip:
            if strip := strips.named(context.scene, self.strip):
                card.dismiss_warning(strip)
        else:
            notices.dismiss()
        redraw(context)
        return {"FINISHED"}


class FOOTLIGHT_OT_explain(bpy.types.Operator):
    """What this means"""

    bl_idname = names.EXPLAIN
    bl_label = "What This Means"
    bl_options = frozenset({"INTERNAL"})

    text: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return properties.text

    def execute(self, context: bpy.types.Context) -> set[str]:
        text = self.text

        def draw(popup: bpy.types.UIPopupMenu, _context: bpy.types.Context) -> None:
            for sentence in text.split(". "):
                popup.layout.label(text=sentence.rstrip("."))

        if context.window is not None:
            context.window_manager.popup_menu(draw, title=self.bl_label, icon="QUESTION")
        return {"FINISHED"}
