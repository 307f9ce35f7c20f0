"""How much dances differ from each other.

Conventions
    Motions on ``SMPL22`` at one frame rate. Poses are seen from the dancer: joint positions in metres relative to the
    root's place on the floor, turned to its heading, so that facing elsewhere is no difference.

Scores
    poses       mean joint distance, metres, between two dances at the same instants (of the shorter's length).
    statistics  Euclidean distance of fixed-length descriptions: mean and standard deviation over time of every joint's
                place (metres) and speed (m/s). Insensitive to when things happen.
    Both are means over all pairs, as the "Dist" of the dance papers; their 72-d and 32-d features are not these.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.motion import kinematics, rotation
from core.types import FootlightError, Motion


def validate(motions: list[Motion]) -> None:
    """Raises FootlightError unless there are two or more motions of at least two frames at one frame rate."""
    if len(motions) < 2:
        raise FootlightError(f"diversity compares two dances or more, got {len(motions)}; generate further seeds")
    rates = sorted({motion.fps for motion in motions})
    if len(rates) > 1 or min(motion.frames for motion in motions) < 2:
        raise FootlightError(f"expected dances of two frames or more at one rate, got rates {rates}; resample them")


def dancer_space(motion: Motion) -> Tensor:
    """Joint positions (t, j, 3) in metres, the root's place on the floor and heading taken away."""
    positions = kinematics.forward(motion.rotations.double(), motion.root.double())
    heading = rotation.about("y", -rotation.yaw(motion.rotations[:, 0].double()))
    floor = motion.root.double() * motion.root.new_tensor([1.0, 0.0, 1.0])
    return rotation.rotate(heading[:, None], positions - floor[:, None])


def statistics(motion: Motion) -> Tensor:
    """(8 j,): mean and standard deviation of each joint's place in dancer space, then of its speed in the world."""
    places = dancer_space(motion)
    world = kinematics.forward(motion.rotations.double(), motion.root.double())
    speeds = world.diff(dim=0).norm(dim=-1) * motion.fps
    parts = (places.mean(dim=0), places.std(dim=0, correction=0), speeds.mean(dim=0), speeds.std(dim=0, correction=0))
    return torch.cat([part.flatten() for part in parts])


def pose_distance(a: Motion, b: Motion) -> float:
    """Mean joint distance in dancer space, metres, over the frames both have."""
    frames = min(a.frames, b.frames)
    return float((dancer_space(a.cut(0, frames)) - dancer_space(b.cut(0, frames))).norm(dim=-1).mean())


def mean_pairwise(features: Tensor) -> float:
    """Mean Euclidean distance over all pairs of rows of (n >= 2, d)."""
    return float(torch.pdist(features.double()).mean())


def evaluate(motions: list[Motion]) -> dict:
    """Both scores of a set of dances (seeds of one song, or clips), with their frame rate."""
    validate(motions)
    pairs = [pose_distance(a, b) for i, a in enumerate(motions) for b in motions[i + 1 :]]
    return {
        "fps": motions[0].fps,
        "dances": len(motions),
        "poses": sum(pairs) / len(pairs),
        "statistics": mean_pairwise(torch.stack([statistics(motion) for motion in motions])),
    }
