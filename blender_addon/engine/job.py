"""One request to the engine from its start to its end, as a state that is polled.

A job holds plain values only - names, numbers, paths - so it survives whatever happens to the scene meanwhile.
"""

from __future__ import annotations

import enum
import itertools
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from ..shared import FootlightError, protocol
from .client import EXIT, Engine

CANCEL_SECONDS = 0.8
"""How long a cancelled engine may take to say so before it is ended: the user waits for at most a second."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Request:
    """What is asked of the engine.

    op: the protocol's operation ("dance", "score", "duet", "beats", "install").  values: its other fields, JSON values.
    """

    op: str
    values: dict = field(default_factory=dict)
    number: int = field(default_factory=lambda: next(_numbers))

    @classmethod
    def of(cls, asked: protocol.Request) -> Request:
        """The request that ``asked`` is on the wire."""
        message = protocol.request_to_json(0, asked)
        return cls(asked.op, {name: value for name, value in message.items() if name not in ("id", "op")})

    @property
    def message(self) -> dict:
        return {"id": self.number, "op": self.op, **self.values}


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

    steps: yields the fraction that is done, returns the request; may raise UserError.  It is polled and cancelled as a
    Job is, and shown as one.
    """

    def __init__(self, stage: str, steps: Generator[float, None, Request]) -> None:
        self.state = JobState.RUNNING
        self.stage = stage
        self.fraction = 0.0
        self.request: Request | None = None
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

    stage, fraction: the progress to show.  result: the engine's "done" event.  error: one line for the user;
    log: the engine's last words when it died.
    """

    def __init__(self, engine: Engine, request: Request, clock: Callable[[], float] = time.monotonic) -> None:
        self.request = request
        self.state = JobState.STARTING
        self.stage = "Starting the engine"
        self.fraction = 0.0
        self.result: dict = {}
        self.error = ""
        self.log = ""
        self._engine = engine
        self._clock = clock
        self._deadline = 0.0
        engine.send(request.message)

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
            self._engine.send({"op": "cancel", "id": self.request.number})

    def _take(self, event: dict) -> None:
        kind = event["type"]
        if kind == EXIT:
            self._died(event["code"])
        elif event.get("id", self.request.number) != self.request.number:
            return  # a late word about an earlier request
        elif kind == "progress" and self.state is not JobState.CANCELLING:
            self.state = JobState.RUNNING
            self.stage = str(event.get("stage", self.stage))
            fraction = event.get("fraction")
            if isinstance(fraction, int | float):
                self.fraction = min(max(float(fraction), 0.0), 1.0)
        elif kind == "done":
            # A result that arrives after Cancel is not used: the user has said no.
            cancelled = self.state is JobState.CANCELLING
            self.state = JobState.CANCELLED if cancelled else JobState.DONE
            self.result = event
        elif kind == "cancelled":
            self.state = JobState.CANCELLED
        elif kind == "failed":
            self.state = JobState.CANCELLED if self.state is JobState.CANCELLING else JobState.FAILED
            self.error = str(event.get("message", "The engine failed without saying why."))

    def _died(self, code: int) -> None:
        if self.state is JobState.CANCELLING:
            self.state = JobState.CANCELLED
            return
        self.state = JobState.FAILED
        self.log = self._engine.log_tail()
        last = next((line.strip() for line in reversed(self.log.splitlines()) if line.strip()), "it left no message")
        who = "installer" if self.request.op == "install" else "engine"
        self.error = f"The {who} ended unexpectedly (code {code}): {last}"
