"""AAC in ADTS frames (ISO 13818-7, 6.2), of which only the length is wanted: players guess it from the first frames."""

from __future__ import annotations

from . import mpeg_frames
from .types import Data, Survey

RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
SAMPLES = 1024  # of a block; a frame has one to four


def frame(data: Data, at: int) -> tuple[int, float]:
    """The length in bytes and in seconds of the frame that begins there; 0 and 0 if none does."""
    head = data[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 >= len(RATES):
        return 0, 0.0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return (length, (1 + (head[6] & 3)) * SAMPLES / RATES[head[2] >> 2 & 15]) if length > 7 else (0, 0.0)


def survey(data: Data) -> Survey | None:
    """The seconds of a file with these bytes; None if it is something else."""
    at, seconds = mpeg_frames.skip_tags(data, 0), 0.0
    while at < len(data):
        length, lasts = frame(data, at)
        if not length:
            break
        at, seconds = at + length, seconds + lasts
    return Survey(seconds=seconds) if seconds else None
