"""Files of chunks that were written by hand, after the formats' own descriptions."""

from __future__ import annotations

import io
import struct

import pytest

from core.containers import chunked

RATE, FRAMES = 8000, 8000


def aiff(named: bytes, there: int) -> io.BytesIO:
    """A second of 16-bit mono that has a name before it, and of which ``there`` frames were written.

    Chunks of an odd length are padded (AIFF 1.3). The rate is a float of 80 bits: 8000 is 1.953125 times 2 to the 12.
    """
    chunks = [
        b"NAME" + struct.pack(">I", len(named)) + named + b"\0" * (len(named) % 2),
        b"COMM" + struct.pack(">IhIhHQ", 18, 1, FRAMES, 16, 16383 + 12, RATE << (63 - 12)),
        b"SSND" + struct.pack(">III", 8 + 2 * FRAMES, 0, 0) + bytes(2 * there),
    ]
    body = b"AIFF" + b"".join(chunks)
    return io.BytesIO(b"FORM" + struct.pack(">I", len(body)) + body)


@pytest.mark.parametrize("named", [b"song", b"odd"])
def test_an_aiff_that_was_cut_short_says_so(named):
    file = aiff(named, FRAMES // 2)
    (said,) = chunked.aiff(file, len(file.getvalue())).findings
    assert said.startswith("ends after 0.5 of the 1.0 s")


@pytest.mark.parametrize("named", [b"song", b"odd"])
def test_a_whole_aiff_says_nothing(named):
    file = aiff(named, FRAMES)
    assert chunked.aiff(file, len(file.getvalue())).findings == ()
