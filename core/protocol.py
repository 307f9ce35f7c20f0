"""What is asked of Footlight and what it answers: every request and every event, with bounds, defaults, units and help.

This is the only place that states them. The engine reads requests and writes events as JSON lines (``core.engine``);
the command line and the batches make their options from the fields (``core.arguments``), and the panel its properties.
Numbers are checked when a request is made, so that one that exists is within its bounds. What depends on a model, such
as the names of styles, is checked by ``core.pipeline``. It uses the standard library alone, and Blender imports it too.

On the wire every message is one JSON object a line:

    {"id": 1, "op": "dance", "song": PATH, "out": PATH, ...}   a request: its operation and its fields; defaults may be
                                                               left out
    {"op": "cancel", "id": 1}                                  give up a request that waits or is at work
    {"op": "quit"}                                             so does the end of the input
    {"type": "ready", ...}                                     first, once
    {"type": "progress", "id": 1, ...}
    {"type": "done", "op": "dance", "id": 1, ...}              then one of these three for every request
    {"type": "cancelled", "id": 1}
    {"type": "failed", "id": 1, "kind": KIND, "message": one line}
"""

from __future__ import annotations

import dataclasses
import functools
import math
import typing
from dataclasses import dataclass
from typing import Any, ClassVar

from . import records
from .errors import FootlightError

PROTOCOL = 2
"""Raised whenever an older partner would misunderstand."""

LARGEST_SEED = 2**63 - 1
SLOWEST_FPS = 1.0
FASTEST_FPS = 240.0
SHORTEST_SECONDS = 1.0
"""The least of a song or of a motion that there is anything to be made of."""
SWITCH = 0.5
"""Tc / T of MoMu-Diffusion (section 4.3), which found 0.3 to 0.7 robust and 0.9 to fail."""

Id = int | str
"""By which a request and its events belong together."""


@dataclass(frozen=True)
class Rule:
    """What is known of a field besides its type and default.

    help: what it is, in words that begin in lower case and end without a full stop.  unit: of a number, in the plural.
    least, most: its bounds, both included.  unset: what None means.
    file: "read" or "written" where the field is the path of a file.
    """

    help: str
    unit: str = ""
    least: float | None = None
    most: float | None = None
    unset: str = ""
    file: str = ""

    @property
    def bounded(self) -> bool:
        return self.least is not None or self.most is not None

    @property
    def expected(self) -> str:
        """The bounds in words, such as "1 to 240 frames per second"; nothing where there are none."""
        if not self.bounded:
            return ""
        assert self.least is not None, "a greatest value comes with a least one"
        bounds = (
            f"{_shown(self.least)} or more" if self.most is None else f"{_shown(self.least)} to {_shown(self.most)}"
        )
        return f"{bounds} {self.unit}".rstrip()


def rule(kind: type, name: str) -> Rule:
    """The rule of a request's field."""
    return kind.__dataclass_fields__[name].metadata["rule"]


def default(kind: type, name: str) -> Any:
    """The default of a request's field."""
    return kind.__dataclass_fields__[name].default


def plain_type(kind: type, name: str) -> type:
    """The type of a request's field, of one that may be None the other type."""
    hint = _hints(kind)[name]
    return next((kind for kind in typing.get_args(hint) if kind is not type(None)), hint)


def check(kind: type, **values: float | None) -> None:
    """Raises FootlightError for the first number that is out of the bounds of the field of its name."""
    for name, value in values.items():
        bounds = rule(kind, name)
        if value is None or not bounds.bounded:
            continue
        least = -math.inf if bounds.least is None else bounds.least
        most = math.inf if bounds.most is None else bounds.most
        if not (math.isfinite(value) and least <= value <= most):
            shown = f"{value:g}" if isinstance(value, float) else value
            raise FootlightError(f"{name.replace('_', ' ')} is {shown}; expected {bounds.expected}")


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _shown(number: float) -> str:
    power = int(number).bit_length()
    return f"2^{power} - 1" if power > 32 and number == 2**power - 1 else f"{number:g}"


def _option(default: Any, help: str, **of_rule: Any) -> Any:
    return dataclasses.field(default=default, metadata={"rule": Rule(help, **of_rule)})


def _needed(help: str, **of_rule: Any) -> Any:
    return dataclasses.field(metadata={"rule": Rule(help, **of_rule)})


# What a person may choose


@dataclass(frozen=True, kw_only=True)
class Options:
    """Values within their bounds. Making one of others raises FootlightError."""

    def __post_init__(self) -> None:
        check(type(self), **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)})


@dataclass(frozen=True, kw_only=True)
class Sampling(Options):
    """What everything that a model draws has in common."""

    seed: int = _option(0, "the same seed gives the same result, another seed another one", least=0, most=LARGEST_SEED)
    steps: int | None = _option(None, "denoising steps", least=1, unset="the model's own")
    guidance: float | None = _option(
        None,
        "how closely to follow the music, the motion or each other; 1 is no guidance",
        least=0.0,
        most=20.0,
        unset="the model's own",
    )
    style: str | None = _option(
        None,
        "one of the model's styles, or a mixture as in salsa:0.6,pop:0.4",
        unset="the seed draws one for a dance; music has none",
    )


@dataclass(frozen=True, kw_only=True)
class Dancing(Options):
    """What dances have in common."""

    fps: float = _option(30.0, "frame rate of the dance", unit="frames per second", least=SLOWEST_FPS, most=FASTEST_FPS)
    beat_snap: float = _option(0.25, "how strongly the dance's accents are moved onto the beats", least=0.0, most=1.0)


@dataclass(frozen=True, kw_only=True)
class DanceOptions(Sampling, Dancing):
    """How to dance to a song."""


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(Sampling):
    """How to make the music of a motion."""


@dataclass(frozen=True, kw_only=True)
class DuetOptions(Sampling, Dancing):
    """How to make a dance and its music from nothing. Guidance and style go to both; a style that is drawn goes to the
    dance alone."""

    seconds: float = _option(30.0, "how long the dance and its music are", unit="seconds", least=5.0, most=240.0)
    switch: float = _option(
        SWITCH, "when the two begin to follow each other, as a share of the steps", least=0.0, most=1.0
    )


@dataclass(frozen=True, kw_only=True)
class Part(Options):
    """Which part of a song or of a motion."""

    start: float = _option(0.0, "where in it to begin", unit="seconds", least=0.0)
    seconds: float | None = _option(None, "how much of it to take", unit="seconds", least=0.0, unset="all of it")


@dataclass(frozen=True, kw_only=True)
class Sound(Options):
    """What musics have in common as files."""

    mono: bool = _option(False, "one channel instead of two")
    midi: str | None = _option(None, "OUT.mid: also the beats and the drums, to be edited", file="written")
    vocoder: str | None = _option(
        None, "griffin-lim, or a BigVGAN checkpoint with its config.json beside it", unset="the model's own"
    )


# Requests

SONG_FILES = "wav, flac, ogg, opus or mp3"
MUSIC_FILES = "OUT.wav, OUT.flac or OUT.ogg"


@dataclass(frozen=True, kw_only=True)
class DanceRequest(DanceOptions, Part):
    """A dance to a song, as an .npz of ``core.formats.dance``. The command line also writes .bvh."""

    op: ClassVar[str] = "dance"
    song: str = _needed(SONG_FILES, file="read")
    out: str = _needed("OUT.bvh (y-up, centimetres) or OUT.npz (arrays)", file="written")


@dataclass(frozen=True, kw_only=True)
class ScoreRequest(ScoreOptions, Part, Sound):
    """The music of a motion."""

    op: ClassVar[str] = "score"
    motion: str = _needed(
        "BVH of any humanoid, NPZ (rotations or positions), or a folder of OpenPose BODY_25", file="read"
    )
    out: str = _needed(MUSIC_FILES, file="written")
    fps: float | None = _option(
        None,
        "frame rate of a motion that does not say its own, such as OpenPose's",
        unit="frames per second",
        least=SLOWEST_FPS,
        most=FASTEST_FPS,
    )


@dataclass(frozen=True, kw_only=True)
class DuetRequest(DuetOptions, Sound):
    """A dance and its music from nothing."""

    op: ClassVar[str] = "duet"
    out_motion: str = _needed("OUT.bvh (y-up, centimetres) or OUT.npz (arrays)", file="written")
    out_music: str = _needed(MUSIC_FILES, file="written")


@dataclass(frozen=True, kw_only=True)
class BeatsRequest(Part):
    """The beats of a song."""

    op: ClassVar[str] = "beats"
    song: str = _needed(SONG_FILES, file="read")


@dataclass(frozen=True, kw_only=True)
class FreeRequest(Options):
    """Give the model's memory back; the next request loads it again."""

    op: ClassVar[str] = "free"


Request = DanceRequest | ScoreRequest | DuetRequest | BeatsRequest | FreeRequest
REQUESTS: dict[str, type[Request]] = {kind.op: kind for kind in typing.get_args(Request)}


def request_to_json(number: Id, request: Request) -> dict[str, Any]:
    """A request as it is sent."""
    return {"id": number, "op": request.op, **records.to_json(request)}


def request_from_json(message: dict[str, Any]) -> Request:
    """The request of a message whose operation is known. Raises FootlightError for fields that are unknown, missing,
    of another type or out of bounds."""
    fields = {name: value for name, value in message.items() if name not in ("id", "op")}
    return records.from_json(REQUESTS[message["op"]], fields, message["op"])


def cancel_message(number: Id) -> dict[str, Any]:
    """What gives up the request of that id."""
    return {"op": "cancel", "id": number}


# Events


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The engine has started. version: of Footlight.  device: that it computes on."""

    type: ClassVar[str] = "ready"
    version: str
    protocol: int
    device: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A request is at work. stage: what it does, for a person.  fraction: 0 to 1 of the whole request."""

    type: ClassVar[str] = "progress"
    id: Id | None = None
    stage: str
    fraction: float


@dataclass(frozen=True, kw_only=True)
class Done:
    """A request has ended well."""

    type: ClassVar[str] = "done"
    op: ClassVar[str | None] = None
    id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class BeatsDone(Done):
    """beats: (n,) seconds.  downbeats: (n,), true where a beat begins a bar.  tempo: beats per minute, 0 if unknown."""

    op: ClassVar[str | None] = BeatsRequest.op
    beats: tuple[float, ...]
    downbeats: tuple[bool, ...]
    tempo: float


@dataclass(frozen=True, kw_only=True)
class DanceDone(BeatsDone):
    """out: the file.  metrics and style: as in ``core.results.Dance``."""

    op: ClassVar[str | None] = DanceRequest.op
    out: str
    frames: int
    fps: float
    metrics: dict[str, float]
    style: str | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreDone(BeatsDone):
    """out: the file.  rate: its samples per second.  metrics: as in ``core.results.Score``."""

    op: ClassVar[str | None] = ScoreRequest.op
    out: str
    seconds: float
    rate: int
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class DuetDone(BeatsDone):
    """Both files. metrics and style: of the dance."""

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
class Cancelled:
    """A request was given up, as was asked."""

    type: ClassVar[str] = "cancelled"
    id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A request has ended badly. kind: "input" (its sender can put it right), "memory", "internal", or "protocol" (it
    could not be understood); of the installer "install".  message: one line for a person."""

    type: ClassVar[str] = "failed"
    id: Id | None = None
    kind: str
    message: str


Event = Ready | Progress | Done | Cancelled | Failed
EVENTS: dict[str, type[Event]] = {kind.type: kind for kind in typing.get_args(Event)}
ANSWERS: dict[str | None, type[Done]] = {kind.op: kind for kind in (DanceDone, ScoreDone, DuetDone, BeatsDone)}


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as it is sent."""
    op = {"op": event.op} if isinstance(event, Done) and event.op else {}
    return {"type": event.type, **op, **records.to_json(event)}


def event_from_json(message: dict[str, Any]) -> Event:
    """The event of a message whose type is one of ``EVENTS``. Raises FootlightError as ``request_from_json``."""
    kind, tags = EVENTS[message["type"]], {"type"}
    if kind is Done:
        kind, tags = ANSWERS.get(message.get("op"), Done), {"type", "op"}
    return records.from_json(kind, {name: message[name] for name in message if name not in tags}, message["type"])
