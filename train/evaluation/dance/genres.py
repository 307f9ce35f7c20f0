"""Physics by genre, against references that say how solid they are.

Some genres hold out one clip of a few seconds, which is no reference. Beside it stands all capture of the genre, train
and val, with the range of its ten-second windows: a dance within that range moves as people of that genre do.
"""

from __future__ import annotations

import numpy as np

from core.metrics import physics
from core.types import Motion
from train.evaluation.dance.material import Capture
from train.evaluation.dance.measures import PHYSICS, mean_physics

WINDOW_SECONDS = 10.0
SHORTEST_WINDOW = 4.0


def windows(motion: Motion) -> list[Motion]:
    """The motion in pieces of ``WINDOW_SECONDS``; the rest counts from ``SHORTEST_WINDOW`` on, a short clip whole."""
    length = round(WINDOW_SECONDS * motion.fps)
    pieces = [motion.cut(at, min(at + length, motion.frames)) for at in range(0, motion.frames, length)]
    kept = [piece for piece in pieces if piece.seconds >= SHORTEST_WINDOW]
    return kept or [motion]


def reference(clips: list[Capture]) -> dict:
    """Physics of capture: ``clips``, ``seconds``, ``mean`` (weighted by seconds), and over windows ``low`` and
    ``high``, the 5th and 95th percentiles."""
    rows = [(clip.motion.seconds, physics.evaluate(clip.motion)) for clip in clips]
    pieces = [physics.evaluate(piece) for clip in clips for piece in windows(clip.motion)]
    spread = {name: np.percentile([piece[name] for piece in pieces], (5, 95)) for name in PHYSICS}
    return {
        "clips": len(clips),
        "seconds": sum(seconds for seconds, _ in rows),
        "windows": len(pieces),
        "mean": mean_physics(rows),
        "low": {name: float(spread[name][0]) for name in PHYSICS},
        "high": {name: float(spread[name][1]) for name in PHYSICS},
    }


def of_motions(motions: list[Motion]) -> dict[str, float]:
    """Mean physics of dances, weighted by seconds."""
    return mean_physics([(motion.seconds, physics.evaluate(motion)) for motion in motions])


def references(clips: list[Capture]) -> dict[str, dict]:
    """Style -> {"val": reference or absent, "all": reference}."""
    found: dict[str, dict] = {}
    for style in sorted({clip.style for clip in clips}):
        ours = [clip for clip in clips if clip.style == style]
        held_out = [clip for clip in ours if clip.split == "val"]
        found[style] = {"all": reference(ours)} | ({"val": reference(held_out)} if held_out else {})
    return found


def ratios(made: dict[str, float], real: dict | None) -> dict[str, float | None]:
    """Each number over the real mean; None where the reference is missing or zero."""
    if real is None:
        return dict.fromkeys(PHYSICS)
    return {n: made[n] / real["mean"][n] if real["mean"][n] > 1e-9 else None for n in PHYSICS}
