"""Decodes by libsndfile, to the end of each stretch of a file."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import soundfile
import soxr

from core import progress
from core.containers import flac
from core.containers.splice import Spliced
from core.containers.types import MISSED_SECONDS, Stretch, Survey
from core.errors import FootlightError

BLOCK_FRAMES = 1 << 18  # some decoders do not know their length, so files are read in blocks until they end
SMALL_BLOCK_FRAMES = 1 << 12  # for damaged files: of the block with the damage nothing is left
SETTLING_SECONDS = 4.0  # that a decoder is given to be right after it was told where to go on
ENDLESS_SECONDS = 1e9  # or more: the decoder does not know the length
ROOM_SECONDS = 900.0  # that a file may say to hold for room to be made before it is read
MIXED_FRAMES = 1 << 15  # that are mixed at a time, while they are in a core's cache
MENDED_PLACES = 200  # of a file: with more damage it is not worth while
PARTLY = "a part of it could not be decoded; download or export it again"


@dataclass(frozen=True)
class Part:
    """What is wanted of a file.

    start: seconds.
    seconds: its length; None is all of the rest.
    """

    start: float = 0.0
    seconds: float | None = None


@dataclass(frozen=True)
class Decoded:
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


class _Onward(soundfile.SoundFile):
    """Reads in one go. After each block SoundFile seeks to where it is already, after which some decoders are wrong for
    a moment: mpg123 where the bit rate varies, Vorbis in its last page."""

    def seekable(self) -> bool:
        return False


def decode(path: Path, survey: Survey, part: Part, source: Path | None = None, late: float = 0.0) -> Decoded:
    """Decode a part of a file.

    source: the file to read, if it is another one than the one to be named.
    late: seconds of silence that come before it.

    Raises FootlightError if the file ends before the part begins, and LibsndfileError if no stretch can be read.
    """
    source = source or path
    if late:
        return _delayed(path, decode(path, survey, Part(), source), part, late)
    skip, left, begun = part.start, part.seconds, 0.0
    rate = 0
    found: list[np.ndarray] = []
    rates: list[int] = []
    there, silent, failed = 0.0, 0.0, None
    for stretch in survey.stretches:
        try:
            known, own_rate = _length(source, stretch)
            length = known / own_rate
            rate, begun = rate or own_rate, begun + length
            if part.start > 0 and skip >= length:
                skip -= length
                continue
            if left is not None and there >= left:
                continue
            count = None if left is None else round((left - there) * own_rate)
            frames, gaps = _read(source, stretch, round(skip * own_rate), count)
            found.append(frames)
            silent += gaps / own_rate
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
        raise _ended(path, part, total)
    expected = total - part.start if left is None else min(total - part.start, left)
    short = there + MISSED_SECONDS < expected < ENDLESS_SECONDS
    warnings = list(survey.findings)
    if silent:
        warnings.append(silenced(silent))
    if short:
        warnings.append(damaged(there, expected))
    elif failed is not None:
        warnings.append(PARTLY)
    incomplete = short or failed is not None
    return Decoded(_joined(found, rates, rate), rate, tuple(warnings), expected if incomplete else None)


def _delayed(path: Path, whole: Decoded, part: Part, late: float) -> Decoded:
    """The part of a sound that comes after so many seconds of silence."""
    silence = np.zeros((round(late * whole.rate), whole.frames.shape[1]), np.float32)
    frames = np.concatenate([silence, whole.frames])
    first = round(part.start * whole.rate)
    if first >= len(frames):
        raise _ended(path, part, len(frames) / whole.rate)
    last = None if part.seconds is None else first + round(part.seconds * whole.rate)
    return replace(whole, frames=frames[first:last])


def _ended(path: Path, part: Part, seconds: float) -> FootlightError:
    return FootlightError(f"{path}: starts at {part.start:g} s, but the song ends at {seconds:.2f} s; choose less")


def _length(path: Path, stretch: Stretch) -> tuple[int, int]:
    """Frames, as far as the decoder knows, and rate."""
    with _opened(path, stretch) as file:
        return file.frames, file.samplerate


def _read(path: Path, stretch: Stretch, first: int, count: int | None) -> tuple[np.ndarray, int]:
    """The frames (s, channels) of a stretch from the ``first`` on, and how many of them are gaps. FLAC goes on behind
    damage, other sound ends there.

    count: how many at most.
    """
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
                expected = max(1, file.frames - first + settling)
                room = _room(file, min(wanted or expected, expected))
                blocks.extend(_blocks(file, size, wanted, expected, room))
            break
        except soundfile.LibsndfileError:
            if stretch.flac:
                return _mended(path, stretch, first, count)
            if size == SMALL_BLOCK_FRAMES and not blocks:
                raise
    return (_drained(blocks)[settling:] if blocks else np.zeros((0, 1), np.float32)), 0


def _room(file: soundfile.SoundFile, frames: int) -> np.ndarray:
    """Room (s, channels) for what a file says that it holds, into which its blocks are read; none if that is much."""
    frames = frames if frames < ROOM_SECONDS * file.samplerate else 0
    return np.empty((frames, file.channels), np.float32)


def _drained(blocks: list[np.ndarray]) -> np.ndarray:
    """The blocks one after another. Each is let go when it is copied, so a long song is held once and not twice."""
    room, total = blocks[0].base, sum(map(len, blocks))
    if room is not None and all(block.base is room for block in blocks):
        return room[:total]
    whole = np.empty((total, blocks[0].shape[1]), np.float32)
    blocks.reverse()
    at = 0
    while blocks:
        block = blocks.pop()
        whole[at : at + len(block)] = block
        at += len(block)
    return whole


def _mended(path: Path, stretch: Stretch, first: int, count: int | None) -> tuple[np.ndarray, int]:
    """As ``_read``, for FLAC with damage in it: silence stands there, and what follows stays where it was."""
    with Spliced(path, stretch.pieces or ((0, path.stat().st_size),)) as spliced:
        data = spliced.read()
    data = data[max(0, data.find(flac.MARK)) :]
    head = flac.head_length(data)
    parts: list[np.ndarray] = []
    begin = there = gaps = 0
    at = head
    for _ in range(MENDED_PLACES):
        blocks, whole = _up_to_damage(data[:head] + data[at:])
        if blocks:
            if begin > there:
                parts.append(np.zeros((begin - there, blocks[0].shape[1]), np.float32))
                gaps += begin - there
            parts += blocks
            there = begin + sum(map(len, blocks))
        following = None if whole else flac.resume(data, at + 1, there)
        if following is None or (count is not None and there >= first + count):
            break
        at, begin = following
    if not parts:
        raise soundfile.LibsndfileError(0, "damaged")
    frames = np.concatenate(parts)[first:]
    return (frames if count is None else frames[:count]), gaps


def _up_to_damage(data: bytes) -> tuple[list[np.ndarray], bool]:
    """The frames of a file with these bytes, in blocks, and whether that is all of it."""
    blocks: list[np.ndarray] = []
    try:
        with _Onward(io.BytesIO(data)) as file:
            blocks.extend(_blocks(file, SMALL_BLOCK_FRAMES, None, max(1, file.frames), _room(file, 0)))
    except soundfile.LibsndfileError:
        return blocks, False
    return blocks, True


def _blocks(
    file: soundfile.SoundFile, size: int, wanted: int | None, expected: int, room: np.ndarray
) -> Iterator[np.ndarray]:
    """The file's frames from where it is, in blocks.

    wanted: how many at most.
    expected: how many there may be.
    room: where they are put, as long as there is any.
    """
    got = 0
    while wanted is None or got < wanted:
        if file.seekable() and file.tell() >= file.frames:  # SoundFile cannot bear to be beyond, as in damaged files
            break
        count = size if wanted is None else min(size, wanted - got)
        left = room[got : got + count]  # an array that is as long as the file holds frames
        block = file.read(count, dtype="float32", always_2d=True, out=left if len(left) else None)
        if not len(block):
            break
        yield block
        got += len(block)
        progress.report(min(1.0, got / max(wanted or expected, got)))


@contextmanager
def _opened(path: Path, stretch: Stretch) -> Iterator[soundfile.SoundFile]:
    kind = _Onward if stretch.onward else soundfile.SoundFile
    if stretch.pieces is None:
        with kind(cast("str", _name(path))) as file:  # bytes do, whatever its annotations say
            yield file
        return
    with Spliced(path, stretch.pieces) as spliced, kind(cast("BinaryIO", spliced)) as file:
        yield file


def _name(path: Path) -> str | bytes:
    """What the library opens a file by. Outside of Windows a name is bytes, which need not be text."""
    return str(path) if os.name == "nt" else os.fsencode(path)


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
    share = np.full(channels, 1 / channels, np.float32)
    mixed, energy, left = np.empty(len(frames), np.float32), 0.0, 0.0
    for start in range(0, len(frames), MIXED_FRAMES):
        block, into = (part[start : start + MIXED_FRAMES] for part in (frames, mixed))
        np.matmul(block, share, out=into)  # numpy's mean takes ten times as long
        energy += float(np.vdot(block, block))  # of all channels
        left += float(np.vdot(into, into))
    if left >= 1e-4 * energy / channels:
        return mixed
    return frames[:, (frames.T @ frames).diagonal().argmax()]


def silenced(seconds: float) -> str:
    """The warning for a file in which silence stands for what could not be decoded."""
    return f"is damaged: {seconds:.2f} s of silence stand where nothing could be decoded; download or export it again"


def begins_late(seconds: float) -> str:
    """The warning for a film whose sound begins after its picture."""
    return (
        f"its sound begins {seconds:.1f} s after its picture; there is silence until then, so that both stay together"
    )


def damaged(there: float, expected: float) -> str:
    """The warning for a file of which fewer seconds could be decoded than there should be."""
    return (
        f"only {there:.1f} of {expected:.1f} s could be decoded, the rest is missing or damaged; "
        "download or export it again"
    )
