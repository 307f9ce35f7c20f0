"""The one engine and the one job that this Blender has running, and their end in every case."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import bpy
from bpy.app.handlers import persistent

from . import environment, names, notices
from .engine import timings
from .engine.client import Engine
from .engine.job import Job, JobState, Preparation
from .engine.pace import Pace, about, per_cent
from .engine.series import CANCELLED, Series
from .engine.timings import EVEN, Task
from .errors import UserError
from .scene import wording
from .shared import FootlightError, protocol


class Early(Protocol):
    """What is done with the first seconds of a dance before the rest is made. ``take_off`` may come several times after
    ``show``, even when the rest is there: a step back may bring them again."""

    def show(self, first: protocol.DancePreview) -> None: ...

    def take_off(self) -> None: ...


@dataclass
class Session:
    """What this Blender has running.

    engine: kept warm between jobs.
    job: what runs now, on ``worker``: the engine or the installer.
    about: the operator that started it.
    task, pace: what it is and how it goes on, where that is learnt.
    finish: what to do with its result.
    early: what to do with the first seconds of it.
    shown: all of that kind that were seen in this file.
    folder: its temporary files.
    error, message: how the last job ended, until the next one starts; warning: what the user should know besides; log:
        a file that tells more.
    """

    engine: Engine | None = None
    worker: Engine | None = None
    job: Job | Preparation | Series | None = None
    about: str = ""
    task: Task | None = None
    pace: Pace | None = None
    finish: Callable[[Any], str] | None = None
    early: Early | None = None
    shown: list[Early] = field(default_factory=list)
    folder: str = ""
    error: str = ""
    message: str = ""
    warning: str = ""
    log: str = ""


state = Session()


def busy() -> bool:
    return state.job is not None


def check_idle() -> None:
    """Raises UserError when a job runs."""
    if busy():
        raise UserError("Footlight is at work. Wait until it is done, or cancel it.")


def prepare() -> str:
    """A temporary folder for the job that is about to start; it goes when the job ends.
    Raises UserError when another job runs."""
    check_idle()
    drop_folder()
    state.folder = tempfile.mkdtemp(prefix="footlight-")
    return state.folder


def drop_folder() -> None:
    if state.folder:
        shutil.rmtree(state.folder, ignore_errors=True)
        state.folder = ""


def without_folder(text: str) -> str:
    """A message without the name of the job's temporary folder."""
    return wording.without_folder(text, state.folder) if state.folder else text


def start(
    work: protocol.Request | Preparation | Sequence[protocol.Request],
    finish: Callable[[Any], str],
    about: str = "",
    task: Task | None = None,
    early: Early | None = None,
) -> None:
    """Ask the engine, starting it when it is not running; a preparation goes on meanwhile.

    work: several requests are asked one after another, and what was done of them before a cancel or a failure is kept.
    finish: takes the engine's answer, of several requests the list of them, writes what belongs into the scene and
        returns what to tell the user; it may raise UserError.
    about: the operator that starts it.
    task: what it is, to learn how long such a thing takes here.
    early: takes the first seconds, if they are asked for.

    Raises UserError when the engine cannot be started.
    """
    before = state.engine
    engine = _running_engine()
    pace = None
    if task is not None:
        known, cold = learnt(), engine is not before
        pace = Pace(known.expect(task, cold), EVEN if isinstance(work, Sequence) else known.curve(task), cold)
    _begin(engine, _job(engine, work), finish, about)
    state.task, state.pace, state.early = task, pace, early


def _job(
    engine: Engine, work: protocol.Request | Preparation | Sequence[protocol.Request]
) -> Job | Preparation | Series:
    if isinstance(work, Preparation):
        return work
    return Series(engine, work) if isinstance(work, Sequence) else Job(engine, work)


def learnt() -> timings.Timings:
    """How long things take on this computer, as far as is known."""
    if _timings.known is None:
        _timings.known = timings.read(_timings_file())
    return _timings.known


def expected(task: Task) -> float | None:
    """Seconds from the click to the result; None where no such job was seen yet."""
    return learnt().total(task, cold=state.engine is None or not state.engine.alive)


@dataclass
class _Timings:
    known: timings.Timings | None = None


_timings = _Timings()


def _timings_file() -> Path:
    return environment.user_folder() / "timings.json"


def _learn() -> None:
    """What the job that is done has taken, where it was a single one."""
    if isinstance(state.job, Job) and state.task is not None and state.pace is not None:
        before = timings.read(_timings_file())  # another Blender may have learnt meanwhile
        _timings.known = before.learnt(state.task, state.pace.took())
        timings.write(_timings_file(), _timings.known)


def _running_engine() -> Engine:
    command = tuple(environment.engine_command())
    if state.engine and (not state.engine.alive or state.engine.command != command):
        free()
    if state.engine is None:
        state.engine = Engine(command, environment.ROOT, environment.log_file("engine"))
    return state.engine


def start_install(finish: Callable[[protocol.Done], str], large: bool = False) -> Job:
    """Run the installer as a job.

    large: with libraries for NVIDIA cards.

    Raises UserError as ``start``.
    """
    free()
    worker = Engine(environment.install_command(large), environment.ROOT, environment.log_file("install"))
    job = Job(worker, None)
    _begin(worker, job, finish, names.INSTALL_ENGINE)
    return job


def _begin(worker: Engine, job: Job | Preparation | Series, finish: Callable[[Any], str], about: str) -> None:
    state.error = state.message = state.warning = state.log = ""
    state.worker, state.job, state.finish, state.about = worker, job, finish, about


def progress() -> tuple[str, float]:
    """What is going on, in words and as a fraction; nothing where nothing is."""
    job, pace = state.job, state.pace
    if job is None:
        return "", 0.0
    if pace is None or job.state is JobState.CANCELLING:
        told = job.fraction
        return (f"{job.stage} {per_cent(told)}" if told else job.stage), told
    fraction, left = pace.fraction, pace.left
    stage = job.stage or "Working"
    if left is None and not fraction:
        return stage, 0.0
    text = f"{stage} {per_cent(fraction)}"
    return (f"{text}, {about(left)} left" if left is not None else text), fraction


def poll() -> JobState:
    """Move the job on; when it ends, finish it and forget it, whatever happens. Returns its state."""
    job, worker, finish = state.job, state.worker, state.finish
    if job is None:
        return JobState.CANCELLED
    assert worker is not None and finish is not None
    try:
        ended = job.poll()
        if not ended.ended:
            _show_early()
    except Exception:
        state.error = "Footlight failed; the system console says more."
        _forget()
        raise
    if state.pace is not None and job.state is not JobState.STARTING:
        state.pace.saw(job.fraction, preparing=isinstance(job, Preparation))
    if isinstance(job, Preparation) and ended is JobState.DONE:
        assert job.request is not None
        state.job = Job(worker, job.request)
        return state.job.state
    if not ended.ended:
        return ended
    try:
        if not isinstance(job, Preparation) and ended is JobState.DONE:
            assert job.result is not None
            _learn()
            state.message = finish(job.result)
            state.early = None  # the whole is in its place
            if isinstance(job, Series) and job.shortfall not in ("", CANCELLED):
                state.warning = wording.joined(without_folder(job.shortfall), state.warning)
        elif ended is JobState.FAILED:
            state.error = without_folder(job.error)
            all_is_said = worker is state.engine and worker.alive and getattr(job, "kind", "") != "internal"
            state.log = "" if all_is_said else str(worker.log)
        else:
            state.message = "Cancelled."
    except FootlightError as error:
        state.error = str(error)
        ended = JobState.FAILED
    except Exception:
        state.error = "Footlight failed while writing the result; the system console says more."
        raise
    finally:
        _forget()
    return ended


def _show_early() -> None:
    """Hand on the first seconds of a dance, once."""
    if isinstance(state.job, Job) and state.job.preview is not None and state.early is not None:
        first, state.job.preview = state.job.preview, None
        with contextlib.suppress(FootlightError):  # who is gone is missed when the whole is there
            state.early.show(first)
            state.shown.append(state.early)


def cancel() -> None:
    if state.job:
        state.job.cancel()


def abandon(reason: str) -> None:
    """End the job at once because what it was for is going away; nothing is written."""
    if state.job and state.worker:
        state.worker.stop()
        _forget()
        state.message = reason


def free() -> None:
    """End the engine and give its memory back. The next dance starts it again."""
    if state.engine:
        state.engine.stop(patience=0.5)
        state.engine = None


def stop() -> None:
    """End everything."""
    abandon("")
    free()
    drop_folder()


def _forget() -> None:
    """After a job: no job, no files, no first seconds without the rest, and no process that has gone or has nothing
    more to do."""
    early, worker = state.early, state.worker
    state.job = state.finish = state.worker = state.task = state.pace = state.early = None
    state.about = ""
    if worker and worker is not state.engine:
        worker.stop(patience=0.5)
    drop_folder()
    if state.engine and not state.engine.alive:
        free()
    if early is not None:
        early.take_off()


@persistent
def _before_load(*_args: object) -> None:
    abandon("Stopped, because another file was opened; nothing was written.")
    state.shown.clear()


@persistent
def _before_step(*_args: object) -> None:
    """Before an undo or a redo. They know nothing of the first seconds unless the user did something since, and would
    leave pointers to them."""
    if state.early is not None:
        state.early.take_off()


@persistent
def _after_step(*_args: object) -> None:
    """After an undo or a redo, which may have come to what the user did beside the first seconds of a dance."""
    for early in state.shown:
        early.take_off()


STEPS = {"undo_pre": _before_step, "redo_pre": _before_step, "undo_post": _after_step, "redo_post": _after_step}


def _leave() -> None:
    """End everything when Blender's data has gone already."""
    state.early = None
    stop()


def register() -> None:
    bpy.app.handlers.load_pre.append(_before_load)
    for name, handler in STEPS.items():
        getattr(bpy.app.handlers, name).append(handler)
    notices.register()
    atexit.register(_leave)


def unregister() -> None:
    atexit.unregister(_leave)
    for name, handler in STEPS.items():
        getattr(bpy.app.handlers, name).remove(handler)
    bpy.app.handlers.load_pre.remove(_before_load)
    notices.unregister()
    stop()
