"""Metrics of how much dances differ from each other, and of how much is copied from the training data.

Conventions
    Motions are on ``SMPL22`` at one frame rate. Poses are in dancer space: joint positions in metres relative to the
    root's position on the floor and to its heading, so facing another way is no difference.

Metrics
    poses       mean joint distance, in metres, between two dances at the same instants, over the shorter one's length.
    statistics  Euclidean distance between descriptions of fixed length: mean and standard deviation over time of every
                joint's position (metres) and speed (m/s). It does not depend on when things happen.
    Both are means over all pairs, like the "Dist" of dance papers, which uses other features of 72 and 32 dimensions
    (``frechet``).
    closest     for every two-second window of a generated dance, the distance in metres to the nearest window of the
                training captures and their mirror images: the root mean square over joints and instants, in dancer
                space. The path is ignored, so copied steps are found on any path. The same for held-out captures is
                the reference. Generated dances much closer than that are copies.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.errors import FootlightError
from core.metrics.frames import at_rate, windows
from core.motion import kinematics, rotation
from core.motion.kinematics import mirror
from core.types import Motion

COPY_FPS = 10.0
COPY_SECONDS = 2.0


def validate(motions: list[Motion]) -> None:
    """Raises FootlightError unless there are two or more motions, of two or more frames, at one frame rate."""
    if len(motions) < 2:
        raise FootlightError(f"diversity compares two dances or more, got {len(motions)}; generate further seeds")
    rates = sorted({motion.fps for motion in motions})
    if len(rates) > 1 or min(motion.frames for motion in motions) < 2:
        raise FootlightError(f"expected dances of two frames or more at one rate, got rates {rates}; resample them")


def dancer_space(motion: Motion) -> Tensor:
    """Joint positions (t, j, 3), metres, relative to the root's position on the floor and to its heading."""
    positions = kinematics.forward(motion.rotations.double(), motion.root.double())
    heading = rotation.about("y", -rotation.yaw(motion.rotations[:, 0].double()))
    floor = motion.root.double() * motion.root.new_tensor([1.0, 0.0, 1.0])
    return rotation.rotate(heading[:, None], positions - floor[:, None])


def statistics(motion: Motion) -> Tensor:
    """Statistics (8 j,): mean and deviation of each joint's position in dancer space, and of its speed in the world."""
    places = dancer_space(motion)
    world = kinematics.forward(motion.rotations.double(), motion.root.double())
    speeds = world.diff(dim=0).norm(dim=-1) * motion.fps
    parts = (places.mean(dim=0), places.std(dim=0, correction=0), speeds.mean(dim=0), speeds.std(dim=0, correction=0))
    return torch.cat([part.flatten() for part in parts])


def pose_distance(a: Motion, b: Motion) -> float:
    """Mean joint distance in dancer space, metres, over the length of the shorter motion."""
    frames = min(a.frames, b.frames)
    return float((dancer_space(a.cut(0, frames)) - dancer_space(b.cut(0, frames))).norm(dim=-1).mean())


def mean_pairwise(features: Tensor) -> float:
    """Mean Euclidean distance over all pairs of rows of features (n >= 2, d)."""
    return float(torch.pdist(features.double()).mean())


def evaluate(motions: list[Motion]) -> dict:
    """Both diversity metrics of a set of dances (seeds of one song, or clips), with their frame rate.

    Raises FootlightError as ``validate`` does.
    """
    validate(motions)
    pairs = [pose_distance(a, b) for i, a in enumerate(motions) for b in motions[i + 1 :]]
    return {
        "fps": motions[0].fps,
        "dances": len(motions),
        "poses": sum(pairs) / len(pairs),
        "statistics": mean_pairwise(torch.stack([statistics(motion) for motion in motions])),
    }


def closest(made: list[Motion], training: list[Motion]) -> dict:
    """How close generated dances are to the training captures.

    Windows last two seconds. They start every second in generated motions, and every tenth of a second in training
    motions and their mirror images.

    Returns {"fps", "seconds", "windows", "median", "p5"} in metres. "nearest" is the closest pair of all: {"made",
    "made_at", "training", "training_at", "mirrored", "distance"}, with indices into the lists, seconds and metres.

    made: generated motions on ``SMPL22``, of any frame rate.
    training: the training captures, likewise.

    Raises FootlightError when no generated or training motion lasts two seconds.
    """
    counts, found, where = _nearest(made, training)
    first = int(found.argmin())
    index, at, mirrored = where[first].tolist()
    ends = torch.tensor(counts).cumsum(0)
    whose = int((ends <= first).sum())
    return {
        "fps": COPY_FPS,
        "seconds": COPY_SECONDS,
        "windows": len(found),
        "median": float(found.median()),
        "p5": float(torch.quantile(found, 0.05)),
        "nearest": {
            "made": whose,
            "made_at": float(first - int(ends[whose]) + counts[whose]),
            "training": index,
            "training_at": at / COPY_FPS,
            "mirrored": bool(mirrored),
            "distance": float(found[first]),
        },
    }


def distances(made: list[Motion], training: list[Motion]) -> list[Tensor]:
    """The distances (n,) of the windows of each generated motion to the nearest of training, metres, see ``closest``.

    Raises FootlightError as ``closest`` does.
    """
    counts, found, _ = _nearest(made, training)
    return list(found.split(counts))


def _nearest(made: list[Motion], training: list[Motion]) -> tuple[list[int], Tensor, Tensor]:
    """The number of windows of each generated motion, by window the distance (n,) of the nearest one of training, and
    its motion, frame and whether it is mirrored (n, 3).
    """
    length, hop = round(COPY_SECONDS * COPY_FPS), round(COPY_FPS)
    rows = [_windows(_places(motion), length, hop) for motion in made]
    asked = torch.cat(rows) if rows else torch.zeros(0, 1)
    least, where = torch.full((len(asked),), float("inf")), torch.zeros(len(asked), 3, dtype=torch.long)
    nearest = torch.zeros_like(asked)
    for index, motion in enumerate(training):
        for mirrored, body in enumerate((motion, mirror(motion))):
            known = _windows(_places(body), length, 1)
            if not len(known) or not len(asked):
                continue
            distance, at = torch.cdist(asked, known).min(dim=1)
            nearer = distance < least
            least = torch.where(nearer, distance, least)
            where[nearer] = torch.stack((torch.full_like(at, index), at, torch.full_like(at, mirrored)), dim=1)[nearer]
            nearest[nearer] = known[at[nearer]]
    if not len(asked) or not bool(least.isfinite().all()):
        raise FootlightError(
            f"there are no {COPY_SECONDS:g} s to compare: {len(asked)} windows in {len(made)} motions, and "
            f"{len(training)} motions of training; give longer ones"
        )
    # cdist's matrix products lose precision between similar windows, so the distances of the pairs are computed again.
    exact = (asked.double() - nearest.double()).square().sum(dim=1).div(max(1, asked.shape[1] // 3)).sqrt()
    return [len(row) for row in rows], exact, where


def _places(motion: Motion) -> Tensor:
    """Positions (t, 66) of all joints in dancer space at 10 frames per second."""
    return at_rate(dancer_space(motion), motion.fps, COPY_FPS).flatten(1).float()


def _windows(places: Tensor, length: int, hop: int) -> Tensor:
    """Windows (n, length * 66) that start every ``hop`` frames of (t, 66)."""
    parts = windows(places, length, hop)
    return torch.stack(parts).flatten(1) if parts else torch.zeros(0, length * places.shape[1])
