"""How much dances differ from each other, and how much of them is copied.

Conventions
    Motions on ``SMPL22`` at one frame rate. Poses are seen from the dancer: joint positions in metres relative to the
    root's place on the floor, turned to its heading, so that facing elsewhere is no difference.

Scores
    poses       mean joint distance, metres, between two dances at the same instants (of the shorter's length).
    statistics  Euclidean distance of fixed-length descriptions: mean and standard deviation over time of every joint's
                place (metres) and speed (m/s). Insensitive to when things happen.
    Both are means over all pairs, as the "Dist" of the dance papers; their 72-d and 32-d features (``frechet``) are not
    these.
    closest     for every two-second window of a made dance its distance, metres, to the nearest window anywhere in the
                training capture and its mirror image: the root mean square over joints and instants, in dancer space.
                Where a dance goes is left out, so that copied steps are found on any path. Beside it the same of
                capture that was held out: made dances much nearer than that are copied, not danced.
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


def closest(made: list[Motion], training: list[Motion], real: list[Motion] | None = None) -> dict:
    """How near made dances come to the training capture.

    made, training, real: motions on ``SMPL22`` of any frame rates; ``real`` is capture that was not trained on, the
    reference. Windows of two seconds: of made and real ones every second, of training ones every tenth of a second,
    and of its mirror images.
    Returns {"fps", "seconds", "windows", "median", "p5"} (metres) with "median_real", "p5_real", "windows_real" when
    there is a reference, and where the nearest pair of all stands: "nearest" {"made", "made_at", "training",
    "training_at", "mirrored", "distance"}, indices into the lists and seconds.
    Raises FootlightError when no made, real or training motion lasts two seconds.
    """
    length, hop = round(COPY_SECONDS * COPY_FPS), round(COPY_FPS)
    sets = {"": made} if real is None else {"": made, "_real": real}
    rows, owners = [], []  # every window asked about, of which set, motion and second
    for ending, motions in sets.items():
        for index, motion in enumerate(motions):
            part = _windows(_places(motion), length, hop)
            rows.append(part)
            owners += [(ending, index, float(second)) for second in range(len(part))]
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
    # cdist's matrix products lose digits between like windows: the pairs that were found are measured again.
    exact = (asked.double() - nearest.double()).square().sum(dim=1).div(max(1, asked.shape[1] // 3)).sqrt()
    result: dict = {"fps": COPY_FPS, "seconds": COPY_SECONDS}
    for ending, motions in sets.items():
        mine = torch.tensor([owner[0] == ending for owner in owners], dtype=torch.bool)
        if not bool(mine.any()) or not bool(least[mine].isfinite().all()):
            raise FootlightError(
                f"nothing of {COPY_SECONDS:g} s to compare: {int(mine.sum())} windows in {len(motions)} motions, and "
                f"{len(training)} motions of training; give longer ones"
            )
        result[f"windows{ending}"] = int(mine.sum())
        result[f"median{ending}"] = float(exact[mine].median())
        result[f"p5{ending}"] = float(torch.quantile(exact[mine], 0.05))
    first = int(exact[: result["windows"]].argmin())
    index, at, mirrored = where[first].tolist()
    result["nearest"] = {
        "made": owners[first][1],
        "made_at": owners[first][2],
        "training": index,
        "training_at": at / COPY_FPS,
        "mirrored": bool(mirrored),
        "distance": float(exact[first]),
    }
    return result


def _places(motion: Motion) -> Tensor:
    """(t, 66) places of all joints in dancer space at 10 frames a second."""
    return at_rate(dancer_space(motion), motion.fps, COPY_FPS).flatten(1).float()


def _windows(places: Tensor, length: int, hop: int) -> Tensor:
    """(n, length * 66): windows that start every ``hop`` frames of (t, 66)."""
    parts = windows(places, length, hop)
    return torch.stack(parts).flatten(1) if parts else torch.zeros(0, length * places.shape[1])
