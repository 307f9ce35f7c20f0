"""The protocol of the engine: every request and every event, with bounds, defaults, units and help.

This is the only place where they are defined. The engine reads requests and writes events as JSON lines
(``core.engine``). The command line and the batches build their options from the fields (``core.arguments``), the panel
builds its properties. Numbers are checked when a request is created, so an existing request is within its bounds. What
depends on a model, such as the names of styles, is checked by ``core.pipeline``. The module needs only the standard
library, and Blender imports it too.

Every message is one JSON object on a line of its own:

    {"id": 1, "op": "dance", "song": PATH, "out": PATH, ...}   a request: its operation and its fields, of which
                                                               defaults may be omitted
    {"op": "cancel", "id": 1}                                  cancel a request that waits or runs
    {"op": "quit"}                                             end the engine, as the end of the input does
    {"type": "ready", ...}                                     once, at the start
    {"type": "progress", "id": 1, ...}
    {"type": "done", "op": "dance", "id": 1, ...}              one of the last three for every request
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

PROTOCOL = 3  # increased whenever an older engine or add-on would misunderstand a message

LARGEST_SEED = 2**63 - 1
SLOWEST_FPS = 1.0
FASTEST_FPS = 240.0
FASTEST_CAPTURE_FPS = 2000.0  # of a motion that is read
SHORTEST_SECONDS = 1.0  # of a song or a motion
SONG_FILES = "wav, flac, ogg, opus or mp3"
SWITCH = 0.5
"""Default of Tc / T in MoMu-Diffusion (section 4.3). The paper found 0.3 to 0.7 robust; 0.9 fails."""

LEAST_VARIATION = 0.05
"""Of an edit; less than that is the same dance."""

Id = int | str
"""Identifies a request and the events that belong to it."""


@dataclass(frozen=True)
class Rule:
    """What is known of a field besides its type and default.

    help: what the field is, starting in lower case and without a full stop.
    unit: of a number, in the plural.
    least: lower bound, inclusive.
    most: upper bound, inclusive.
    unset: what None means.
    file: "read" or "written" if the field is the path of a file.
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
        """The bounds in words, such as "1 to 240 frames per second"; empty without bounds."""
        if not self.bounded:
            return ""
        assert self.least is not None, "an upper bound needs a lower one"
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
    """The type of a request's field, without None."""
    hint = _hints(kind)[name]
    return next((kind for kind in typing.get_args(hint) if kind is not type(None)), hint)


def check(kind: type, **values: float | None) -> None:
    """Raises FootlightError for the first of the given fields of ``kind`` whose value is out of bounds."""
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


# Options


@dataclass(frozen=True, kw_only=True)
class Options:
    """Values within their bounds. Creating one with other values raises FootlightError."""

    def __post_init__(self) -> None:
        check(type(self), **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)})


@dataclass(frozen=True, kw_only=True)
class Seeded(Options):
    """Options of everything that chance decides."""

    seed: int = _option(
        0, "the same seed gives the same result, another seed another result", least=0, most=LARGEST_SEED
    )


@dataclass(frozen=True, kw_only=True)
class Sampling(Seeded):
    """Options of everything that a model samples."""

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
        "one of the model's styles, or a mixture such as salsa:0.6,pop:0.4",
        unset="drawn by the seed for a dance, none for music",
    )


@dataclass(frozen=True, kw_only=True)
class Dancing(Options):
    """Options of every dance."""

    fps: float = _option(30.0, "frame rate of the dance", unit="frames per second", least=SLOWEST_FPS, most=FASTEST_FPS)
    beat_snap: float = _option(0.25, "how strongly the dance's accents are moved onto the beats", least=0.0, most=1.0)


@dataclass(frozen=True, kw_only=True)
class DanceOptions(Sampling, Dancing):
    """Options of a dance to a song."""


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(Sampling):
    """Options of a score for a motion."""


@dataclass(frozen=True, kw_only=True)
class DuetOptions(Sampling, Dancing):
    """Options of a duet, a dance and its music generated together.

    Guidance and style apply to both. A style that the seed draws applies only to the dance.
    """

    seconds: float = _option(30.0, "length of the dance and its music", unit="seconds", least=5.0, most=240.0)
    switch: float = _option(
        SWITCH, "fraction of the steps, the last ones, in which dance and music follow each other", least=0.0, most=1.0
    )


@dataclass(frozen=True, kw_only=True)
class LightOptions(Seeded):
    """Options of the light for a song."""

    look: str = _option(
        "musical", "one of the looks that `core looks` lists, a LOOK.json, or a picture (jpg, png, webp) to light like"
    )


@dataclass(frozen=True, kw_only=True)
class Part(Options):
    """The part of a song or a motion that is used."""

    start: float = _option(0.0, "where to start", unit="seconds", least=0.0)
    seconds: float | None = _option(None, "how much to use", unit="seconds", least=0.0, unset="all of it")


@dataclass(frozen=True, kw_only=True)
class Song(Part):
    """The song, or the part of it, that is used."""

    song: str = _needed(f"{SONG_FILES}; with ffmpeg on PATH m4a, webm, wma and others too", file="read")


@dataclass(frozen=True, kw_only=True)
class CountedSong(Song):
    """A song whose beats may be given."""

    beats: str | None = _option(
        None, "BEATS.json: the beats of the whole song, see docs/beats.md", unset="tracked in the song", file="read"
    )


@dataclass(frozen=True, kw_only=True)
class Sound(Options):
    """Options of the files of every score."""

    mono: bool = _option(False, "one channel instead of two")
    midi: str | None = _option(None, "OUT.mid: also write the beats and drums, for editing", file="written")
    vocoder: str | None = _option(
        None, "griffin-lim, or a BigVGAN checkpoint with its config.json beside it", unset="the model's own"
    )


@dataclass(frozen=True, kw_only=True)
class Editing(Options):
    """What is made anew of a dance that there is; without one, a whole dance is made.

    Raises FootlightError for the other fields without a dance.
    """

    edit: str | None = _option(
        None,
        "a dance to edit, BVH of any humanoid or NPZ; all that is not made anew stays as it is, see docs/edits.md",
        unset="a new dance is made",
        file="read",
    )
    range: str | None = _option(
        None,
        'what is made anew: "bars 17:20", "the third eight", seconds 12.5:20 or "frames 375:600"',
        unset="all of the dance",
    )
    joints: str | None = _option(
        None,
        "the part of the body that is made anew: upper, lower, arms, left arm, right arm, head, torso, legs, or "
        "several, separated by commas",
        unset="all of it",
    )
    keys: str | None = _option(
        None, "KEYS.json: poses inside the range that are hit exactly", unset="none", file="read"
    )
    path: str | None = _option(None, "PATH.json: a curve on the floor to be followed", unset="none", file="read")
    variation: float = _option(1.0, "from a little different to anew", least=LEAST_VARIATION, most=1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [name for name in ("range", "joints", "keys", "path") if getattr(self, name) is not None]
        if self.edit is None and given:
            raise FootlightError(f"{given[0]} says what is made anew of a dance; give the dance with edit")


# Requests

MUSIC_FILES = "OUT.wav, OUT.flac or OUT.ogg"


@dataclass(frozen=True, kw_only=True)
class DanceRequest(DanceOptions, CountedSong, Editing):
    """Generate a dance to a song, or make a part of one anew, as an .npz file of ``core.formats.dance``.

    The command line also writes .bvh.
    """

    op: ClassVar[str] = "dance"
    out: str = _needed("OUT.bvh (y-up, centimetres) or OUT.npz (arrays)", file="written")


@dataclass(frozen=True, kw_only=True)
class ScoreRequest(ScoreOptions, Part, Sound):
    """Generate a score for a motion."""

    op: ClassVar[str] = "score"
    motion: str = _needed(
        "BVH of any humanoid, NPZ of Footlight, SMPL poses or joints (npz, npy, pkl), or a folder of OpenPose files",
        file="read",
    )
    out: str = _needed(MUSIC_FILES, file="written")
    fps: float | None = _option(
        None,
        "frame rate of a motion whose files do not state it, such as OpenPose's",
        unit="frames per second",
        least=SLOWEST_FPS,
        most=FASTEST_CAPTURE_FPS,
    )
    rest: str | None = _option(
        None,
        "the T-pose of a BVH: zero (rotations), first-frame, motion (found from it), or a BVH that begins with it",
        unset="found by itself",
    )
    beats: str | None = _option(
        None,
        "BEATS.json: the beats of the music, in seconds of the motion, see docs/beats.md",
        unset="tracked in the motion",
        file="read",
    )


@dataclass(frozen=True, kw_only=True)
class DuetRequest(DuetOptions, Sound):
    """Generate a dance and its music together."""

    op: ClassVar[str] = "duet"
    out_motion: str = _needed("OUT.bvh (y-up, centimetres) or OUT.npz (arrays)", file="written")
    out_music: str = _needed(MUSIC_FILES, file="written")


@dataclass(frozen=True, kw_only=True)
class LightRequest(LightOptions, CountedSong):
    """Write the light for a song, and for a dance to it, as a SHOW.json of ``core.show.file``."""

    op: ClassVar[str] = "light"
    out: str = _needed("SHOW.json", file="written")
    motion: str | None = _option(
        None, "the dance whose energy and place the light follows: BVH or NPZ", unset="nobody", file="read"
    )


@dataclass(frozen=True, kw_only=True)
class BeatsRequest(Song):
    """Track the beats of a song."""

    op: ClassVar[str] = "beats"


@dataclass(frozen=True, kw_only=True)
class FreeRequest(Options):
    """Free the model's memory. The next request loads it again."""

    op: ClassVar[str] = "free"


Request = DanceRequest | ScoreRequest | DuetRequest | LightRequest | BeatsRequest | FreeRequest
REQUESTS: dict[str, type[Request]] = {kind.op: kind for kind in typing.get_args(Request)}


def request_to_json(number: Id, request: Request) -> dict[str, Any]:
    """A request as a message."""
    return {"id": number, "op": request.op, **records.to_json(request)}


def request_from_json(message: dict[str, Any]) -> Request:
    """The request of a message whose operation is known.

    Raises FootlightError for a field that is unknown, missing, of another type or out of bounds.
    """
    fields = {name: value for name, value in message.items() if name not in ("id", "op")}
    return records.from_json(REQUESTS[message["op"]], fields, message["op"])


def cancel_message(number: Id) -> dict[str, Any]:
    """The message that cancels the request of that id."""
    return {"op": "cancel", "id": number}


# Events


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
    metre: how many beats most bars have; 0 if unknown.
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


Event = Ready | Progress | Done | Cancelled | Failed
EVENTS: dict[str, type[Event]] = {kind.type: kind for kind in typing.get_args(Event)}
ANSWERS: dict[str | None, type[Done]] = {
    kind.op: kind for kind in (DanceDone, ScoreDone, DuetDone, LightDone, BeatsDone)
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
