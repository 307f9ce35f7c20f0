"""What the engine costs: bytes to download and bytes on the disk, measured for each kind of computer."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """Bytes, with PyTorch 2.13 and Python 3.11 or 3.13.

    download: of the packages.
    disk: of what is installed.
    """

    download: int
    disk: int


SMALL = {
    "linux": Cost(230_000_000, 796_000_000),
    "win32": Cost(157_000_000, 555_000_000),
    "darwin": Cost(143_000_000, 542_000_000),
}
"""With PyTorch for the processor, and on Apple's computers for their graphics card too."""

LARGE = {"linux": Cost(3_000_000_000, 5_700_000_000)}
"""With NVIDIA's libraries, by ``sys.platform``; elsewhere the ordinary PyTorch has none."""


def cost(large: bool = False, platform: str = sys.platform) -> Cost:
    """What an installation costs on this kind of computer."""
    small = SMALL.get(platform, SMALL["linux"])
    return LARGE.get(platform, small) if large else small


def text(size: float) -> str:
    """Bytes as people say them: "233 MB", "3.0 GB"."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(size / 1e6, 1.0):.0f} MB"
