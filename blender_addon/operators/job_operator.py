"""What every operator that waits for another process has in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import bpy

from .. import names, notices, session, status_bar
from ..api.target import Target, Written, by_uid
from ..engine.job import JobState, Preparation
from ..shared import FootlightError, protocol
from .polling import SaysWhy
from .settings import OPERATIONS, lacking, settings_of, task

INTERVAL = 0.1  # seconds between two looks at the job


class JobOperator(SaysWhy):
    """Starts a job and sees it to its end: by a timer where there is a window, in a loop where there is none.

    Subclasses say how it starts; ``session.poll`` does everything else, so that a script and a click end alike.
    """

    _timer = None
    _clicked = False
    _drawn: tuple = ()
    about = ""
    """Its identifier. What ``bl_idname`` says of an operator that runs is not what it was registered by."""

    if TYPE_CHECKING:  # what bpy.types.Operator, the other base, brings along

        def report(self, kind: set[str], message: str) -> None: ...

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        session.check_idle()
        lack = lacking(context, cls.about) if cls.about in OPERATIONS else None
        return lack.long if lack else ""

    def begin(self, context: bpy.types.Context) -> None:
        """Check everything and start the job. Raises UserError when something is missing."""
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if bpy.app.background or context.window is None:
            return self.execute(context)
        self._clicked = True
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
        drawn = self._drawn
        try:
            state = session.poll()
        except Exception:
            self._drop_timer(context)
            raise
        self._drawn = _shown()
        if drawn != self._drawn:
            redraw(context)
        if not state.ended:
            return {"PASS_THROUGH"}
        self._drop_timer(context)
        return self._end(state)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender calls this when the window goes."""
        session.abandon("Stopped, because its window was closed; nothing was written.")
        self._drop_timer(context)

    def _start(self, context: bpy.types.Context) -> bool:
        notices.dismiss()
        try:
            self.begin(context)
        except FootlightError as error:
            if not session.busy():
                session.drop_folder()
                session.state.error, session.state.log = str(error), ""
            self._failed(str(error))
            return False
        return True

    def _end(self, state: JobState) -> set[str]:
        if state is JobState.FAILED:
            self._failed(session.state.error, session.state.log)
        elif session.state.message:
            self.report({"INFO"}, session.state.message)
        redraw(bpy.context)
        return {"FINISHED"} if state is JobState.DONE else {"CANCELLED"}

    def _failed(self, text: str, log: str = "") -> None:
        """Say it once: in the panel where one is open, else by a popup; without a window by an exception."""
        notices.tell(bpy.context, notices.Notice(text, self.about, log))
        redraw(bpy.context)
        if not (self._clicked and panel_is_open(bpy.context)):
            self.report({"ERROR"}, text)

    def _drop_timer(self, context: bpy.types.Context) -> None:
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None


def finishing(write: Callable[[Any, Any], Written], target: Target | list[Target]) -> Callable[[Any], str]:
    """What the session does with the engine's answer: ``write`` it, choose the dancer that was added for it, and tell.

    write: takes the target and the answer to the request that was started; of several requests, lists of them.
    """
    scene = (target[0] if isinstance(target, list) else target).scene

    def finish(done: Any) -> str:
        written = write(target, done)
        if written.dancer is not None:
            settings_of(by_uid(bpy.data.scenes, scene)).dancer = written.dancer
        session.state.warning = session.without_folder(written.warning)
        return written.message

    return finish


def ask(
    context: bpy.types.Context,
    about: str,
    target: Target,
    work: protocol.Request | Preparation,
    write: Callable[[Any, Any], Written],
) -> None:
    """Ask the engine for what an operator wants, and write its answer.

    about: the operator.
    write: as of ``finishing``.

    Raises UserError when the engine cannot be started.
    """
    session.start(work, finishing(write, target), about, task(context, about))


def _shown() -> tuple:
    """What is shown of the job, to the pixel's width of a progress bar."""
    text, fraction = session.progress()
    return session.busy(), text, round(fraction, 2)


def panel_is_open(context: bpy.types.Context) -> bool:
    """Whether one of Footlight's panels can be seen in any window."""
    return any(
        region.type == "UI" and region.width > 1 and getattr(region, "active_panel_category", "") == names.TAB
        for window in context.window_manager.windows
        for area in window.screen.areas
        if area.type in names.EDITORS
        for region in area.regions
    )


def redraw(context: bpy.types.Context) -> None:
    """Draw the panels and the status bar again: the progress they show is not one of Blender's own properties. Only
    these: drawing the 3D view itself ten times a second would cost the engine its processor."""
    regions = {"PREFERENCES": "WINDOW"} | dict.fromkeys(names.EDITORS, "UI")
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if region.type == regions.get(area.type):
                    region.tag_redraw()
        status_bar.redraw(context, window)
