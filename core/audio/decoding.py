"""Sound files to samples: libsndfile with what it needs to reach the end of a file, ffmpeg for the rest."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from core.audio import ffmpeg, libsndfile
from core.audio.libsndfile import Decoded, Part
from core.containers import kinds, surveying
from core.containers.types import MISSED_SECONDS, Survey, cut_short
from core.errors import FootlightError, warn
from core.protocol import SONG_FILES

UNSUPPORTED_ENCODING = 4  # libsndfile's code for a sound codec that it does not know, in a file of a kind that it does


def decode(path: Path, part: Part) -> tuple[np.ndarray, int]:
    """The samples (s, channels) float32 of a part of a file, and its rate.

    What the user should know of the file is given as a warning.

    Raises FootlightError for what is not sound, cannot be decoded, or ends before the part begins.
    """
    try:
        kind = kinds.recognise(path)
        if kind and not kind.sound:
            raise FootlightError(f"{path}: is {kind.name}; give the path of a song ({SONG_FILES})")
        found = _by_ffmpeg(path, kind, part) if kind and not kind.own else _by_ourselves(path, kind, part)
    except OSError as error:
        raise FootlightError(
            f"{path}: cannot be opened ({error.strerror}); check the file and its permissions"
        ) from None
    for warning in found.warnings:
        warn(f"{path}: {warning}")
    return found.frames, found.rate


def begins(path: Path) -> float:
    """How many seconds after the beginning of a film its sound begins; 0 of other files, and if that is not known.
    Raises OSError for a file that cannot be read."""
    kind, program = kinds.recognise(path), ffmpeg.find()
    if kind is None or kind.own or not kind.sound or program is None:
        return 0.0
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:
        return ffmpeg.begins(program, path, Path(folder))


def _by_ourselves(path: Path, kind: kinds.Kind | None, part: Part) -> Decoded:
    """By libsndfile; by ffmpeg, where it is installed, if that gets farther."""
    try:
        with _quiet():
            found = libsndfile.decode(path, surveying.survey(path, kind), part)
    except soundfile.LibsndfileError as error:
        if kind and (ffmpeg.find() or error.code == UNSUPPORTED_ENCODING):
            return _by_ffmpeg(path, kind, part)
        raise FootlightError(_not_decoded(path, kind, error)) from None
    if kind and found.expected is not None and ffmpeg.find():
        with suppress(FootlightError):
            other = _by_ffmpeg(path, kind, part)
            if other.seconds > found.seconds + MISSED_SECONDS:
                return replace(other, warnings=other.warnings or (libsndfile.damaged(other.seconds, found.expected),))
    return found


def _not_decoded(path: Path, kind: kinds.Kind | None, error: soundfile.LibsndfileError) -> str:
    reason = error.error_string.strip().removeprefix("Error : ").rstrip(".")
    if kind:
        return f"{path}: is {kind.name} that is damaged ({reason}); export or download it again"
    why = "" if "not exist" in reason else f" ({reason})"  # libsndfile says so of any mp3 that it cannot decode
    return f"{path}: is not audio or is damaged{why}; expected {SONG_FILES}"


def _by_ffmpeg(path: Path, kind: kinds.Kind, part: Part) -> Decoded:
    program = ffmpeg.find()
    if program is None:
        raise FootlightError(
            f"{path}: is {kind.name}, which needs the program ffmpeg, and that is not installed or not on PATH; "
            f"install it, convert the song ({SONG_FILES}), or use it in Blender, which can play it"
        )
    until = None if part.seconds is None else part.start + part.seconds + MISSED_SECONDS
    with tempfile.TemporaryDirectory(prefix="footlight-") as temporary:
        folder = Path(temporary)

        def decoded(name: str, fill: bool) -> tuple[Decoded, ffmpeg.Told]:
            told = ffmpeg.decode(program, path, kind.name, folder / name, until, fill)
            return libsndfile.decode(path, Survey(), part, folder / name, told.late), told

        found, told = decoded("decoded.wav", fill=False)
        begun = (libsndfile.begins_late(told.late),) if told.late > part.start else ()
        wanted = _wanted(told, part)
        if (
            wanted is not None
            and _short(found, wanted)
            and ffmpeg.outlasted(program, path, part.start + _least(wanted), folder)
        ):
            wanted = None  # a film that goes on when its sound has ended
        if not told.damaged and not _short(found, wanted):
            return replace(found, warnings=begun)
        filled, _ = decoded("filled.wav", fill=True)
    silent = filled.seconds - found.seconds
    best = filled if silent >= 0 else found
    if wanted is not None and _short(best, wanted):
        missed = cut_short(part.start + best.seconds, part.start + wanted)
    else:
        missed = libsndfile.silenced(silent) if silent > 0 else libsndfile.PARTLY
    return replace(best, warnings=(*begun, missed))


def _wanted(told: ffmpeg.Told, part: Part) -> float | None:
    """The seconds that there should be of a part; None if the file does not say its length."""
    if told.seconds is None:
        return None
    left = told.seconds - part.start
    return left if part.seconds is None else min(left, part.seconds)


def _short(found: Decoded, wanted: float | None) -> bool:
    return wanted is not None and found.seconds < _least(wanted)


def _least(wanted: float) -> float:
    """The seconds that are enough where so many are announced, because headers are not exact."""
    return wanted - max(MISSED_SECONDS, 0.02 * wanted)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence standard error: the mp3 decoder prints messages there, but the user is to see only ours."""
    try:
        kept = os.dup(2)
    except OSError:  # the program has no standard error
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
