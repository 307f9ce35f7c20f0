"""FLAC (RFC 9639) that is read to its end, alone and inside Ogg."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .types import Data, Piece, Stretch, Survey

MARK = b"fLaC"
SYNCS = (b"\xff\xf8", b"\xff\xf9")  # how a frame begins, of a fixed and of a variable size
STREAMINFO = 34  # bytes
TOTAL = 18  # offset of the field of which the low 36 bits are the number of samples
SEARCHED = 1 << 20  # bytes from the end in which the last frame begins


def survey(data: Data) -> Survey | None:
    """What is known of a file with these bytes; None if it is not FLAC."""
    begins = list(_begins(data))
    if not begins:
        return None
    stretches, seconds, right = [], 0.0, begins == [0]
    for start, end in zip(begins, [*begins[1:], len(data)], strict=True):
        rate, samples = _told(data, start)
        found = samples or _count(data, start, end)
        seconds += found / max(1, rate)
        right &= samples > 0
        stretches.append(Stretch(_counted(data, start, end, found), flac=True))
    findings = ()
    if len(begins) > 1:
        findings = (
            f"is joined from {len(begins)} FLAC files. All were read, but Blender and other players may play only the "
            "first; join them in an audio editor",
        )
    return Survey((Stretch(flac=True),) if right else tuple(stretches), seconds, findings)


def of_packets(packets: list[bytes]) -> bytes | None:
    """A FLAC file of the packets of FLAC in Ogg (RFC 9639, section 10.1); None if they are something else."""
    if not packets or packets[0][:5] != b"\x7fFLAC" or packets[0][9:13] != MARK:
        return None
    return b"".join([packets[0][9:], *packets[1:]])


def head_length(data: Data, start: int = 0) -> int:
    """The bytes before the first frame of the file that begins at an offset."""
    at = start + len(MARK)
    while at + 4 <= len(data):
        last, length = data[at] >> 7, int.from_bytes(data[at + 1 : at + 4], "big")
        at += 4 + length
        if last:
            break
    return min(at, len(data)) - start


def resume(data: Data, at: int, sample: int) -> tuple[int, int] | None:
    """Where the first frame is, from the offset ``at`` on, that begins at ``sample`` or later, and its first sample."""
    fixed, total, sync = int.from_bytes(data[8:10], "big"), _told(data, 0)[1], _sync(data, 0)
    while (at := data.find(sync, at)) >= 0:
        frame = _frame(data[at : at + 16], fixed)
        if frame and sample <= frame[0] and (not total or sum(frame) <= total):
            return at, frame[0]
        at += 1
    return None


def _sync(data: Data, start: int) -> bytes:
    """How all frames of a file begin."""
    first = start + head_length(data, start)
    return data[first : first + 2] if data[first : first + 2] in SYNCS else SYNCS[0]


def _begins(data: Data) -> Iterator[int]:
    at = 0
    while (at := data.find(MARK, at)) >= 0:
        if data[at + 4 : at + 8] in (b"\0\0\0\x22", b"\x80\0\0\x22") and len(data) >= at + 8 + STREAMINFO:
            yield at
        at += 4


def _told(data: Data, start: int) -> tuple[int, int]:
    """Sample rate and number of samples by the header; 0 samples if the program that wrote it did not know."""
    bits = int.from_bytes(data[start + TOTAL : start + TOTAL + 8], "big")
    return bits >> 44, bits & (1 << 36) - 1


def _counted(data: Data, start: int, end: int, samples: int) -> tuple[Piece, ...]:
    """A stream with the number of its samples in the header."""
    bits = int.from_bytes(data[start + TOTAL : start + TOTAL + 8], "big") >> 36 << 36 | samples
    after = start + TOTAL + 8
    return (data[start : start + TOTAL] + struct.pack(">Q", bits), (after, end - after))


def _count(data: Data, start: int, end: int) -> int:
    """The number of samples, from the header of the last frame that is whole."""
    fixed = int.from_bytes(data[start + 8 : start + 10], "big")
    least = max(start + 8 + STREAMINFO, end - SEARCHED)
    at, until, sync = end, end, _sync(data, start)
    while (at := data.rfind(sync, least, at + 1)) >= least:
        if frame := _frame(data[at : at + 16], fixed):
            if _crc16(data[at : until - 2]) == int.from_bytes(data[until - 2 : until], "big"):
                return sum(frame)
            until = at  # the file ends in the middle of this frame
        at -= 1
    return 0


def _frame(head: bytes, fixed: int) -> tuple[int, int] | None:
    """The first sample of the frame with this header, and how many it has; None if it is no header."""
    if len(head) < 6 or head[2] >> 4 == 0 or head[2] & 15 == 15 or head[3] & 1:
        return None
    lead, at = head[4], 5
    extra = 0 if lead < 0x80 else next((n for n in range(1, 7) if lead >> (6 - n) == (0xFF >> (6 - n)) - 1), -1)
    if extra < 0 or len(head) < at + extra + 4 or any(byte >> 6 != 2 for byte in head[at : at + extra]):
        return None
    number = lead if not extra else lead & (0x3F >> extra)
    for byte in head[at : at + extra]:
        number = number << 6 | byte & 0x3F
    at += extra
    size, rate = head[2] >> 4, head[2] & 15
    if size == 6:
        samples, at = head[at] + 1, at + 1
    elif size == 7:
        samples, at = int.from_bytes(head[at : at + 2], "big") + 1, at + 2
    else:
        samples = 192 if size == 1 else 576 << size - 2 if size < 6 else 256 << size - 8
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if at >= len(head) or _crc8(head[:at]) != head[at]:
        return None
    return (number if head[1] & 1 else number * fixed), samples


def _crc8(data: Data) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def _table() -> tuple[int, ...]:
    table = []
    for crc in range(256):
        crc <<= 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
        table.append(crc)
    return tuple(table)


_TABLE = _table()


def _crc16(data: Data) -> int:
    crc = 0
    for byte in data:
        crc = (crc << 8 ^ _TABLE[crc >> 8 ^ byte]) & 0xFFFF
    return crc
