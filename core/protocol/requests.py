"""The requests, and how they are messages."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any, ClassVar

from .. import records
from ..errors import FootlightError
from .options import (
    FASTEST_CAPTURE_FPS,
    LOOKS,
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
    TheatreOptions,
)
from .rules import needed, option

Id = int | str
"""Identifies a request and the events that belong to it."""

PREVIEWED = "OUT.bvh or OUT.npz: the first seconds of a dance to a long song, as soon as they are made"
DANCE_FILES = "OUT.bvh (y-up, centimetres) or OUT.npz (arrays)"
MUSIC_FILES = "OUT.wav, OUT.flac or OUT.ogg"
RANGES = '"bars 17:20", seconds 12.5:20 or "frames 375:600"; of light several, separated by commas'


@dataclass(frozen=True, kw_only=True)
class DanceRequest(DanceOptions, CountedSong, Editing):
    """Generate a dance to a song, or make a part of one anew, as an .npz file of ``core.formats.dance``.

    The command line also writes .bvh.

    Raises FootlightError for what is of a new dance alone beside a dance to edit, and for one file in two places.
    """

    op: ClassVar[str] = "dance"
    out: str = needed(DANCE_FILES, file="written")
    preview: str | None = option(None, PREVIEWED, unset="none", file="written")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.preview is not None and self.edit is not None:
            raise FootlightError("preview is of a new dance, and edit changes one that there is; leave one of them out")
        if self.moves is not None and self.edit is not None:
            raise FootlightError("moves are those of a new dance, and edit changes one that there is; leave moves out")
        _check_preview(self.preview, self.out)


def _check_preview(preview: str | None, out: str | None) -> None:
    if preview is not None and preview == out:
        raise FootlightError("preview and out are one file; give two")


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
    out_motion: str = needed(DANCE_FILES, file="written")
    out_music: str = needed(MUSIC_FILES, file="written")


@dataclass(frozen=True, kw_only=True)
class LightRequest(LightOptions, CountedSong):
    """Write the light for a song, and for a dance to it, as a SHOW.json of ``core.show.file``; or parts of light that
    there is.

    Raises FootlightError for light without the parts of it that are written anew, and the other way round.
    """

    op: ClassVar[str] = "light"
    out: str = needed("SHOW.json", file="written")
    motion: str | None = option(
        None, "the dance whose energy and place the light follows: BVH or NPZ", unset="nobody", file="read"
    )
    light: str | None = option(
        None, "SHOW.json: light of which only the range is written anew", unset="all is written", file="read"
    )
    range: str | None = option(None, f"what is written anew of the given light: {RANGES}", unset="all of it")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.light is not None and self.range is None:
            raise FootlightError("the light is given, so nothing is left to write; give the range that is written anew")
        if self.range is not None and self.light is None:
            raise FootlightError("range says what is written anew of a given light; give light")


@dataclass(frozen=True, kw_only=True)
class TheatreRequest(TheatreOptions, CountedSong):
    """Generate a dance and its stage light together, or one of them for the other.

    The dance is an .npz file of ``core.formats.dance``; the command line also writes .bvh. The light is a SHOW.json of
    ``core.show.file``. Of a range, what has no place to go stays: without ``out`` the dance, without ``out_light`` the
    light.

    Raises FootlightError if nothing is made, or if what is given would be written.
    """

    op: ClassVar[str] = "theatre"
    out: str | None = option(None, f"{DANCE_FILES}: the dance", unset="none, where motion is given", file="written")
    out_light: str | None = option(None, "SHOW.json: the light", unset="none", file="written")
    motion: str | None = option(
        None, "the dance that is lit: BVH of any humanoid, or NPZ of Footlight", unset="a dance is made", file="read"
    )
    light: str | None = option(None, "SHOW.json: the light that is danced to", unset="light is made", file="read")
    range: str | None = option(
        None,
        f"what is made anew of the motion and light that are given: {RANGES}",
        unset="nothing, or all of it with joints or roles",
    )
    joints: str | None = option(
        None, "the part of the body that is made anew of the given motion, such as upper or arms", unset="all of it"
    )
    roles: str | None = option(
        None,
        "what is made anew of the given light: front, side, back, top, follow, backdrop, costume, strobe, move, or "
        "several, separated by commas",
        unset="all of it",
    )
    preview: str | None = option(None, PREVIEWED, unset="none", file="written")
    preview_light: str | None = option(None, "SHOW.json: the light of the preview", unset="none", file="written")

    @property
    def makes_motion(self) -> bool:
        """Whether a dance is made, or a part of it."""
        if self.motion is None or self.joints is not None:
            return True
        return self.range is not None and (self.out is not None or self.light is None)

    @property
    def makes_light(self) -> bool:
        """Whether light is made, or a part of it."""
        if self.light is None or self.roles is not None:
            return True
        return self.range is not None and (self.out_light is not None or self.motion is None)

    def __post_init__(self) -> None:
        super().__post_init__()
        for part, whole, given in (
            ("range", "motion or light", self.motion or self.light),
            ("joints", "motion", self.motion),
            ("roles", "light", self.light),
        ):
            if getattr(self, part) is not None and given is None:
                raise FootlightError(f"{part} says what is made anew of a given {whole}; give {whole}")
        if self.range is not None and self.motion and self.light and not self.makes_motion and not self.makes_light:
            raise FootlightError("there is no place for the range; give out for its dance, out light for its light")
        if not self.makes_motion and not self.makes_light:
            raise FootlightError("motion and light are both given, so nothing is left to make; give one of them")
        if self.moves is not None and not self.makes_motion:
            raise FootlightError("the motion is given, so no moves are made; leave moves out")
        if self.out is not None and not self.makes_motion:
            raise FootlightError("the motion is given, so only its light is made; give out light, without out")
        if self.out_light is not None and not self.makes_light:
            raise FootlightError("the light is given, so only a dance is made; give out, without out light")
        if self.out is None and self.makes_motion:
            raise FootlightError("there is no place for the dance; give out, or motion for a dance that there is")
        if self.out_light is None and self.makes_light and (not self.makes_motion or self.light is not None):
            raise FootlightError("there is no place for the light; give out light")
        if self.preview is not None and any((self.motion, self.range, self.joints, self.roles)):
            raise FootlightError("preview is of a new dance, and this one is given in part; leave preview out")
        _check_preview(self.preview, self.out)
        if self.preview_light is not None and (self.preview is None or not self.makes_light):
            raise FootlightError("preview light is made with a preview and new light; give preview, without light")
        if self.preview_light is not None and self.preview_light == self.out_light:
            raise FootlightError("preview light and out light are one file; give two")


@dataclass(frozen=True, kw_only=True)
class LookRequest(Options):
    """Read a look, so that one that there is not, or a damaged picture, is known before anything is made."""

    op: ClassVar[str] = "look"
    look: str = needed(LOOKS)


@dataclass(frozen=True, kw_only=True)
class BeatsRequest(Song):
    """Track the beats of a song."""

    op: ClassVar[str] = "beats"


@dataclass(frozen=True, kw_only=True)
class FreeRequest(Options):
    """Free the model's memory. The next request loads it again."""

    op: ClassVar[str] = "free"


Request = (
    DanceRequest | ScoreRequest | DuetRequest | LightRequest | TheatreRequest | LookRequest | BeatsRequest | FreeRequest
)
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
