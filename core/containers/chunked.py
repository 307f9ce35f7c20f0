"""AIFF, CAF, AU and Wave64: whether they are whole, and CAF from a pipe.

libsndfile reads them to the file's end, except for a CAF whose writer never came back to fill in its size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from .riff import LARGEST_LONG, SLACK, UNWRITTEN
from .types import Stretch, Survey, cut_short

W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"


def aiff(file: BinaryIO, size: int) -> Survey:
    """What is known of an AIFF file."""
    chunks = {name: (at, length) for name, at, length in _chunks(file, size, 12, ">4sI", even=True)}
    if b"COMM" not in chunks or b"SSND" not in chunks:
        return Survey()
    file.seek(chunks[b"COMM"][0])
    channels, frames, bits, exponent, mantissa = struct.unpack(">hIhHQ", file.read(18).ljust(18, b"\0"))
    power = exponent - 16383 - 63  # the rate is a float of 80 bits
    rate = mantissa * 2.0**power if -80 < power < 0 else 0.0
    at, length = chunks[b"SSND"]
    there = max(0, size - at - 8)
    announced = frames * channels * ((bits + 7) // 8)
    if not 0 < length < UNWRITTEN or at + length <= size + SLACK or not announced or not rate:
        return Survey()
    return Survey(findings=(cut_short(there / announced * frames / rate, frames / rate),))


def caf(file: BinaryIO, size: int) -> Survey:
    """What is known of a CAF file."""
    bytes_per_second = 0.0
    for name, at, length in _chunks(file, size, 8, ">4sQ"):
        if name == b"desc":
            file.seek(at)
            rate, packet, frames = struct.unpack(">d8xII", file.read(24).ljust(24, b"\0"))
            bytes_per_second = rate * packet / frames if frames else 0.0
        if name == b"data" and at + length > size:
            there = Stretch(((0, at - 8), struct.pack(">Q", size - at), (at, size - at)))
            known = length < LARGEST_LONG and at + length > size + SLACK and bytes_per_second > 0
            cut = [cut_short((size - at) / bytes_per_second, length / bytes_per_second)] if known else []
            return Survey((there,), findings=tuple(cut))
    return Survey()


def au(file: BinaryIO, size: int) -> Survey:
    """What is known of an AU file."""
    file.seek(0)
    begin, length, encoding, rate, channels = struct.unpack(">4x5I", file.read(24).ljust(24, b"\0"))
    width = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}.get(encoding, 0) * rate * channels
    if not width or length >= UNWRITTEN or begin + length <= size + SLACK:
        return Survey()
    return Survey(findings=(cut_short((size - begin) / width, length / width),))


def w64(file: BinaryIO, size: int) -> Survey:
    """What is known of a Wave64 file."""
    at, bytes_per_second = 40, 0
    while at + 24 <= size:
        file.seek(at)
        name, length = struct.unpack("<16sQ", file.read(24))
        if name[:4] == b"fmt ":
            bytes_per_second = struct.unpack("<8xI", file.read(12).ljust(12, b"\0"))[0]
        if name == W64_DATA:
            if bytes_per_second and size - at + SLACK < length < LARGEST_LONG:
                there, announced = size - at - 24, length - 24
                return Survey(findings=(cut_short(there / bytes_per_second, announced / bytes_per_second),))
            break
        at += max(24, length + -length % 8)
    return Survey()


def _chunks(file: BinaryIO, size: int, at: int, form: str, even: bool = False) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset and length of every chunk's contents."""
    head = struct.calcsize(form)
    while at + head <= size:
        file.seek(at)
        name, length = struct.unpack(form, file.read(head))
        yield name, at + head, length
        at += head + length + (length % 2 if even else 0)
