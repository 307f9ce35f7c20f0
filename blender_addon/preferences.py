"""The add-on's preferences."""
# pyright: reportInvalidTypeForm=false
# Blender's properties are annotations that are calls.

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, StringProperty

from . import environment, names, session


class FootlightPreferences(bpy.types.AddonPreferences):
    bl_idname = names.PACKAGE

    python: StringProperty(
        name="Python",
        description="The Python that runs the engine; empty: found automatically",
        subtype="FILE_PATH",
    )
    device: EnumProperty(
        name="Device",
        description="What the engine computes on",
        items=(
            ("auto", "Automatic", "The graphics card when the engine's torch supports it, else the processor"),
            ("cpu", "Processor", ""),
            ("cuda", "NVIDIA or AMD card", ""),
            ("mps", "Apple card", ""),
        ),
    )
    model_folder: StringProperty(
        name="Model",
        description="Folder of another model that this project trained; empty: the one inside the extension",
        subtype="DIR_PATH",
    )

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        column = layout.column()
        column.prop(self, "python", placeholder=str(environment.find_python() or "not found"))
        column.prop(self, "device")
        column.prop(self, "model_folder", placeholder="the model inside the extension")
        box = layout.box()
        engine = session.state.engine
        if job := session.state.job:
            box.progress(text=job.stage, factor=job.fraction)
            box.operator(names.CANCEL, icon="X")
            return
        if engine and engine.alive:
            box.label(text=f"The engine is running ({engine.device or 'starting'})", icon="CHECKMARK")
            box.operator(names.FREE_MEMORY, icon="MEMORY")
        elif environment.find_python():
            box.label(text="The engine is ready", icon="CHECKMARK")
        else:
            box.label(text="The engine is not installed yet", icon="INFO")
        box.operator(names.INSTALL_ENGINE, icon="IMPORT")
        if session.state.error:
            row = box.row()
            row.alert = True
            row.label(text=session.state.error, icon="ERROR")
