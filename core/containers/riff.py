"""WAV (RIFF, RIFX, RF64, BW64) that is read to the file's end.

A program that writes into a pipe never comes back to fill in the sizes. It leaves 0, or the largest size there is (SoX
0x7ffff000, others 0x7fffffff, 0x80000000, 0xffffffff), sometimes less the header's own length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from .types import AS_IT_IS, Piece, Stretch, Survey, cut_short

UNWRITTEN = 0x7F00_0000
"""Sizes from here on are placeholders where the file is shorter."""

SLACK = 64  # bytes: some writers count the header as sound
LARGEST_LONG = 1 << 62  # bytes; RF64's sizes from here on are placeholders
LARGEST = 0xFFFF_FFFF - 4096  # bytes of sound that a plain WAV can hold
LONGEST_FMT = 1 << 16
PLAIN = (1, 3, 6, 7)  # PCM, float, A-law and mu-law, whose length follows from their bytes
BLOCKS = (2, 0x11, 0x31)  # MS ADPCM, IMA ADPCM and GSM, whose header says how many samples a packet has
EXTENSIBLE = 0xFFFE
FORMS = (b"RIFF", b"RIFX", b"RF64", b"BW64")


@dataclass(frozen=True)
class Wave:
    """A WAV inside a file.

    start: its offset.
    order: "<" or ">", the byte order.
    fmt: the contents of its chunk ``fmt ``.
    data: offset of the sound.
    announced: bytes of sound by the header; None for a placeholder.
    size: bytes of sound that are there.
    end: offset of what follows the sound.
    behind: bytes after the sound that are no chunks.
    broken: whether a decoder would stumble over the header.
    """

    start: int
    order: str
    fmt: bytes
    data: int
    announced: int | None
    size: int
    end: int
    behind: int
    broken: bool

    @property
    def codec(self) -> int:
        """Microsoft's number of the codec."""
        tag = struct.unpack_from(self.order + "H", self.fmt)[0]
        return (
            struct.unpack_from(self.order + "H", self.fmt, 24)[0] if tag == EXTENSIBLE and len(self.fmt) > 25 else tag
        )

    @property
    def bytes_per_second(self) -> float:
        """By the size of packets where they are known, as some writers state another rate; else as stated."""
        rate, stated = struct.unpack_from(self.order + "II", self.fmt, 4)
        samples = struct.unpack_from(self.order + "H", self.fmt, 18)[0] if len(self.fmt) >= 20 else 0
        return self.block * rate / samples if self.codec in BLOCKS and samples else stated

    @property
    def seconds(self) -> float:
        return self.size / max(1, self.bytes_per_second)

    @property
    def block(self) -> int:
        """Bytes of a frame or a packet."""
        return max(1, struct.unpack_from(self.order + "H", self.fmt, 12)[0])


def survey(file: BinaryIO, size: int) -> Survey | None:
    """What is known of a file of ``size`` bytes; None if it holds no sound that could be found."""
    found = list(waves(file, size))
    if not found:
        return None
    first = found[0]
    findings = []
    if first.announced is not None and first.announced - first.size > SLACK:
        findings.append(cut_short(first.seconds, first.seconds * first.announced / max(1, first.size)))
    last = found[-1]
    if last.behind > last.bytes_per_second:
        findings.append(
            f"has {last.behind} bytes behind the {last.seconds:.1f} s that its header announces, which were left out; "
            "if the end of the song is missing, export it again"
        )
    if len(found) > 1:
        findings.append(
            f"has another WAV file behind its end, from {first.seconds:.1f} s on. All was read, but Blender and other "
            "players play only the first; join them in an audio editor"
        )
    seconds = sum(wave.seconds for wave in found) if first.codec in PLAIN else None
    whole = not first.broken and len(found) == 1
    return Survey((AS_IT_IS,) if whole else tuple(map(_stretch, found)), seconds, tuple(findings))


def codec(file: BinaryIO, size: int) -> int | None:
    """The number of the codec of a WAV file; None if it cannot be found."""
    first = next(waves(file, size), None)
    return None if first is None else first.codec


def waves(file: BinaryIO, size: int) -> Iterator[Wave]:
    """The WAV files that lie one behind the other in a file."""
    at = 0
    while (wave := _wave(file, at, size)) is not None:
        yield wave
        at = wave.end


def _wave(file: BinaryIO, start: int, size: int) -> Wave | None:
    file.seek(start)
    head = file.read(12)
    if head[:4] not in FORMS or head[8:] != b"WAVE":
        return None
    order = ">" if head[:4] == b"RIFX" else "<"
    at, fmt, long, broken = start + 12, b"", None, False
    while True:
        file.seek(at)
        chunk = file.read(8)
        if len(chunk) < 8:
            return None
        name, length = struct.unpack(order + "4sI", chunk)
        if not _named(name):  # the byte that makes an odd chunk even was forgotten, or should not be there
            shift = _shifted(file, at)
            if shift == 0:
                return None
            at, broken = at + shift, True
            continue
        if name == b"data":
            break
        if name == b"fmt ":
            fmt = file.read(min(length, LONGEST_FMT))
        if name == b"ds64":
            long = struct.unpack_from("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        at += 8 + length + length % 2
    data = at + 8
    if len(fmt) < 14:
        return None
    written = 0 < length < UNWRITTEN
    if length == 0xFFFF_FFFF and long is not None and head[:4] in (b"RF64", b"BW64"):
        length, written = long, 0 < long < LARGEST_LONG
    wave = Wave(start, order, fmt, data, length if written else None, size - data, size, 0, broken=True)
    if length > size - data:
        return wave
    end = _next(file, data + length, size, order)
    hardly_begun = length < wave.bytes_per_second < size - data - length
    if end is None and (not written or hardly_begun):  # by a header that was never brought up to date
        return wave
    behind = size - data - length if end is None else 0
    return replace(wave, announced=length, size=length, end=end or size, behind=behind, broken=broken or end != size)


def _named(name: bytes) -> bool:
    return all(32 <= letter < 127 for letter in name)


def _shifted(file: BinaryIO, at: int) -> int:
    """By how much the chunk at an offset is misplaced: -1, 1, or 0 if it is not found there."""
    for shift in (-1, 1):
        file.seek(at + shift)
        if _named(file.read(4).ljust(4, b"\0")):
            return shift
    return 0


def _next(file: BinaryIO, behind: int, size: int, order: str) -> int | None:
    """Where another WAV begins, or the file's end, if only chunks lie before that; None if other things do.

    behind: where the sound ends; there may be a byte that makes it even.
    """
    for at in (behind + behind % 2, behind):
        while at < size:
            file.seek(at)
            head = file.read(12)
            if head[:4] in FORMS and head[8:] == b"WAVE":
                return at
            if len(head) < 8 or not _named(head[:4]):
                break
            length = struct.unpack(order + "I", head[4:8])[0]
            at += 8 + length + length % 2
        if size <= at <= size + 1:
            return size
    return None


def _stretch(wave: Wave) -> Stretch:
    """The sound of a WAV with a plain and true header."""
    size = wave.size - wave.size % wave.block if wave.codec in PLAIN else wave.size
    mark = b"RIFX" if wave.order == ">" else b"RIFF"
    chunks: list[Piece] = [_chunk(wave.order, b"fmt ", wave.fmt)]
    if size > LARGEST and wave.order == "<":
        sizes = struct.pack("<QQQI", size + len(chunks[0]) + 56, size, size // wave.block, 0)
        head = b"RF64" + b"\xff" * 4 + b"WAVE" + _chunk("<", b"ds64", sizes)
        data = b"data" + b"\xff" * 4
    else:
        head = mark + struct.pack(wave.order + "I", size + len(chunks[0]) + 12) + b"WAVE"
        data = b"data" + struct.pack(wave.order + "I", size)
    return Stretch((head + bytes(chunks[0]) + data, (wave.data, size)))


def _chunk(order: str, name: bytes, content: bytes) -> bytes:
    return name + struct.pack(order + "I", len(content)) + content + b"\0" * (len(content) % 2)
