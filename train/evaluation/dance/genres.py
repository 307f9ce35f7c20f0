"""Physics and footwork by genre, compared with references whose size is stated.

Some genres hold out a single clip of a few seconds, which is too little. Therefore all capture of the genre, train and
val, stands beside it, with the range of its ten-second windows. A dance within that range moves as people of that genre
do.
"""

from __future__ import annotations

import math

import numpy as np

from core.metrics import physics
from core.types import Motion
from train.evaluation.dance.material import Capture, Excerpt
from train.evaluation.dance.measures import PHYSICS, footwork_of, mean_footwork, mean_physics

WINDOW_SECONDS = 10.0
SHORTEST_WINDOW = 4.0


def windows(motion: Motion) -> list[Motion]:
    """The motion in pieces of ``WINDOW_SECONDS``.

    A rest of ``SHORTEST_WINDOW`` or more counts, and so does any short clip.
    """
    length = round(WINDOW_SECONDS * motion.fps)
    pieces = [motion.cut(at, min(at + length, motion.frames)) for at in range(0, motion.frames, length)]
    kept = [piece for piece in pieces if piece.seconds >= SHORTEST_WINDOW]
    return kept or [motion]


def reference(clips: list[Capture]) -> dict:
    """Physics of capture: ``clips``, ``seconds``, ``mean``, ``low`` and ``high``; and its mean ``footwork``.

    Means are weighted by seconds. Low and high are the 5th and 95th percentiles of its windows.
    """
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
        "footwork": mean_footwork([(clip.motion.seconds, footwork_of(clip.motion)) for clip in clips]),
    }


def of_motions(motions: list[Motion]) -> dict:
    """Mean physics of dances, weighted by seconds; and their mean ``footwork``."""
    found: dict = mean_physics([(motion.seconds, physics.evaluate(motion)) for motion in motions])
    return found | {"footwork": mean_footwork([(motion.seconds, footwork_of(motion)) for motion in motions])}


def references(clips: list[Capture]) -> dict[str, dict]:
    """References by style: ``{"val": ..., "all": ...}``. A style may have no val."""
    found: dict[str, dict] = {}
    for style in sorted({clip.style for clip in clips}):
        ours = [clip for clip in clips if clip.style == style]
        held_out = [clip for clip in ours if clip.split == "val"]
        found[style] = {"all": reference(ours)} | ({"val": reference(held_out)} if held_out else {})
    return found


def songs_of(style: str, songs: list[Excerpt], clips: list[Capture], most: int) -> list[Excerpt]:
    """The songs whose tempo is the nearest to that of the style's capture, because how much a style steps depends on
    it. The first ones where no capture of the style has a known tempo.
    """
    known = [math.log(clip.tempo) for clip in clips if clip.style == style and clip.tempo]
    if known:
        middle = sum(known) / len(known)
        songs = sorted(songs, key=lambda song: abs(math.log(max(song.beats.tempo, 1.0)) - middle))
    return songs[:most]


def ratios(made: dict[str, float], real: dict | None) -> dict[str, float | None]:
    """Each number divided by the real mean, or None when the reference is missing or zero."""
    if real is None:
        return dict.fromkeys(PHYSICS)
    return {n: made[n] / real["mean"][n] if real["mean"][n] > 1e-9 else None for n in PHYSICS}
