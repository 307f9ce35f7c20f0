"""Sound files to samples: libsndfile with what it needs to reach the end of a file, ffmpeg for the rest."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import soundfile
import soxr

from core import progress
from core.audio import ffmpeg
from core.containers import kinds, surveying
from core.containers.splice import Spliced
from core.containers.types import Stretch, Survey, cut_short
from core.errors import FootlightError, warn
from core.protocol import SONG_FILES

BLOCK_FRAMES = 1 << 18  # some decoders do not know their length, so files are read in blocks until they end
SMALL_BLOCK_FRAMES = 1 << 12  # for damaged files: of the block with the damage nothing is left
SETTLING_SECONDS = 4.0  # that a decoder is given to be right after it was told where to go on
MISSED_SECONDS = 0.25  # fewer are not worth a word
ENDLESS_SECONDS = 1e9  # or more: the decoder does not know the length


@dataclass(frozen=True)
class Part:
    """What is wanted of a file. start: seconds.  seconds: its length; None is all of the rest."""

    start: float = 0.0
    seconds: float | None = None


class _Onward(soundfile.SoundFile):
    """Reads in one go. After each block SoundFile seeks to where it is already, after which some decoders are wrong for
    a moment: mpg123 where the bit rate varies, Vorbis in its last page."""

    def seekable(self) -> bool:
        return False


@dataclass(frozen=True)
class _Decoded:
    """What a decoder made of a part of a file.

    frames: (s, channels) float32.
    warnings: what the user should know.
    expected: the seconds that there should be, if not everything could be decoded.
    """

    frames: np.ndarray
    rate: int
    warnings: tuple[str, ...] = ()
    expected: float | None = None

    @property
    def seconds(self) -> float:
        return len(self.frames) / self.rate


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


def _by_ourselves(path: Path, kind: kinds.Kind | None, part: Part) -> _Decoded:
    """By libsndfile; by ffmpeg, where it is installed, if that gets farther."""
    try:
        with _quiet():
            found = _by_libsndfile(path, surveying.survey(path, kind), part)
    except soundfile.LibsndfileError as error:
        if kind and ffmpeg.find():
            return _by_ffmpeg(path, kind, part)
        raise FootlightError(_not_decoded(path, kind, error)) from None
    if kind and found.expected is not None and ffmpeg.find():
        with suppress(FootlightError):
            other = _by_ffmpeg(path, kind, part)
            if other.seconds > found.seconds + MISSED_SECONDS:
                return replace(other, warnings=(_damaged(other.seconds, found.expected),))
    return found


def _damaged(there: float, expected: float) -> str:
    return (
        f"only {there:.1f} of {expected:.1f} s could be decoded, the rest is missing or damaged; "
        "download or export it again"
    )


def _not_decoded(path: Path, kind: kinds.Kind | None, error: soundfile.LibsndfileError) -> str:
    reason = error.error_string.strip().removeprefix("Error : ").rstrip(".")
    if kind:
        return f"{path}: is {kind.name} that is damaged ({reason}); export or download it again"
    why = "" if "not exist" in reason else f" ({reason})"  # libsndfile says so of any mp3 that it cannot decode
    return f"{path}: is not audio or is damaged{why}; expected {SONG_FILES}"


def _by_ffmpeg(path: Path, kind: kinds.Kind, part: Part) -> _Decoded:
    program = ffmpeg.find()
    if program is None:
        raise FootlightError(
            f"{path}: is {kind.name}, which needs the program ffmpeg, and that is not installed or not on PATH; "
            f"install it, convert the song ({SONG_FILES}), or use it in Blender, which can play it"
        )
    until = None if part.seconds is None else part.start + part.seconds + MISSED_SECONDS
    with tempfile.TemporaryDirectory(prefix="footlight-") as folder:
        out = Path(folder) / "decoded.wav"
        told = ffmpeg.decode(program, path, kind.name, out, until)
        found = _by_libsndfile(path, Survey(), part, out)
    if told is None:
        return found
    wanted = told - part.start if part.seconds is None else min(told - part.start, part.seconds)
    if found.seconds >= wanted - max(MISSED_SECONDS, 0.02 * wanted):
        return found
    return replace(found, warnings=(cut_short(part.start + found.seconds, part.start + wanted),))


def _by_libsndfile(path: Path, survey: Survey, part: Part, source: Path | None = None) -> _Decoded:
    """source: the file to read, if it is another one. Raises FootlightError as ``decode``, and LibsndfileError if no
    stretch can be read."""
    source = source or path
    skip, left, begun = part.start, part.seconds, 0.0
    rate = 0
    found: list[np.ndarray] = []
    rates: list[int] = []
    there, failed = 0.0, None
    for stretch in survey.stretches:
        try:
            frames, own_rate = _length(source, stretch)
            length = frames / own_rate
            rate, begun = rate or own_rate, begun + length
            if part.start > 0 and skip >= length:
                skip -= length
                continue
            if left is not None and there >= left:
                continue
            count = None if left is None else round((left - there) * own_rate)
            found.append(_read(source, stretch, round(skip * own_rate), count))
        except soundfile.LibsndfileError as error:
            failed = error
            continue
        rates.append(own_rate)
        there += len(found[-1]) / own_rate
        skip = 0.0
    total = survey.seconds or begun
    if not found and failed is not None:
        raise failed
    if not found:
        raise FootlightError(f"{path}: starts at {part.start:g} s, but the song ends at {total:.2f} s; choose less")
    expected = total - part.start if left is None else min(total - part.start, left)
    short = there + MISSED_SECONDS < expected < ENDLESS_SECONDS
    warnings = list(survey.findings)
    if short:
        warnings.append(_damaged(there, expected))
    elif failed is not None:
        warnings.append("a part of it could not be decoded; download or export it again")
    incomplete = short or failed is not None
    return _Decoded(_joined(found, rates, rate), rate, tuple(warnings), expected if incomplete else None)


def _length(path: Path, stretch: Stretch) -> tuple[int, int]:
    """Frames, as far as the decoder knows, and rate."""
    with _opened(path, stretch) as file:
        return file.frames, file.samplerate


def _read(path: Path, stretch: Stretch, first: int, count: int | None) -> np.ndarray:
    """The frames (s, channels) of a stretch from the ``first`` on, up to damage. count: how many at most."""
    blocks: list[np.ndarray] = []
    settling = 0
    for size in (BLOCK_FRAMES, SMALL_BLOCK_FRAMES):
        blocks.clear()
        try:
            with _opened(path, stretch) as file:
                settling = min(first, round(SETTLING_SECONDS * file.samplerate)) if stretch.onward else 0
                if first:
                    file.seek(first - settling)
                wanted = None if count is None else count + settling
                blocks.extend(_blocks(file, size, wanted, max(1, file.frames - first)))
            break
        except soundfile.LibsndfileError:
            if size == SMALL_BLOCK_FRAMES and not blocks:
                raise
    return np.concatenate(blocks)[settling:] if blocks else np.zeros((0, 1), np.float32)


def _blocks(file: soundfile.SoundFile, size: int, wanted: int | None, expected: int) -> Iterator[np.ndarray]:
    """The file's frames from where it is, in blocks. wanted: how many at most."""
    got = 0
    while wanted is None or got < wanted:
        if file.seekable() and file.tell() >= file.frames:  # SoundFile cannot bear to be beyond, as in damaged files
            break
        block = file.read(size if wanted is None else min(size, wanted - got), dtype="float32", always_2d=True)
        if not len(block):
            break
        yield block
        got += len(block)
        progress.report(min(1.0, got / max(wanted or expected, got)))


@contextmanager
def _opened(path: Path, stretch: Stretch) -> Iterator[soundfile.SoundFile]:
    kind = _Onward if stretch.onward else soundfile.SoundFile
    if stretch.pieces is None:
        with kind(path) as file:
            yield file
        return
    with Spliced(path, stretch.pieces) as spliced, kind(cast("BinaryIO", spliced)) as file:
        yield file


def _joined(found: list[np.ndarray], rates: list[int], rate: int) -> np.ndarray:
    """Frames one after another at one rate; mono where they are unlike."""
    if len(found) == 1 and rates == [rate]:
        return found[0]
    if set(rates) == {rate} and len({frames.shape[1] for frames in found}) == 1:
        return np.concatenate(found)
    parts = [
        mono(frames) if own == rate else soxr.resample(mono(frames), own, rate, quality="HQ")
        for frames, own in zip(found, rates, strict=True)
    ]
    return np.concatenate(parts)[:, None]


def mono(frames: np.ndarray) -> np.ndarray:
    """Mix (s, channels) down to mono (s,). If channels cancel, the loudest is taken."""
    if frames.shape[1] == 1 or not len(frames):
        return frames[:, 0]
    channels = frames.shape[1]
    mixed = frames @ np.full(channels, 1 / channels, np.float32)  # numpy's mean takes ten times as long
    energy = (frames.T @ frames).diagonal()
    if mixed @ mixed < 1e-4 * energy.mean():
        return frames[:, energy.argmax()]
    return mixed


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
