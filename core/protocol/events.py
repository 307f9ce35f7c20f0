"""The events, and how they are messages."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any, ClassVar

from .. import records
from .requests import (
    BeatsRequest,
    DanceRequest,
    DuetRequest,
    Id,
    LightRequest,
    LookRequest,
    ScoreRequest,
    TheatreRequest,
)


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The engine has started.

    version: of Footlight.
    protocol: ``PROTOCOL`` of the engine.
    device: on which it computes.
    """

    type: ClassVar[str] = "ready"
    version: str
    protocol: int
    device: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A request is running.

    id: of the request.
    stage: the current step, for the user.
    fraction: 0-1 of the whole request.
    """

    type: ClassVar[str] = "progress"
    id: Id | None = None
    stage: str
    fraction: float


@dataclass(frozen=True, kw_only=True)
class DancePreview:
    """The first seconds of a dance were written, and the rest is being made.

    They are nearly those of the dance, see ``core.pipeline.begin_dance``. A song may be too short for any.

    id: of the request.
    out: the file.
    frames: their number.
    fps: frames per second.
    style: as in ``core.results.Dance``.
    out_light: the file of their light; None if it was not asked for.
    """

    type: ClassVar[str] = "preview"
    id: Id | None = None
    out: str
    frames: int
    fps: float
    style: str | None = None
    out_light: str | None = None


@dataclass(frozen=True, kw_only=True)
class Done:
    """A request has succeeded.

    warnings: what the user should know besides, a line each; see ``core.errors.FootlightWarning``.
    """

    type: ClassVar[str] = "done"
    op: ClassVar[str | None] = None
    id: Id | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BeatsDone(Done):
    """Beats were tracked.

    beats: (n,) seconds.
    downbeats: (n,) whether each beat starts a bar.
    tempo: beats per minute; 0 if unknown.
    metre: how many beats most bars have; 0 if unknown or if the beats are a guess.
    confidence: in [0, 1], how well the beats explain the song, as in ``core.types.Beats``; None if unknown.
    """

    op: ClassVar[str | None] = BeatsRequest.op
    beats: tuple[float, ...]
    downbeats: tuple[bool, ...]
    tempo: float
    metre: int = 0
    confidence: float | None = None


@dataclass(frozen=True, kw_only=True)
class DanceDone(BeatsDone):
    """A dance was written.

    out: the file.
    frames: its length.
    fps: frames per second.
    metrics: as in ``core.results.Dance``.
    style: as in ``core.results.Dance``.
    """

    op: ClassVar[str | None] = DanceRequest.op
    out: str
    frames: int
    fps: float
    metrics: dict[str, float]
    style: str | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreDone(BeatsDone):
    """A score was written.

    out: the file.
    seconds: its length.
    rate: its samples per second.
    metrics: as in ``core.results.Score``.
    """

    op: ClassVar[str | None] = ScoreRequest.op
    out: str
    seconds: float
    rate: int
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class DuetDone(BeatsDone):
    """A duet was written. The fields are as in ``DanceDone`` and ``ScoreDone``; metrics and style are the dance's."""

    op: ClassVar[str | None] = DuetRequest.op
    out_motion: str
    out_music: str
    frames: int
    fps: float
    seconds: float
    rate: int
    metrics: dict[str, float]
    style: str | None = None


@dataclass(frozen=True, kw_only=True)
class LightDone(BeatsDone):
    """A show was written.

    out: the file.
    frames: its length.
    fps: frames per second.
    sections: (n,) seconds where the song's sections begin.
    look: the name of the look.
    metrics: as in ``core.results.Light``.
    """

    op: ClassVar[str | None] = LightRequest.op
    out: str
    frames: int
    fps: float
    sections: tuple[float, ...]
    look: str
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class TheatreDone(DanceDone):
    """A dance and its light are there. The fields of ``DanceDone`` are the dance's, if it was given too.

    metrics: of the dance, as in ``core.results.LitDance``.
    out: the file of the dance, as written or as given.
    out_light: the file of the light, likewise; None if it was not asked for.
    look: the name of the look; empty for any.
    accent: what the body does on a beat, "strike" or "arrive".
    light_metrics: as in ``core.results.Light``.
    """

    op: ClassVar[str | None] = TheatreRequest.op
    out_light: str | None
    look: str
    accent: str
    light_metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class LookDone(Done):
    """A look can be read.

    look: its own name; that of a picture is the name of the nearest look.
    """

    op: ClassVar[str | None] = LookRequest.op
    look: str


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """A request was cancelled by its sender."""

    type: ClassVar[str] = "cancelled"
    id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A request has failed.

    id: of the request; None if it could not be read.
    kind: "input" (the user can correct it), "memory", "internal", or "protocol" (the message was not understood). The
        installer also has "install".
    message: one line for the user.
    """

    type: ClassVar[str] = "failed"
    id: Id | None = None
    kind: str
    message: str


Event = Ready | Progress | DancePreview | Done | Cancelled | Failed
EVENTS: dict[str, type[Event]] = {kind.type: kind for kind in typing.get_args(Event)}
ANSWERS: dict[str | None, type[Done]] = {
    kind.op: kind for kind in (DanceDone, ScoreDone, DuetDone, LightDone, TheatreDone, LookDone, BeatsDone)
}


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as a message."""
    op = {"op": event.op} if isinstance(event, Done) and event.op else {}
    return {"type": event.type, **op, **records.to_json(event)}


def event_from_json(message: dict[str, Any]) -> Event:
    """The event of a message whose type is one of ``EVENTS``. Raises FootlightError as ``request_from_json`` does."""
    kind, tags = EVENTS[message["type"]], {"type"}
    if kind is Done:
        kind, tags = ANSWERS.get(message.get("op"), Done), {"type", "op"}
    return records.from_json(kind, {name: message[name] for name in message if name not in tags}, message["type"])
