"""The add-on's preferences."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, StringProperty

from . import names, readiness
from .operators.job_operator import redraw
from .panels import engine, status


def _look(_self: FootlightPreferences, context: bpy.types.Context) -> None:
    readiness.look(done=lambda: redraw(bpy.context))
    redraw(context)


class FootlightPreferences(bpy.types.AddonPreferences):
    bl_idname = names.PACKAGE

    python: StringProperty(
        name="Python for the Engine",
        description=(
            "A Python of your own that runs the engine: 3.11 or newer, with PyTorch. Leave it empty to use the engine "
            "that Install Engine makes"
        ),
        subtype="FILE_PATH",
        update=_look,
    )
    device: EnumProperty(
        name="Compute on",
        description="Where dances and music are computed",
        items=(
            ("auto", "Automatic", "The graphics card where the engine can use it, else the processor"),
            ("cpu", "Processor", "Works on every computer"),
            ("cuda", "NVIDIA or AMD Card", "Needs a PyTorch that was made for this card"),
            ("mps", "Apple Card", "The graphics part of Apple's own processors"),
        ),
    )
    model_folder: StringProperty(
        name="Your Own Model",
        description="Folder of a model that you trained yourself. Leave it empty to use the one inside the extension",
        subtype="DIR_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        column = layout.column()
        column.prop(self, "python", placeholder="leave empty")
        column.prop(self, "device")
        column.prop(self, "model_folder", placeholder="the model inside the extension")
        layout.use_property_split = False
        engine.draw(layout, context, full=True)
        status.error(layout, context, names.INSTALL_ENGINE)
