"""Numbers that only sets of dances have: how far from real capture, how varied, how near to a training clip."""

from __future__ import annotations

from core.metrics import diversity
from core.types import Motion


def variety(motions: list[Motion]) -> dict | None:
    """``core.metrics.diversity.evaluate`` over the length that all have; None for fewer than two."""
    if len(motions) < 2:
        return None
    shortest = min(motion.frames for motion in motions)
    return diversity.evaluate([motion.cut(0, shortest) for motion in motions])
