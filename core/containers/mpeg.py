"""MPEG audio (mp3, mp2) that is read to its end.

mpg123, which libsndfile decodes it with, stops where the file's header says, or else where the first frame's bit rate
lets the end be expected. So it is given a header that is true.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

from . import mpeg_frames
from .mpeg_frames import Header, Run, Walk, header
from .types import MISSED_SECONDS, Data, Piece, Stretch, Survey, cut_short

DECODER_DELAY = 529  # samples that mpg123 leaves out where there is a header, besides those of LAME's tag
DAMAGED_BYTES = 2048  # about a frame


def survey(data: Data) -> Survey | None:
    """What is known of a file with these bytes; None if it is not MPEG audio."""
    walk = mpeg_frames.walk(data)
    if walk is None:
        return None
    parts = [_as_it_is(walk)] if _read_right(walk) else list(_parts(walk))
    if not parts:
        return None
    seconds = sum(length for _, length in parts)
    return Survey(tuple(stretch for stretch, _ in parts), seconds, tuple(_findings(walk, seconds)))


def _read_right(walk: Walk) -> bool:
    """Whether mpg123 finds out the true length by itself."""
    run, told = walk.runs[0], walk.announcements
    if not walk.clean or len(walk.runs) > 1 or len(run.ranges) > 1 or len(told) > 1:
        return False
    if told and told[0].frame == 0:
        return told[0].readable and run.frames - 1 <= (told[0].frames or 0) <= run.frames
    return not told and len(run.kbps) == 1


def _as_it_is(walk: Walk) -> tuple[Stretch, float]:
    """The file as it is, and its seconds."""
    run = walk.runs[0]
    samples = run.frames * run.first.samples
    for told in walk.announcements:
        samples -= run.first.samples + (told.delay or 0) + (told.padding or 0)
    return Stretch(onward=len(run.kbps) > 1), samples / run.first.rate


def _parts(walk: Walk) -> Iterator[tuple[Stretch, float]]:
    """What mpg123 is to be given, and the seconds of each part. The sound is as long as with other players (FFmpeg, and
    so Blender): where files were joined, the header of the next one is a frame of silence, but none after a tag.
    """
    for index, run in enumerate(walk.runs):
        first = run.first
        inside = [told for told in walk.announcements if told.run == index]
        leading = inside[0] if index == 0 and inside and inside[0].frame == 0 else None
        dropped = {told.at: told.length for told in inside if told.tagged or told is leading}
        frames, ranges = run.frames - len(dropped), tuple(_without(run, dropped))
        if not frames:
            continue
        samples = frames * first.samples
        if first.form[1] != 3 or not first.length:
            pieces = ranges
        elif leading and leading.delay is not None:
            alone = len(walk.runs) == len(walk.announcements) == 1 and leading.frames == frames
            padding = leading.padding if alone and leading.padding else DECODER_DELAY
            pieces = (_announcing(first, frames, ranges, leading.delay, padding), *ranges)
            samples -= leading.delay + padding
        else:  # a silent frame more, so that what mpg123 leaves out is silence
            ranges = (bytes(_frame(first)), *ranges)
            pieces = (_announcing(first, frames + 1, ranges, first.samples - DECODER_DELAY), *ranges)
        yield Stretch(pieces, onward=True), samples / first.rate


def _without(run: Run, dropped: dict[int, int]) -> Iterator[Piece]:
    """The run's ranges as (offset, length), without some of their frames.

    dropped: offset -> length.
    """
    for start, end in run.ranges:
        cuts = sorted(at for at in dropped if start <= at < end)
        for left, right in zip([start, *(at + dropped[at] for at in cuts)], [*cuts, end], strict=True):
            if right > left:
                yield left, right - left


def _announcing(first: Header, frames: int, pieces: tuple[Piece, ...], delay: int, padding: int = 0) -> bytes:
    """A frame with the header of all.

    delay, padding: samples to leave out at the start, besides ``DECODER_DELAY``, and at the end, less that many.
    """
    lame = b"LAME3.100" + bytes(12) + (delay << 12 | padding).to_bytes(3, "big") + bytes(12)
    place = first.side_info
    made = _frame(first, place + 16 + len(lame))
    total = len(made) + sum(len(piece) if isinstance(piece, bytes) else piece[1] for piece in pieces)
    made[place : place + 16 + len(lame)] = b"Xing" + struct.pack(">III", 3, frames, total) + lame
    return bytes(made)


def _frame(first: Header, room: int = 0) -> bytearray:
    """A silent frame of that form with room for so many bytes."""
    unprotected = (first.bits | 1 << 16) & ~(0xF << 12 | 1 << 9)
    made = (header(unprotected | index << 12) for index in range(1, 15))
    found = next(one for one in made if one and one.length >= max(room, first.side_info))
    return bytearray(found.bits.to_bytes(4, "big") + bytes(found.length - 4))


def _findings(walk: Walk, seconds: float) -> Iterator[str]:
    if (missed := _missed(walk)) > MISSED_SECONDS:
        yield cut_short(seconds, seconds + missed)
    elif walk.cut and not walk.announcements:
        yield "ends in the middle of a frame; if the end of the song is missing, download or export it again"
    for time, length in walk.damage:
        if length > DAMAGED_BYTES:
            yield (
                f"is damaged at {time:.1f} s: {length} bytes there are no MPEG audio and were left out; "
                "download or export it again if that can be heard"
            )
            break
    changes = [
        (time, before.first, after.first)
        for (before, after), time in zip(
            itertools.pairwise(walk.runs), itertools.accumulate(run.seconds for run in walk.runs), strict=False
        )
        if (before.first.rate, before.first.channels) != (after.first.rate, after.first.channels)
    ]
    if changes:
        time, before, after = changes[0]
        yield (
            f"is joined from unlike parts ({_shown(before)}, from {time:.1f} s on {_shown(after)}). All of it was "
            "read, but Blender and other players play it wrongly from there on; convert it to one format"
        )


def _missed(walk: Walk) -> float:
    """Seconds that headers announce and that are not there."""
    begins = [0, *itertools.accumulate(run.frames for run in walk.runs)]
    places = [begins[told.run] + told.frame for told in walk.announcements]
    missed = 0.0
    for told, (place, following) in zip(walk.announcements, itertools.pairwise([*places, begins[-1]]), strict=True):
        first = walk.runs[told.run].first
        missed += max(0, (told.frames or 0) - (following - place - 1)) * first.samples / first.rate
    return missed


def _shown(first: Header) -> str:
    return f"{first.rate} Hz {'mono' if first.channels == 1 else 'stereo'}"
