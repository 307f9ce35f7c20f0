"""Distance of a set of dances from real ones, by the kinetic and geometric features of AIST++.

Conventions
    A set is a list of (positions, fps), with positions (t, 22, 3) of ``SMPL22`` in metres, y-up. Features use 60 frames
    per second; positions at another rate are resampled by a spline first. Motions are cut into windows of ``seconds``
    that overlap by half; shorter motions are left out. All windows have the same length, because features are averages
    over time: those of short clips scatter more, so short clips would look more diverse than they are.
    Features are z-scored with the mean and deviation of the real windows. One that never changes keeps its scale.

Features
    kinetic (72)    for each of the 24 SMPL joints: mean squared horizontal speed, mean squared vertical speed, and mean
                    norm of the acceleration (Onuma et al. 2008, as in fairmotion). Velocity and acceleration are
                    averaged over five frames. The two hands, which ``SMPL22`` lacks, extend the forearms by a third.
    geometric (32)  the fraction of frames in which each of 32 relations holds, such as "right hand above neck" (Müller,
                    Röder & Clausen 2005). Lengths are relative to the body's own humerus, shoulders and hips.
    These follow the definitions. The published code of AIST++ (Li et al. 2021) differs from them: its acceleration
    divides only one of its two terms by the frame time, so it depends on where the dancer stands; it assumes 120 frames
    per second; and relations of two moving joints use only one of them. Values are therefore comparable within this
    program, but not with published tables.

Metrics
    fid_k, fid_g    Fréchet distance between Gaussians fitted to the generated and to the real windows. Lower is better.
                    With fewer windows than features, the covariances are rank deficient: the distance is still defined,
                    but it grows as windows get fewer. Compare sets of similar size, and with held-out captures.
    dist_k, dist_g  mean distance over all pairs of windows of a set. It should be close to that of the real set, which
                    comes with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from core.errors import FootlightError
from core.metrics.frames import at_rate, checked, windows
from core.motion.skeleton import SMPL22

FEATURE_FPS = 60.0
REACH = 2  # frames to either side over which velocity and acceleration are averaged
HAND = 1 / 3  # of the forearm: distance of the hand joint from the wrist

_REST = SMPL22.rest_positions().double()
_NAMES = {name: i for i, name in enumerate(SMPL22.names)}
HUMERUS = float((_REST[_NAMES["left_elbow"]] - _REST[_NAMES["left_shoulder"]]).norm())
SHOULDERS = float((_REST[_NAMES["left_shoulder"]] - _REST[_NAMES["right_shoulder"]]).norm())
HIPS = float((_REST[_NAMES["left_hip"]] - _REST[_NAMES["right_hip"]]).norm())

Clip = tuple[Tensor, float]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A Gaussian in d dimensions.

    mean: (d,).
    deviations: (r,) along its principal directions.
    directions: (r, d).
    """

    mean: Tensor
    deviations: Tensor
    directions: Tensor


def fitted(rows: Tensor) -> Gaussian:
    """The Gaussian of rows (n >= 2, d), with the covariance by n - 1.

    Its root comes from the singular values of the centred rows, so nothing is squared and rooted again. A covariance of
    lower rank than d, which results from fewer rows than features, loses no precision. Everything is float64.

    Raises FootlightError for a single row, or values that are not finite.
    """
    if rows.ndim != 2 or len(rows) < 2:
        raise FootlightError(
            f"expected features of two rows or more, got {tuple(rows.shape)}; evaluate more or longer clips"
        )
    if not bool(rows.isfinite().all()):
        raise FootlightError("features hold numbers that are not finite; look at the clips they came from")
    rows = rows.detach().double()
    _, values, directions = torch.linalg.svd(rows - rows.mean(dim=0), full_matrices=False)
    return Gaussian(rows.mean(dim=0), values / math.sqrt(len(rows) - 1), directions)


def between(a: Gaussian, b: Gaussian) -> float:
    """Squared Fréchet distance of two Gaussians.

    It is |mean_a - mean_b|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2) (Dowson & Landau 1982; Heusel et al. 2017). The last
    trace is the sum of the singular values of A^1/2 B^1/2.

    Raises FootlightError for different widths.
    """
    if a.mean.shape != b.mean.shape:
        raise FootlightError(f"expected features of one width, got {len(a.mean)} and {len(b.mean)}")
    product = a.deviations[:, None] * (a.directions @ b.directions.T) * b.deviations
    overlap = torch.linalg.svdvals(product).sum()
    apart = (a.mean - b.mean).square().sum()
    return max(0.0, float(apart + a.deviations.square().sum() + b.deviations.square().sum() - 2 * overlap))


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Squared Fréchet distance (``between``) of the Gaussians ``fitted`` to the rows of two sets of features.

    a: (n >= 2, d).
    b: (m >= 2, d).

    Raises FootlightError for different widths, a single row, or values that are not finite.
    """
    return between(fitted(a), fitted(b))


def kinetic(positions: Tensor, fps: float) -> Tensor:
    """Kinetic features (72,) of a motion.

    For each of 24 joints (``SMPL22``, left and right hand): mean squared horizontal and vertical speed, (m/s)^2, and
    mean norm of the acceleration, m/s^2.

    positions: (t, 22, 3) metres; at least 6 frames at 60 fps.
    fps: frames per second.
    """
    path = _with_hands(_prepared(positions, fps))
    velocity = _averaged(path.diff(dim=0) * FEATURE_FPS, 0, len(path) - 1)
    acceleration = _averaged(path.diff(n=2, dim=0) * FEATURE_FPS**2, 0, len(path) - 1)
    horizontal = velocity[..., (0, 2)].square().sum(dim=-1).mean(dim=0)
    vertical = velocity[..., 1].square().mean(dim=0)
    effort = acceleration.norm(dim=-1).mean(dim=0)
    return torch.stack((horizontal, vertical, effort), dim=1).flatten()


def geometric(positions: Tensor, fps: float) -> Tensor:
    """Geometric features (32,) of a motion: the fraction of frames in which each of ``relations`` holds.

    positions: (t, 22, 3) metres; at least 6 frames at 60 fps.
    fps: frames per second.
    """
    return torch.stack(tuple(relations(positions, fps).values()), dim=1).double().mean(dim=0)


def relations(positions: Tensor, fps: float) -> dict[str, Tensor]:
    """The 32 relations by name, always in this order: whether each holds, (t - 1,) bool, at 60 frames per second."""
    path = _prepared(positions, fps)
    place = {name: path[1:, i] for name, i in _NAMES.items()}
    speed = {name: path[:, i].diff(dim=0) * FEATURE_FPS for name, i in _NAMES.items()}
    lowest = path[1:, :, 1].amin(dim=1)
    neck, root = place["neck"], place["pelvis"]
    front = _normal(place["right_hip"] - neck, place["left_hip"] - neck)  # of the trunk
    standing = _normal(place["right_ankle"] - neck, place["left_ankle"] - neck)  # the frontal plane through the feet
    found: dict[str, Tensor] = {}
    for side, other, turn in (("right", "left", -1.0), ("left", "right", 1.0)):
        wrist, elbow, shoulder = (place[f"{side}_{joint}"] for joint in ("wrist", "elbow", "shoulder"))
        ankle, knee, hip = (place[f"{side}_{joint}"] for joint in ("ankle", "knee", "hip"))
        moving = speed[f"{side}_wrist"]
        # Seen from above, the order of hip and toes of the other leg is reversed on the other side.
        leg = turn * _normal(place[f"{other}_hip"] - root, place[f"{other}_foot"] - root)
        upwards = _unit(place["spine3"] - place["spine1"])
        found |= {
            f"{side} hand forwards": _dot(moving - speed["neck"], front) > 1.8 * HUMERUS,
            f"{side} hand above neck": _dot(wrist - neck, _unit(neck - place["spine3"])) > 0.2 * HUMERUS,
            f"{side} hand upwards": _dot(moving - speed["spine3"], upwards) > 1.8 * HUMERUS,
            f"{side} elbow bent": _angle(shoulder - elbow, wrist - elbow) < 110,
            f"{side} hand away from root": _dot(moving - speed["pelvis"], _unit(wrist - root)) > 1.4 * HUMERUS,
            f"{side} hand fast": moving.norm(dim=-1) > 2.5 * HUMERUS,
            f"{side} foot behind other leg": _dot(ankle - root, leg) < -0.38 * HUMERUS,
            f"{side} foot raised": ankle[:, 1] - lowest > 1.2 * HUMERUS,
            f"{side} knee bent": _angle(hip - knee, ankle - knee) < 110,
            f"{side} foot fast": speed[f"{side}_ankle"].norm(dim=-1) > 2.5 * HUMERUS,
            f"{side} arm abducted": _angle(root - neck, elbow - shoulder) > 25,
            f"{side} leg abducted": _angle(root - neck, knee - hip) > 50,
            f"{side} hand lowered": wrist[:, 1] - lowest < 1.2 * HUMERUS,
        }
    hands, feet = (place[f"right_{joint}"] - place[f"left_{joint}"] for joint in ("wrist", "ankle"))
    across, hips = (_unit(place[f"right_{joint}"] - place[f"left_{joint}"]) for joint in ("shoulder", "hip"))
    lean = _angle(root - neck, root.new_tensor((0.0, 1.0, 0.0)).expand_as(root))
    closing = _dot(speed["left_wrist"] - speed["right_wrist"], _unit(hands))
    return found | {
        "hands far apart": _dot(hands, across) > 2.5 * SHOULDERS,
        "hands approaching": closing > 1.4 * HUMERUS,
        "feet far apart": _dot(feet, hips) > 2.1 * HIPS,
        "root behind feet": _dot(root - neck, standing) < -0.5 * HUMERUS,
        "spine horizontal": (lean > 70) & (lean < 110),
        "root fast": speed["pelvis"].norm(dim=-1) > 2.3 * HUMERUS,
    }


def features(clips: list[Clip], seconds: float = 5.0) -> tuple[Tensor, Tensor]:
    """Kinetic (n, 72) and geometric (n, 32) features of all windows of a set.

    Raises FootlightError for fewer than two windows.
    """
    length = round(seconds * FEATURE_FPS)
    pieces = [
        piece
        for positions, fps in clips
        for piece in windows(at_rate(checked(positions, fps, SMPL22.joints), fps, FEATURE_FPS), length, length // 2)
    ]
    if len(pieces) < 2:
        raise FootlightError(
            f"{len(clips)} clips hold {len(pieces)} windows of {seconds:g} s, at least two are needed; evaluate more "
            f"or longer clips, or choose shorter windows"
        )
    kinetics, geometrics = ([of(piece, FEATURE_FPS) for piece in pieces] for of in (kinetic, geometric))
    return torch.stack(kinetics), torch.stack(geometrics)


def z_scored(values: Tensor, real: Tensor) -> Tensor:
    """Z-score values (n, d) with the mean and deviation of ``real`` (m, d)."""
    spread = real.std(dim=0, correction=0)
    return (values - real.mean(dim=0)) / torch.where(spread > 1e-6, spread, torch.ones_like(spread))


def evaluate(made: list[Clip], real: list[Clip], seconds: float = 5.0) -> dict:
    """Both Fréchet distances of a set of dances from real ones, and the diversity of both sets.

    made: generated dances.
    real: real dances.
    seconds: length of a window.

    Raises FootlightError when a set has fewer than two windows.
    """
    result: dict = {"fps": FEATURE_FPS, "seconds": seconds}
    for name, ours, theirs in zip("kg", features(made, seconds), features(real, seconds), strict=True):
        ours, theirs = z_scored(ours, theirs), z_scored(theirs, theirs)
        result |= {"windows": len(ours), "windows_real": len(theirs)}
        result[f"fid_{name}"] = frechet_distance(ours, theirs)
        result[f"dist_{name}"] = float(torch.pdist(ours).mean())
        result[f"dist_{name}_real"] = float(torch.pdist(theirs).mean())
    return result


def _prepared(positions: Tensor, fps: float) -> Tensor:
    path = at_rate(checked(positions, fps, SMPL22.joints), fps, FEATURE_FPS)
    if len(path) < 2 * REACH + 2:
        raise FootlightError(f"{len(path)} frames at 60 fps are too few for motion features; expected 6 or more")
    return path


def _with_hands(path: Tensor) -> Tensor:
    """Add the left and the right hand to positions (t, 22, 3), giving (t, 24, 3)."""
    hands = [
        torch.lerp(path[:, _NAMES[f"{side}_elbow"]], path[:, _NAMES[f"{side}_wrist"]], 1 + HAND)
        for side in ("left", "right")
    ]
    return torch.cat((path, torch.stack(hands, dim=1)), dim=1)


def _averaged(values: Tensor, first: int, count: int) -> Tensor:
    """Running means (count, ...) of values (n, ...), from index ``first`` on, over ``REACH`` values to either side."""
    sums = functional.pad(values.cumsum(dim=0).movedim(0, -1), (1, 0)).movedim(-1, 0)
    at = torch.arange(first, first + count)
    low, high = (at - REACH).clamp(0, len(values) - 1), (at + REACH + 1).clamp(1, len(values))
    return (sums[high] - sums[low]) / (high - low).double().reshape(-1, *[1] * (values.ndim - 1))


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(dim=-1)


def _unit(a: Tensor) -> Tensor:
    return a / a.norm(dim=-1, keepdim=True).clamp_min(1e-9)


def _normal(a: Tensor, b: Tensor) -> Tensor:
    return _unit(torch.linalg.cross(a, b))


def _angle(a: Tensor, b: Tensor) -> Tensor:
    """The angle between two directions, degrees."""
    return torch.rad2deg(_dot(_unit(a), _unit(b)).clamp(-1, 1).acos())
