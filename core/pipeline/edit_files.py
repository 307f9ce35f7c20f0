"""Reads what a request asks to be edited: the dance, the range, keys and a path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from core import progress
from core.edits import keys_file, path_file
from core.edits.parts import parse_parts
from core.errors import FootlightError, warn
from core.files import file_digest
from core.formats.dance import read_arrays
from core.formats.motion import read_motion
from core.pipeline.asked import Edit
from core.pipeline.beats import span_of
from core.pipeline.dance import Begun, HeardSong, begin_dance, dance_to
from core.pipeline.documents import read_document
from core.pipeline.edit import edit_dance
from core.pipeline.model import Model
from core.protocol import DanceRequest, default
from core.results import Dance
from core.types import Motion


def answer(model: Model, heard: HeardSong, request: DanceRequest, begun: Begun | None = None) -> Dance:
    """The dance that a request asks for: a new one, or one with a part made anew.

    begun: what ``begin`` gave for it.

    Raises FootlightError as ``dance_to``, ``read_edit`` and ``edit_dance`` do.
    """
    if begun is not None:
        with progress.part(begun.share, 1.0):
            return dance_to(model, heard, request, begun.memory)
    if request.edit is None:
        return dance_to(model, heard, request)
    with progress.part(0.0, 0.02, "Reading the dance"):
        edit, style = read_edit(request, heard)
    with progress.part(0.02, 1.0):
        return edit_dance(model, heard, edit, request, style)


def begin(model: Model, heard: HeardSong, request: DanceRequest) -> Begun | None:
    """The first seconds of the dance that a request asks for, if it wants a preview and its song is long enough.

    Raises FootlightError as ``begin_dance`` does.
    """
    return begin_dance(model, heard, request) if request.preview is not None and request.edit is None else None


def read_edit(request: DanceRequest, heard: HeardSong) -> tuple[Edit, str | None]:
    """The edit that a request asks for, and the style of the dance if its file says it.

    Raises FootlightError for files that are missing, damaged or of another form, and a range that there is not.
    """
    assert request.edit is not None
    base, style = read_dance(request.edit)
    warn_of_song(request.edit, request.song)
    if request.fps not in (default(DanceRequest, "fps"), base.fps):
        warn(f"the dance has {base.fps:g} frames a second, and its edit has them too, not {request.fps:g}")
    return Edit(
        base,
        *frames_of(request.range, base, heard),
        parse_parts("all" if request.joints is None else request.joints),
        () if request.keys is None else read_document(request.keys, keys_file.from_json),
        None if request.path is None else read_document(request.path, path_file.from_json),
        request.variation,
    ), style


def warn_of_song(base: str, song: str) -> None:
    """Warn the user if the file of a dance says that it was made to another song."""
    if Path(base).suffix.lower() != ".npz":
        return
    arrays, _ = read_arrays(base, ("audio_sha256",))
    made_to = str(arrays.get("audio_sha256", ""))
    if made_to and made_to != file_digest(song):
        warn(f"{base}: was made to another sound file than {song}; what is made anew follows the beats of this one")


def frames_of(range: str | None, base: Motion, heard: HeardSong) -> tuple[int, int]:
    """The frames [start, end) of a dance that a range in words means; None is all of it.

    Raises FootlightError for other words, and a range that there is not.
    """
    if range is None:
        return 0, base.frames
    start, end = span_of(range, heard.rhythm.beats, base.fps).frames(base.fps)
    if start >= base.frames:
        raise FootlightError(
            f"the range begins at {start / base.fps:.2f} s, but the dance ends at {base.seconds:.2f} s"
        )
    if start == end:
        raise FootlightError(f"the range {range!r} has no frame of the dance, which has {base.fps:g} a second")
    return start, min(end, base.frames)


def read_dance(path: Path | str) -> tuple[Motion, str | None]:
    """A dance as rotations, and its style if the file says it.

    A file that Footlight wrote is read exactly. Other bodies are fitted to ours.

    Raises FootlightError as ``core.formats.motion.read_motion`` does, and for positions without rotations.
    """
    motion, style = None if Path(path).is_dir() else read_motion(path).motion, None  # a folder has OpenPose's positions
    if motion is None:
        raise FootlightError(f"{path}: has positions without rotations; expected a dance as BVH, or NPZ of Footlight")
    if Path(path).suffix.lower() == ".npz":
        arrays, _ = read_arrays(path, ("rotations", "root", "style"))
        if "style" in arrays:
            style = str(arrays["style"])
        same = {name: torch.from_numpy(arrays[name]) for name in ("rotations", "root") if name in arrays}
        if all(kept.shape == getattr(motion, name).shape for name, kept in same.items()):
            motion = replace(motion, **{name: kept.float() for name, kept in same.items()})  # not normalised again
    return motion, style
