"""What every operator that waits for another process has in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import bpy

from .. import session
from ..api.target import Target, Written
from ..engine.job import JobState
from ..shared import FootlightError, protocol

INTERVAL = 0.1  # seconds between two looks at the job


class JobOperator:
    """Starts a job and sees it to its end: by a timer where there is a window, in a loop where there is none.

    Subclasses say how it starts; ``session.poll`` does everything else, so that a script and a click end alike.
    """

    _timer = None

    if TYPE_CHECKING:  # what bpy.types.Operator, the other base, brings along

        def report(self, kind: set[str], message: str) -> None: ...

        @classmethod
        def poll_message_set(cls, message: str) -> None: ...

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if session.busy():
            cls.poll_message_set("Footlight is at work")
            return False
        return True

    def begin(self, context: bpy.types.Context) -> None:
        """Check everything and start the job. Raises UserError when something is missing."""
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if bpy.app.background or context.window is None:
            return self.execute(context)
        if not self._start(context):
            return {"CANCELLED"}
        manager = context.window_manager
        self._timer = manager.event_timer_add(INTERVAL, window=context.window)
        manager.modal_handler_add(self)
        redraw(context)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not self._start(context):
            return {"CANCELLED"}
        state = session.poll()
        while session.busy():
            if not state.ended:
                time.sleep(INTERVAL / 2)
            state = session.poll()
        return self._end(state)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        shown = self._shown()
        try:
            state = session.poll()
        except Exception:
            self._drop_timer(context)
            raise
        if shown != self._shown():
            redraw(context)
        if not state.ended:
            return {"PASS_THROUGH"}
        self._drop_timer(context)
        return self._end(state)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender calls this when the window goes."""
        session.abandon("Stopped, because its window was closed; nothing was written.")
        self._drop_timer(context)

    @staticmethod
    def _shown() -> tuple | None:
        """What the panels show of the job, to the pixel's width of a progress bar."""
        job = session.state.job
        return job and (job.state, job.stage, round(job.fraction, 2))

    def _start(self, context: bpy.types.Context) -> bool:
        try:
            self.begin(context)
        except FootlightError as error:
            if not session.busy():
                session.drop_folder()
                session.state.error = str(error)
            self.report({"ERROR"}, str(error))
            return False
        return True

    def _end(self, state: JobState) -> set[str]:
        if state is JobState.FAILED:
            self.report({"ERROR"}, session.state.error)
        elif session.state.message:
            self.report({"INFO"}, session.state.message)
        if session.state.warning:
            self.report({"WARNING"}, session.state.warning)
        return {"FINISHED"} if state is JobState.DONE else {"CANCELLED"}

    def _drop_timer(self, context: bpy.types.Context) -> None:
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None


def finishing(write: Callable[[Target, Any], Written], target: Target) -> Callable[[protocol.Done], str]:
    """What the session does with the engine's answer: ``write`` it and keep what the panel shows of that.

    write: takes the answer to the request that was started.
    """

    def finish(done: protocol.Done) -> str:
        written = write(target, done)
        session.state.warning = session.without_folder(written.warning)
        return written.message

    return finish


def redraw(context: bpy.types.Context) -> None:
    """Draw the panels again: the progress they show is not one of Blender's own properties. Only the panels: drawing
    the 3D view itself ten times a second would cost the engine its processor."""
    regions = {"VIEW_3D": "UI", "PREFERENCES": "WINDOW"}
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if region.type == regions.get(area.type):
                    region.tag_redraw()
