"""How a sound file is to be decoded, and what is wrong with it."""

from __future__ import annotations

import mmap
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from . import adts, chunked, flac, mpeg, ogg, riff
from .kinds import AAC, AIFF, AU, CAF, FLAC, MPEG, OGG, W64, WAV, Kind
from .types import Piece, Stretch, Survey

MPEG_IN_WAV = (0x50, 0x55)

_BY_BYTES = {AAC: adts.survey, FLAC: flac.survey, OGG: ogg.survey, MPEG: mpeg.survey}
_BY_CHUNKS = {AIFF: chunked.aiff, CAF: chunked.caf, AU: chunked.au, W64: chunked.w64, WAV: riff.survey}


def survey(path: Path | str, kind: Kind | None) -> Survey:
    """What is known of a file of that kind. Raises OSError if it cannot be read."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        if kind is WAV and (inside := _mpeg_in_wav(file, size)):
            return inside
        if kind in _BY_CHUNKS:
            return _BY_CHUNKS[kind](file, size) or Survey()
        if kind in _BY_BYTES and size:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _BY_BYTES[kind](data) or Survey()
    return Survey()


def _mpeg_in_wav(file: BinaryIO, size: int) -> Survey | None:
    wave = next(riff.waves(file, size), None)
    if wave is None or wave.codec not in MPEG_IN_WAV:
        return None
    file.seek(wave.data)
    found = mpeg.survey(file.read(wave.size))
    if found is None:
        return None

    def moved(piece: Piece) -> Piece:
        return piece if isinstance(piece, bytes) else (piece[0] + wave.data, piece[1])

    def inside(one: Stretch) -> Stretch:
        pieces = ((0, wave.size),) if one.pieces is None else one.pieces
        return replace(one, pieces=tuple(map(moved, pieces)))

    return replace(found, stretches=tuple(map(inside, found.stretches)))
