"""Sound files to samples: libsndfile with what it needs to reach the end of a file, ffmpeg for the rest."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


def decode(path: Path, part: Part) -> tuple[np.ndarray, int]:
    """The samples (s, channels) float32 of a part of a file, and its rate.

    What the user should know of the file is given as a warning.

    Raises FootlightError for what is not sound, cannot be decoded, or ends before the part begins.
    """
    try:
        kind = kinds.recognise(path)
        if kind and not kind.sound:
            raise FootlightError(f"{path}: is {kind.name}; give the path of a song ({SONG_FILES})")
        if kind and not kind.own:
            return _by_ffmpeg(path, kind, part)
        survey = surveying.survey(path, kind)
        try:
            with _quiet():
                return _by_libsndfile(path, survey, part)
        except soundfile.LibsndfileError as error:
            if kind and ffmpeg.find():
                return _by_ffmpeg(path, kind, part)
            raise FootlightError(_not_decoded(path, kind, error)) from None
    except OSError as error:
        raise FootlightError(
            f"{path}: cannot be opened ({error.strerror}); check the file and its permissions"
        ) from None


def _not_decoded(path: Path, kind: kinds.Kind | None, error: soundfile.LibsndfileError) -> str:
    reason = error.error_string.strip().removeprefix("Error : ").rstrip(".")
    if kind:
        return f"{path}: is {kind.name} that is damaged ({reason}); export or download it again"
    why = "" if "not exist" in reason else f" ({reason})"  # libsndfile says so of any mp3 that it cannot decode
    return f"{path}: is not audio or is damaged{why}; expected {SONG_FILES}"


def _by_ffmpeg(path: Path, kind: kinds.Kind, part: Part) -> tuple[np.ndarray, int]:
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
        frames, rate = _by_libsndfile(path, Survey(), part, out)
    wanted = None if told is None else told - part.start
    if wanted is not None and part.seconds is not None:
        wanted = min(wanted, part.seconds)
    there = len(frames) / rate
    if wanted is not None and there < wanted - max(MISSED_SECONDS, 0.02 * wanted):
        warn(f"{path}: {cut_short(part.start + there, part.start + wanted)}")
    return frames, rate


def _by_libsndfile(path: Path, survey: Survey, part: Part, source: Path | None = None) -> tuple[np.ndarray, int]:
    """As ``decode``. source: the file to read, if it is another one. Raises LibsndfileError too."""
    source = source or path
    known = [_length(source, stretch) for stretch in survey.stretches]
    rate = known[0][1]
    lengths = [frames / rate for frames, rate in known]
    skip, left = part.start, part.seconds
    found: list[np.ndarray] = []
    rates: list[int] = []
    there = 0.0
    for stretch, (_, own_rate), length in zip(survey.stretches, known, lengths, strict=True):
        if part.start > 0 and skip >= length:
            skip -= length
            continue
        if left is not None and there >= left:
            break
        count = None if left is None else round((left - there) * own_rate)
        found.append(_read(source, stretch, round(skip * own_rate), count))
        rates.append(own_rate)
        there += len(found[-1]) / own_rate
        skip = 0.0
    if not found:
        end = survey.seconds or sum(lengths)
        raise FootlightError(f"{path}: starts at {part.start:g} s, but the song ends at {end:.2f} s; choose less")
    for finding in survey.findings:
        warn(f"{path}: {finding}")
    expected = (survey.seconds or sum(lengths)) - part.start
    expected = expected if left is None else min(expected, left)
    if there + MISSED_SECONDS < expected < ENDLESS_SECONDS:
        warn(
            f"{path}: only {there:.1f} of {expected:.1f} s could be decoded, the rest is missing or damaged; "
            "download or export it again"
        )
    return _joined(found, rates, rate), rate


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
