"""Detects truncated audio files where the container reveals it.

Decoders read a wav or Ogg file that stops half-way (a broken download, a full disk) as a shorter song.
"""

from __future__ import annotations

import struct
from pathlib import Path

_UNKNOWN = (0, 0xFFFFFFFF)  # sizes that streaming programs write, because they never return to the header
_SLACK = 64  # some writers include the header in the length of the sound
_OGG_PAGE_MOST = 27 + 255 + 255 * 255


def missing_bytes(path: Path) -> int:
    """How many bytes a file lacks by its own headers; 0 for complete files and for other formats."""
    with open(path, "rb") as file:
        magic = file.read(12)
        size = path.stat().st_size
        if magic[:4] in (b"RIFF", b"RF64") and magic[8:] == b"WAVE":
            return _wav(file, size)
        if magic[:4] == b"OggS":
            return _ogg(file, size)
    return 0


def _wav(file, size: int) -> int:
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", head)
        if name == b"data":
            return 0 if length in _UNKNOWN else max(0, file.tell() + length - size - _SLACK)
        file.seek(length + length % 2, 1)
    return 1  # no sound data at all


def _ogg(file, size: int) -> int:
    start = max(0, size - _OGG_PAGE_MOST)
    file.seek(start)
    tail = file.read()
    page = tail.rfind(b"OggS")
    head = tail[page : page + 27]
    segments = head[26] if len(head) == 27 else 0
    sizes = tail[page + 27 : page + 27 + segments]
    if len(head) < 27 or len(sizes) < segments:
        return 1
    return max(0, start + page + 27 + segments + sum(sizes) - size)
