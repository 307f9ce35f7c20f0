"""One request to the engine from its start to its end, as a state that is polled.

A job holds plain values only - names, numbers, paths - so it survives whatever happens to the scene meanwhile.
"""

from __future__ import annotations

import enum
import itertools
import re
import time
from collections.abc import Callable, Generator

from ..shared import FootlightError, protocol
from .client import Engine, Exit
from .examine import NAMES
from .programs import last_line

CANCEL_SECONDS = 0.8
"""How long a cancelled engine may take to say so before it is ended: the user waits for at most a second."""

_numbers = itertools.count(1)


class JobState(enum.Enum):
    STARTING = "starting"  # asked; the engine has not said anything about this request yet
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self in (JobState.DONE, JobState.CANCELLED, JobState.FAILED)


class Preparation:
    """What has to be done in Blender itself before a request can be sent, a little with every poll.

    It is polled and cancelled as a Job is, and shown as one.

    steps: yields the fraction that is done, returns the request; may raise UserError.
    """

    def __init__(self, stage: str, steps: Generator[float, None, protocol.Request]) -> None:
        self.state = JobState.RUNNING
        self.stage = stage
        self.fraction = 0.0
        self.request: protocol.Request | None = None
        self.error = ""
        self._steps = steps

    def poll(self) -> JobState:
        """Go on for a moment."""
        if self.state.ended:
            return self.state
        try:
            self.fraction = next(self._steps)
        except StopIteration as end:
            self.request, self.state = end.value, JobState.DONE
        except FootlightError as error:
            self.error, self.state = str(error), JobState.FAILED
        return self.state

    def cancel(self) -> None:
        self._steps.close()
        self.state = JobState.CANCELLED


class Job:
    """Sends the request at once; ``poll`` moves the state on.

    request: None for a process that does one thing and needs not be asked, as the installer.
    stage, fraction: the progress to show.
    preview: the first seconds of a dance, once they are there.
    result: the engine's answer, once the state is DONE.
    error: one line for the user; kind: of the failure, as in ``protocol.Failed``.
    log: the engine's last words when it died.
    """

    def __init__(
        self, engine: Engine, request: protocol.Request | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.request = request
        self.number = next(_numbers)
        self.state = JobState.STARTING
        self.stage = "Preparing" if request is None or engine.version else "Starting the engine"
        self.fraction = 0.0
        self.preview: protocol.DancePreview | None = None
        self.result: protocol.Done | None = None
        self.error = ""
        self.kind = ""
        self.log = ""
        self._engine = engine
        self._clock = clock
        self._deadline = 0.0
        if request is not None:
            engine.send(protocol.request_to_json(self.number, request))

    def poll(self) -> JobState:
        """Take in what the engine has said. Never blocks."""
        if self.state.ended:
            return self.state
        for event in self._engine.events():
            self._take(event)
            if self.state.ended:
                return self.state
        if self.state is JobState.CANCELLING and self._clock() >= self._deadline:
            self._engine.stop()
            self.state = JobState.CANCELLED
        return self.state

    def cancel(self) -> None:
        """Ask the engine to stop; ``poll`` ends it if it does not answer in time."""
        if self.state in (JobState.STARTING, JobState.RUNNING):
            self.state = JobState.CANCELLING
            self.stage = "Cancelling"
            self._deadline = self._clock() + CANCEL_SECONDS
            self._engine.send(protocol.cancel_message(self.number))

    def _take(self, event: protocol.Event | Exit) -> None:
        cancelling = self.state is JobState.CANCELLING
        if isinstance(event, Exit):
            self._died(event.code)
        elif getattr(event, "id", None) not in (None, self.number):
            return  # a late word about an earlier request
        elif isinstance(event, protocol.Progress) and not cancelling:
            self.state, self.stage = JobState.RUNNING, event.stage
            self.fraction = min(max(event.fraction, 0.0), 1.0)
        elif isinstance(event, protocol.DancePreview) and not cancelling:
            self.preview = event
        elif isinstance(event, protocol.Done):
            # A result that arrives after Cancel is not used: the user has said no.
            self.state = JobState.CANCELLED if cancelling else JobState.DONE
            self.result = event
        elif isinstance(event, protocol.Cancelled):
            self.state = JobState.CANCELLED
        elif isinstance(event, protocol.Failed):
            self.state = JobState.CANCELLED if cancelling else JobState.FAILED
            self.error, self.kind = event.message, event.kind

    def _died(self, code: int) -> None:
        if self.state is JobState.CANCELLING:
            self.state = JobState.CANCELLED
            return
        self.state = JobState.FAILED
        self.log = self._engine.log_tail()
        last = last_line(self.log, "it left no message")
        who = "installer" if self.request is None else "engine"
        if lacking := re.match(r"ModuleNotFoundError: No module named '(\w+)", last):
            name = NAMES.get(lacking[1], lacking[1])
            self.error = f"The engine's Python has no {name}. Install Engine, or choose another in the preferences."
            return
        self.error = f"The {who} ended unexpectedly (code {code}): {last}"
