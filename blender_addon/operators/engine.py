"""Install the engine, replace it, take it away; stop what it does, and end it; what to send when something is wrong."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from .. import environment, names, readiness, report, session
from ..engine import places, sizes
from ..engine.job import JobState
from ..errors import UserError
from ..shared import protocol
from .at_once import AtOnce
from .job_operator import JobOperator, redraw


class FOOTLIGHT_OT_install_engine(JobOperator, bpy.types.Operator):
    """Install what makes the dances, in the extension's own folder. A working engine is kept until the new one has
    been tried"""

    bl_idname = about = names.INSTALL_ENGINE
    bl_label = "Install Engine"

    large: BoolProperty(  # pyright: ignore[reportInvalidTypeForm]
        name="With NVIDIA Libraries",
        description="Install PyTorch with its libraries for NVIDIA graphics cards: a far larger download",
        options={"SKIP_SAVE"},
    )
    go_online: BoolProperty(  # pyright: ignore[reportInvalidTypeForm]
        name="Allow Online Access",
        description="Allow Blender and its extensions to go online first, as in Preferences > System > Network",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return f"{(cls.__doc__ or '').replace(chr(10) + '    ', ' ')}. {cost_text(properties.large)}"

    def begin(self, context: bpy.types.Context) -> None:
        if self.go_online and not bpy.app.online_access_override:
            context.preferences.system.use_online_access = True
        if not (environment.carries_engine() or bpy.app.online_access):
            raise UserError(
                "Blender is set to stay offline. Allow Online Access in Preferences > System > Network, then try again."
            )
        session.prepare()
        self._job = session.start_install(_installed, large=self.large)

    def _end(self, state: JobState) -> set[str]:
        kind = "" if state is JobState.DONE else self._job.kind or state.value
        readiness.installation_ended(kind, done=lambda: redraw(bpy.context))
        return super()._end(state)


def _installed(_done: protocol.Done) -> str:
    """The field for another Python is emptied: what was just installed is to be used."""
    chosen = environment.chosen_python()
    if chosen is None:
        return "The engine is installed."
    environment.use_installed()
    return f"The engine is installed and is used from now on instead of {chosen}."


def cost_text(large: bool) -> str:
    """What an installation costs, before the click."""
    cost = sizes.cost(large)
    if environment.carries_engine():
        return f"{sizes.text(cost.disk)} on the disk. No network is needed"
    return f"Downloads {sizes.text(cost.download)}, needs {sizes.text(cost.disk)} on the disk"


class FOOTLIGHT_OT_reinstall_engine(bpy.types.Operator):
    """Install the engine again. The one that you have is kept until the new one has been tried"""

    bl_idname = names.REINSTALL_ENGINE
    bl_label = "Reinstall"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return not session.busy()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(
            self,
            event,
            title="Install the engine again?",
            message=f"{cost_text(False)}. The engine that you have is kept until the new one has been tried.",
            confirm_text="Reinstall",
        )

    def execute(self, _context: bpy.types.Context) -> set[str]:
        if bpy.app.background:
            return bpy.ops.footlight.install_engine()
        bpy.ops.footlight.install_engine("INVOKE_DEFAULT")
        return {"FINISHED"}  # that one goes on by itself


class FOOTLIGHT_OT_remove_engine(AtOnce, bpy.types.Operator):
    """Delete the installed engine and what was downloaded for it. Your dances and music stay"""

    bl_idname = names.REMOVE_ENGINE
    bl_label = "Remove"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return not session.busy()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(
            self,
            event,
            title="Remove the engine?",
            message="Dances and music stay. To make new ones the engine has to be installed again.",
            confirm_text="Remove",
        )

    def act(self, context: bpy.types.Context) -> str:
        session.free()
        try:
            places.remove(environment.engine_places())
        except OSError as error:
            reason = f"{error.filename} cannot be deleted ({error.strerror})."
            raise UserError(f"{reason} Close what uses it.") from None
        finally:
            readiness.forget()
            redraw(context)
        return "The engine is removed."


class FOOTLIGHT_OT_use_installed_engine(bpy.types.Operator):
    """Empty the field Python, so that the engine that you installed is used again"""

    bl_idname = names.USE_INSTALLED
    bl_label = "Use the Installed Engine"

    def execute(self, context: bpy.types.Context) -> set[str]:
        environment.use_installed()
        readiness.forget()
        redraw(context)
        return {"FINISHED"}


class FOOTLIGHT_OT_open_log(bpy.types.Operator):
    """Open what the engine, or its installation, wrote down"""

    bl_idname = names.OPEN_LOG
    bl_label = "Open Log"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return report.latest_log() is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        return bpy.ops.wm.path_open(filepath=str(report.latest_log()))


class FOOTLIGHT_OT_copy_report(bpy.types.Operator):
    """Copy what somebody needs to know who is to help: versions, the computer, the last lines of the logs. Your name
    and your folders are left out"""

    bl_idname = names.COPY_REPORT
    bl_label = "Copy Report"

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.window_manager.clipboard = report.text()
        self.report({"INFO"}, "The report is on the clipboard. Paste it where you ask for help.")
        return {"FINISHED"}


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
    """End the engine: it frees about half a gigabyte of memory, and the next dance starts 5 seconds later"""

    bl_idname = names.FREE_MEMORY
    bl_label = "Stop Engine"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return session.state.engine is not None and not session.busy()

    def execute(self, context: bpy.types.Context) -> set[str]:
        session.free()
        redraw(context)
        return {"FINISHED"}
