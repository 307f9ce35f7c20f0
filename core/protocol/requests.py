"""The requests, and how they are messages."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any, ClassVar

from .. import records
from .options import (
    FASTEST_CAPTURE_FPS,
    SLOWEST_FPS,
    CountedSong,
    DanceOptions,
    DuetOptions,
    Editing,
    LightOptions,
    Options,
    Part,
    ScoreOptions,
    Song,
    Sound,
)
from .rules import needed, option

Id = int | str
"""Identifies a request and the events that belong to it."""

MUSIC_FILES = "OUT.wav, OUT.flac or OUT.ogg"


@dataclass(frozen=True, kw_only=True)
class DanceRequest(DanceOptions, CountedSong, Editing):
    """Generate a dance to a song, or make a part of one anew, as an .npz file of ``core.formats.dance``.

    The command line also writes .bvh.
    """

    op: ClassVar[str] = "dance"
    out: str = needed("OUT.bvh (y-up, centimetres) or OUT.npz (arrays)", file="written")


@dataclass(frozen=True, kw_only=True)
class ScoreRequest(ScoreOptions, Part, Sound):
    """Generate a score for a motion."""

    op: ClassVar[str] = "score"
    motion: str = needed(
        "BVH of any humanoid, NPZ of Footlight, SMPL poses or joints (npz, npy, pkl), or a folder of OpenPose files",
        file="read",
    )
    out: str = needed(MUSIC_FILES, file="written")
    fps: float | None = option(
        None,
        "frame rate of a motion whose files do not state it, such as OpenPose's",
        unit="frames per second",
        least=SLOWEST_FPS,
        most=FASTEST_CAPTURE_FPS,
    )
    rest: str | None = option(
        None,
        "the T-pose of a BVH: zero (rotations), first-frame, motion (found from it), or a BVH that begins with it",
        unset="found by itself",
    )
    beats: str | None = option(
        None,
        "BEATS.json: the beats of the music, in seconds of the motion, see docs/beats.md",
        unset="tracked in the motion",
        file="read",
    )


@dataclass(frozen=True, kw_only=True)
class DuetRequest(DuetOptions, Sound):
    """Generate a dance and its music together."""

    op: ClassVar[str] = "duet"
    out_motion: str = needed("OUT.bvh (y-up, centimetres) or OUT.npz (arrays)", file="written")
    out_music: str = needed(MUSIC_FILES, file="written")


@dataclass(frozen=True, kw_only=True)
class LightRequest(LightOptions, CountedSong):
    """Write the light for a song, and for a dance to it, as a SHOW.json of ``core.show.file``."""

    op: ClassVar[str] = "light"
    out: str = needed("SHOW.json", file="written")
    motion: str | None = option(
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
