"""MPEG audio (mp3, mp2): its frames, from the first to the last, whatever lies between them.

ISO 11172-3 and 13818-3: every frame begins with a header of four bytes that gives its length. Between them lie tags
(ID3, APE, Lyrics3), padding and damage. A first frame may be a header of the whole: Xing's, with LAME's addition, or
Fraunhofer's VBRI. Decoders believe it, or else take the first frame's bit rate for that of all. Both go wrong in files
with a variable bit rate and no such header, and in files that were joined or cut.
"""

from __future__ import annotations

import functools
import itertools
import struct
from dataclasses import dataclass, field

from .types import Data

SURE_FRAMES = 3  # in a row: so many do not turn up by chance
SEARCHED = 1 << 20  # bytes in which the first frame must begin, after tags

_KBPS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""(version, layer) -> bit rates by index; version 2.5 has those of 2."""


@dataclass(frozen=True)
class Header:
    """What a frame's header says.

    bits: of the header.
    form: version, layer and sample rate, which stay the same in a stream.
    samples: of each channel.
    length: bytes of the frame; 0 for a free format, in which all frames have one length that is not written down.
    """

    bits: int
    form: tuple[float, int, int]
    channels: int
    kbps: int
    samples: int
    length: int

    @property
    def rate(self) -> int:
        return self.form[2]

    @property
    def side_info(self) -> int:
        """Where the side information of a layer III frame ends and Xing's header may begin, bytes."""
        return 4 + ((32 if self.channels == 2 else 17) if self.form[0] == 1 else 17 if self.channels == 2 else 9)


@functools.lru_cache(maxsize=4096)
def header(bits: int) -> Header | None:
    """The header in four bytes, if they are one."""
    version = {0: 2.5, 2: 2, 3: 1}.get(bits >> 19 & 3)
    layer, index, rate_index = 4 - (bits >> 17 & 3), bits >> 12 & 15, bits >> 10 & 3
    if bits >> 21 != 0x7FF or version is None or layer == 4 or index == 15 or rate_index == 3 or bits & 3 == 2:
        return None
    rate = int((44_100, 48_000, 32_000)[rate_index] / {1: 1, 2: 2, 2.5: 4}[version])
    kbps = _KBPS[1 if version == 1 else 2, layer][index]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 1 else 1152
    padding = bits >> 9 & 1
    slots = (12 if layer == 1 else samples // 8) * 1000 * kbps // rate + padding
    length = slots * (4 if layer == 1 else 1)
    return Header(bits, (version, layer, rate), 1 if bits >> 6 & 3 == 3 else 2, kbps, samples, length if kbps else 0)


@dataclass
class Run:
    """Frames that one decoder reads, one after another in time.

    ranges: [start, end] in the file, without what lies between frames.
    kbps: all their bit rates.
    """

    first: Header
    ranges: list[list[int]] = field(default_factory=list)
    frames: int = 0
    kbps: set[int] = field(default_factory=set)

    @property
    def seconds(self) -> float:
        return self.frames * self.first.samples / self.first.rate


@dataclass(frozen=True)
class Announcement:
    """A frame that is a header of the whole.

    at: its offset.
    length: its bytes.
    run: index of the run that it begins or lies in.
    frame: its index there.
    frames: how many it announces besides itself; None if it does not say.
    delay, padding: samples that the encoder put before and after the sound, from LAME's tag; None without one.
    tagged: whether a tag lies right before it.
    readable: whether mpg123 takes it for one: there is nothing else in the frame before it.
    """

    at: int
    length: int
    run: int
    frame: int
    frames: int | None
    delay: int | None
    padding: int | None
    tagged: bool
    readable: bool


@dataclass(frozen=True)
class Walk:
    """The frames of a file.

    clean: whether only tags and padding lie before the first frame.
    damage: (seconds, bytes) of what lies between frames and is no tag.
    cut: whether the last frame is not whole.
    """

    clean: bool
    runs: tuple[Run, ...]
    announcements: tuple[Announcement, ...]
    damage: tuple[tuple[float, int], ...]
    cut: bool


def tag_length(data: Data, at: int, total: int | None = None) -> int:
    """The length of the tag that begins there, or 0. One that would end after the file has a wrong length, and only its
    head counts.

    total: where the file ends, if the data are only its beginning.
    """
    head = data[at : at + 32]
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 128:
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        length = 10 + size + (10 if head[5] & 0x10 else 0)
        return length if at + length <= (len(data) if total is None else total) else 10
    if head[:8] == b"APETAGEX" and len(head) == 32:
        size, flags = struct.unpack("<I4xI", head[12:24])
        return 32 + size if flags & 0x2000_0000 else 32  # the size counts the footer and not the header
    if head[:4] == b"TAG+":
        return 227
    if head[:3] == b"TAG":
        return 128
    if head[:11] == b"LYRICSBEGIN":
        ends = [data.find(end, at, at + (1 << 20)) for end in (b"LYRICS200", b"LYRICSEND")]
        return min((end for end in ends if end > 0), default=at - 9) + 9 - at
    return 0


def starts(data: Data, at: int = 0, end: int | None = None) -> int:
    """Where the first of some frames in a row begins, from ``at`` to before ``end``; -1 if nowhere."""
    end = len(data) if end is None else min(end, len(data))
    while (at := data.find(b"\xff", at, end)) >= 0:
        if _sure(data, at):
            return at
        at += 1
    return -1


def walk(data: Data) -> Walk | None:
    """All frames in ``data``; None if it is not MPEG audio."""
    at = skip_tags(data, 0)
    if (first := starts(data, at, at + SEARCHED)) < 0:
        return None
    walker = _Walker(data, first)
    walker.walk()
    if not walker.runs:
        return None
    clean = not data[at:first].strip(b"\0")
    return Walk(clean, tuple(walker.runs), tuple(walker.announcements), tuple(walker.damage), walker.cut)


class _Walker:
    """Goes from frame to frame. The attributes are those of ``Walk``, and:

    at: where it is.
    time: seconds of the frames until there.
    tagged: whether there is a tag between the frame before and here.
    free: length of frames of a free format; 0 where none is known.
    """

    def __init__(self, data: Data, at: int) -> None:
        self.data, self.at = data, at
        self.runs: list[Run] = []
        self.announcements: list[Announcement] = []
        self.damage: list[tuple[float, int]] = []
        self.time, self.cut, self.tagged, self.free = 0.0, False, False, 0

    def walk(self) -> None:
        """Go to the end, or to a frame that is cut off there."""
        size = len(self.data)
        while self.at < size and not self.cut:
            found = _at(self.data, self.at)
            known = found is not None and bool(self.runs) and found.form == self.runs[-1].first.form
            if found is None or not (known or _sure(self.data, self.at)):
                self._pass_by()
            elif length := self._length(found, known):
                self._take(found, known, length)
            else:
                self.at += 1

    def _pass_by(self) -> None:
        """Go on behind a tag, or to the next frame. What is between and not silence is damage."""
        if length := tag_length(self.data, self.at):
            self.at, self.tagged = self.at + length, True
            return
        resumed = starts(self.data, self.at + 1)
        end = resumed if resumed >= 0 else len(self.data)
        lost = self.data[self.at : end].strip(b"\0")
        if resumed >= 0 and lost:
            self.damage.append((self.time, len(lost)))
        self.at = end

    def _length(self, found: Header, known: bool) -> int:
        """The length of a frame; 0 where nothing tells it.

        known: whether it has the form of the run.
        """
        if not found.length and not (known and self.free):
            self.free = _free_length(self.data, self.at, found)
        return found.length or self.free + (found.bits >> 9 & 1 if self.free else 0)

    def _take(self, found: Header, known: bool, length: int) -> None:
        """Take a frame and go on behind it, unless it is cut off, holds others, or is damaged."""
        end = self.at + length
        if end > len(self.data):
            self.cut = True
        elif (inside := _other_inside(self.data, self.at, length)) > 0:  # files were joined, of which the first was cut
            self.at = inside
        elif known and found.channels != self.runs[-1].first.channels and not _goes_on(self.data, end, found):
            self.damage.append((self.time, length))  # a single frame with other channels has a damaged header
            self.at = end
        else:
            if not known or not _go_together(self.runs[-1].first, found):
                self.runs.append(Run(found))
            self._add(found, end)

    def _add(self, found: Header, end: int) -> None:
        """Add a frame to the last run."""
        run = self.runs[-1]
        if told := _announcement(self.data, self.at, found, len(self.runs) - 1, run.frames, self.tagged):
            self.announcements.append(told)
        if run.ranges and run.ranges[-1][1] == self.at:
            run.ranges[-1][1] = end
        else:
            run.ranges.append([self.at, end])
        run.frames += 1
        run.kbps.add(found.kbps)
        self.time += found.samples / found.rate
        self.at, self.tagged = end, False


def _go_together(first: Header, later: Header) -> bool:
    """Whether a decoder that began with one frame reads another one of that form right. Layers I and II have no header
    of the whole, so that their length is known only where the bit rate stays the same."""
    return first.channels == later.channels and (first.form[1] == 3 or first.kbps == later.kbps)


def _goes_on(data: Data, at: int, before: Header) -> bool:
    """Whether a frame like the one before begins there, or it was the last one."""
    found = _at(data, at)
    return at >= len(data) or (found is not None and (found.form, found.channels) == (before.form, before.channels))


def _other_inside(data: Data, at: int, length: int) -> int:
    """Where other frames begin within a frame that none follows; -1 if nowhere."""
    end = at + length
    if end >= len(data) or _at(data, end) or tag_length(data, end):
        return -1
    return starts(data, at + 4, end)


def skip_tags(data: Data, at: int) -> int:
    """Where the tags end that begin at an offset."""
    while at < len(data) and (length := tag_length(data, at)):
        at += length
    return at


def _at(data: Data, at: int) -> Header | None:
    return header(int.from_bytes(data[at : at + 4], "big")) if at + 4 <= len(data) else None


def _sure(data: Data, at: int) -> bool:
    """Whether frames of one form follow each other from there, to the end of the data if that is near."""
    first = found = _at(data, at)
    if first is None:
        return False
    free = _free_length(data, at, first) if not first.length else 0
    for count in itertools.count(1):
        if found is None or found.form != first.form:
            return False
        at += found.length or free + (found.bits >> 9 & 1)
        if count == SURE_FRAMES or not (found.length or free):
            return count == SURE_FRAMES
        if at >= len(data) or tag_length(data, at):
            return count > 1
        found = _at(data, at)
    return False


def _free_length(data: Data, at: int, first: Header) -> int:
    """The length of a free format's frame without padding: the distance to the next such header."""
    alike = 0xFFFE_FC00
    near = at + 24
    while (near := data.find(data[at : at + 2], near, at + 8192)) >= 0:
        if int.from_bytes(data[near : near + 4], "big") & alike == first.bits & alike:
            length = near - at - (first.bits >> 9 & 1)
            later = _at(data, near + length + (data[near + 2] >> 1 & 1))
            if later and later.form == first.form and not later.length:
                return length
        near += 1
    return 0


def _announcement(data: Data, at: int, found: Header, run: int, frame: int, tagged: bool) -> Announcement | None:
    if found.form[1] != 3:
        return None
    xing = at + found.side_info
    if data[xing : xing + 4] in (b"Xing", b"Info"):
        flags = int.from_bytes(data[xing + 4 : xing + 8], "big")
        frames = int.from_bytes(data[xing + 8 : xing + 12], "big") if flags & 1 else None
        readable = flags & 1 > 0 and not data[at + 6 : xing].strip(b"\0")
        lame = xing + 8 + sum(length for flag, length in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & flag)
        delay = padding = None
        if data[lame : lame + 4] in (b"LAME", b"L3.9", b"Lavf", b"Lavc"):
            delay, padding = divmod(int.from_bytes(data[lame + 21 : lame + 24], "big"), 1 << 12)
        return Announcement(at, found.length, run, frame, frames, delay, padding, tagged, readable)
    if data[at + 36 : at + 40] == b"VBRI":
        frames = int.from_bytes(data[at + 50 : at + 54], "big")
        return Announcement(at, found.length, run, frame, frames, None, None, tagged, readable=False)
    return None
