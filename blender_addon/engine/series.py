"""Several requests to the engine, one after another, polled and shown as one job."""

from __future__ import annotations

from collections.abc import Sequence

from ..shared import protocol
from .client import Engine
from .job import Job, JobState

CANCELLED = "cancelled"
"""The shortfall of a series that was cancelled."""


class Series:
    """Sends each request when the one before is done. It is done when all are, and when it is cancelled or one fails
    after others were done: these are kept.

    requests: one or more.
    result: the engine's answers, in order.
    shortfall: why there are fewer answers than requests; empty where there are not.

    The other attributes are a ``Job``'s.
    """

    def __init__(self, engine: Engine, requests: Sequence[protocol.Request]) -> None:
        self._engine = engine
        self._waiting = list(requests)
        self._count = len(requests)
        self._job = Job(engine, self._waiting.pop(0))
        self._cancelled = False
        self.result: list[protocol.Done] = []
        self.shortfall = ""

    @property
    def state(self) -> JobState:
        state = self._job.state
        if state in (JobState.CANCELLED, JobState.FAILED) and self.result:
            return JobState.DONE
        if state is JobState.DONE and self._waiting and not self._cancelled:
            return JobState.RUNNING
        return state

    @property
    def stage(self) -> str:
        if self._job.state in (JobState.STARTING, JobState.CANCELLING):
            return self._job.stage
        return f"{min(len(self.result) + 1, self._count)} of {self._count}: {self._job.stage}"

    @property
    def fraction(self) -> float:
        """Of all requests together."""
        return min(len(self.result) + self._job.fraction, self._count) / self._count

    @property
    def error(self) -> str:
        return self._job.error

    @property
    def kind(self) -> str:
        return self._job.kind

    def poll(self) -> JobState:
        """Take in what the engine has said, and send the next request. Never blocks."""
        if self.state.ended:
            return self.state
        ended = self._job.poll()
        if ended is JobState.DONE:
            assert self._job.result is not None
            self.result.append(self._job.result)
            if self._waiting and not self._cancelled:
                self._job = Job(self._engine, self._waiting.pop(0))
        elif ended.ended and self.result:
            self.shortfall = CANCELLED if ended is JobState.CANCELLED else self._job.error
        return self.state

    def cancel(self) -> None:
        """Ask the engine to stop. What was done before is kept."""
        self._cancelled = True
        self._job.cancel()
