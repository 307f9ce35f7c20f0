"""Brings captures that are faster than any animation to a usual rate.

Motion is captured at up to 1000 frames per second. No movement of a body is that fast, so a part of the frames says
the same, once the noise between them is filtered out.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TypeVar

from torch import Tensor

from core.formats.bvh import BvhMotion
from core.motion.resample import decimate, decimate_turns
from core.protocol import FASTEST_FPS
from core.types import Motion

ENOUGH_FPS = 125.0  # frames per second to which faster captures are brought at most
Moved = TypeVar("Moved", bound=Motion)


def divisor(fps: float) -> int:
    """One in how many frames is used of a capture at ``fps`` frames per second."""
    return 1 if fps <= FASTEST_FPS else math.ceil(fps / ENOUGH_FPS - 1e-6)


def slowed(motion: Moved) -> Moved:
    """A motion at ``FASTEST_FPS`` frames per second or less. Faster ones are decimated."""
    factor = divisor(motion.fps)
    if factor == 1:
        return motion
    made = replace(
        motion,
        rotations=decimate_turns(motion.rotations, factor),
        root=decimate(motion.root, factor),
        fps=motion.fps / factor,
        contacts=None if motion.contacts is None else motion.contacts[::factor],
    )
    if isinstance(made, BvhMotion) and made.offsets is not None:
        made = replace(made, offsets=decimate(made.offsets, factor))
    return made


def slowed_positions(positions: Tensor, fps: float) -> tuple[Tensor, float]:
    """Positions (t, ...) at ``fps`` as ``slowed`` gives a motion, with their new rate."""
    factor = divisor(fps)
    return decimate(positions, factor), fps / factor
