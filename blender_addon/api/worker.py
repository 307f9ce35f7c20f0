"""The engine for a script: started, asked, waited for, and ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from .. import environment
from ..engine.client import Engine
from ..engine.job import Job, JobState, Preparation
from ..errors import UserError
from ..shared import protocol

INTERVAL = 0.05  # seconds between two looks at the job
PATIENCE = 2.0  # seconds that the engine has to end by itself

Tell = Callable[[str, float], None]
"""Takes what is going on, in a few words, and the fraction of it that is done. Called often."""


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """The engine as the preferences and the environment name it, for as long as it is needed.
    Raises UserError when it is not installed or cannot be started."""
    started = Engine(environment.engine_command(), environment.ROOT, environment.log_file("script"))
    try:
        yield started
    finally:
        started.stop(PATIENCE)


def answer(
    engine: Engine, work: protocol.Request | Preparation, tell: Tell = lambda _stage, _fraction: None
) -> protocol.Done:
    """The engine's answer to what a ``request`` of this room returned, which ``write`` takes.
    Raises UserError when it fails."""
    if isinstance(work, Preparation):
        _wait(work, tell, pause=0.0)
        request = work.request
        assert request is not None
    else:
        request = work
    job = Job(engine, request)
    _wait(job, tell, pause=INTERVAL)
    assert job.result is not None
    return job.result


def _wait(job: Job | Preparation, tell: Tell, pause: float) -> None:
    """Until it is done. Raises UserError when it ends otherwise."""
    tell(job.stage, job.fraction)
    while not job.poll().ended:
        tell(job.stage, job.fraction)
        time.sleep(pause)
    if job.state is not JobState.DONE:
        raise UserError(job.error or "The engine was told to stop.")
