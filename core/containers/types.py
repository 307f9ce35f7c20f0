"""What is known of a sound file without decoding it."""

from __future__ import annotations

import mmap
from dataclasses import dataclass

MISSED_SECONDS = 0.25
"""Of a sound that is not heard: fewer are not worth a word."""

Data = bytes | mmap.mmap
"""What is in a file."""

Piece = bytes | tuple[int, int]
"""Bytes, or the (offset, length) of some in a file."""


@dataclass(frozen=True)
class Stretch:
    """A part of a file, as something that a decoder reads right on its own.

    pieces: what the decoder is to be given, in order; None is the file as it is.
    flac: whether it is FLAC, in which one can go on behind damage.
    onward: whether it is to be decoded in one go, because the decoder is not right at once where it is told to go on.
    """

    pieces: tuple[Piece, ...] | None = None
    onward: bool = False
    flac: bool = False


AS_IT_IS = Stretch()


@dataclass(frozen=True)
class Survey:
    """How to decode a file to its end, and what is wrong with it.

    stretches: what to decode, one after another.
    seconds: how long that is; None where only decoding tells.
    findings: what the user should know, each the rest of a sentence that begins with the file's name.
    """

    stretches: tuple[Stretch, ...] = (AS_IT_IS,)
    seconds: float | None = None
    findings: tuple[str, ...] = ()


def cut_short(there: float, announced: float) -> str:
    """The finding for a file that has fewer seconds than its header announces."""
    return (
        f"ends after {there:.1f} of the {announced:.1f} s that its header announces; "
        "if the end is missing, download or export it again"
    )
