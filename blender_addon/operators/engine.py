"""Install the engine, stop what it does, and end it."""

from __future__ import annotations

import bpy

from .. import names, session
from ..errors import UserError
from .job_operator import JobOperator, redraw


class FOOTLIGHT_OT_install_engine(JobOperator, bpy.types.Operator):
    """Download what the engine needs (about 250 MB) and install it into the extension's own folder"""

    bl_idname = about = names.INSTALL_ENGINE
    bl_label = "Install Engine"

    def begin(self, context: bpy.types.Context) -> None:
        if not bpy.app.online_access:
            raise UserError(
                "Blender is set to stay offline. Allow Online Access in Preferences > System > Network, then try again."
            )
        session.prepare()
        session.start_install(lambda _done: "The engine is installed.")


class FOOTLIGHT_OT_cancel(bpy.types.Operator):
    """Stop what Footlight is doing; nothing is written"""

    bl_idname = names.CANCEL
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return session.busy()

    def execute(self, context: bpy.types.Context) -> set[str]:
        session.cancel()
        redraw(context)
        return {"FINISHED"}


class FOOTLIGHT_OT_free_memory(bpy.types.Operator):
    """End the engine and give its memory back; the next dance starts it again"""

    bl_idname = names.FREE_MEMORY
    bl_label = "Free Memory"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return session.state.engine is not None and not session.busy()

    def execute(self, context: bpy.types.Context) -> set[str]:
        session.free()
        redraw(context)
        return {"FINISHED"}
