"""Keeps feet where they stand on a rig that is built otherwise than our body.

A dance's rotations bring the feet of such a rig elsewhere than ours, and while the hips move they slide. So feet go
where ours go, in the rig's size: one that rests stays, one that turns about its toes does so, and jumps are as high.
Where a foot stands follows from the rig's build, and passes over smoothly from one stand to the next. A leg is bent by
inverse kinematics of its two bones, in the plane in which it bends already.

All places are in the rig's upright space: z up, in its units.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from . import quaternion as quat
from .runs import runs
from .skeleton import JOINTS, SIDES
from .splines import hermite

LEGS = tuple(tuple(JOINTS.index(f"{side}_{part}") for part in ("hip", "knee", "ankle", "foot")) for side in SIDES)
"""Our joints of the left and the right leg, from the hip down."""

LOW = 0.06  # metres above the flat foot's height: what is lower may stand
SLOW = 0.3  # metres per second: what is slower may stand
SHORTEST = 0.1  # seconds of a stand
REACH = 0.9995  # of the straight leg: so far a leg is stretched, unless the dance stretches it farther
_PASSAGE = 8  # frames after and before a stand in which a raised foot is held less and less
_HIGH = 0.3  # of the leg's length: a foot that is raised so far cannot touch the floor
_GLIDE = 12.0  # frames after which the speed of a correction at the end of a stand has died away
_STRAIGHT = 0.05  # sine of the bend of a knee below which its own axis tells the plane of the leg
_LEFT = np.array((1.0, 0.0, 0.0))
_FLAT, _UPRIGHT = slice(0, 2), slice(2, 3)  # of a place: along the floor, and the height


@dataclass(frozen=True)
class Foot:
    """A foot of the rig, and ours in the rig's size.

    ankle, toe: (t, 3) where the dance's rotations bring the joints of the rig.
    our_ankle, our_toe: (t, 3) where ours are.
    heel_stands, toe_stands: (t,) bool.
    drop: how much lower the rig's toe is than its ankle while the sole is flat, against ours.
    leg: length of the rig's leg.
    """

    ankle: np.ndarray
    toe: np.ndarray
    our_ankle: np.ndarray
    our_toe: np.ndarray
    heel_stands: np.ndarray
    toe_stands: np.ndarray
    drop: float
    leg: float

    @property
    def held(self) -> np.ndarray:
        """How much the foot is held (t, 3) along each axis. One that is raised is free, the more the higher it is, so
        that its leg points where the dancer's does."""
        held = _held(runs(self.heel_stands | self.toe_stands), len(self.ankle))
        height = self.our_ankle[:, 2] - self.our_ankle[self.heel_stands, 2].min(initial=np.inf)
        low = 1.0 - _eased(np.clip(height / (_HIGH * self.leg), 0.0, 1.0))
        return np.stack((held, held, np.maximum(held, low)), axis=-1)

    def correction(self) -> np.ndarray:
        """By how much (t, 3) the foot has to be moved if it is held, to go where ours goes, but for where it stands:
        that is on average where the rotations bring it."""
        heel, toe = self.our_ankle - self.ankle, self.our_toe - self.toe + np.array((0.0, 0.0, self.drop))
        on_toe = self.toe_stands[1:] & self.toe_stands[:-1]
        turns = np.concatenate(
            (np.zeros((1, 3)), np.cumsum(np.where(on_toe[:, None], np.diff(toe - heel, axis=0), 0.0), 0))
        )
        stands = runs(self.heel_stands | self.toe_stands)
        place = np.zeros_like(heel)
        for first, last in stands:
            held = turns[first:last] - turns[first:last].mean(axis=0)
            up = np.where(self.toe_stands[first:last], (toe - heel)[first:last, 2], 0.0).mean()
            level = heel[first:last, :2].mean(axis=0)
            place[first:last] = held + np.array((-level[0], -level[1], up))
        return heel + joined(place, stands) if stands else heel


@dataclass(frozen=True)
class Leg:
    """A leg of the rig while it dances: (t, 3) places of its joints, (t, 4) how thigh and shin are turned."""

    hip: np.ndarray
    knee: np.ndarray
    ankle: np.ndarray
    thigh: np.ndarray
    shin: np.ndarray

    def reaching(self, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How thigh and shin are turned (t, 4) so that the ankle is at ``goal`` (t, 3), as far as the leg reaches."""
        upper, lower = self.knee - self.hip, self.ankle - self.knee
        a, b = (np.linalg.norm(bone, axis=-1, keepdims=True) for bone in (upper, lower))
        wanted = goal - self.hip
        way = quat.swing(self.ankle - self.hip, wanted)
        line = quat.unit(wanted)
        longest = np.maximum(REACH * (a + b), np.linalg.norm(self.ankle - self.hip, axis=-1, keepdims=True))
        far = np.clip(np.linalg.norm(wanted, axis=-1, keepdims=True), np.abs(a - b) + 1e-6 * a, longest)
        fold = np.cross(quat.unit(upper), quat.unit(lower))
        straight = np.clip(_STRAIGHT - np.linalg.norm(fold, axis=-1, keepdims=True), 0.0, None)
        fold = fold + straight * quat.rotate(self.thigh, _LEFT)
        axis = quat.rotate(way, fold)
        out = np.cross(quat.unit(axis - (axis * line).sum(-1, keepdims=True) * line), line)
        along = (far**2 + a**2 - b**2) / (2 * far)
        knee = along * line - np.sqrt(np.clip(a**2 - along**2, 0.0, None)) * out
        first = quat.mul(quat.swing(quat.rotate(way, upper), knee), way)
        second = quat.mul(quat.swing(quat.rotate(first, lower), far * line - knee), first)
        return quat.mul(first, self.thigh), quat.mul(second, self.shin)


def plant(
    turned: MutableSequence[np.ndarray] | MutableMapping[int, np.ndarray],
    joints: Sequence[int],
    places: Mapping[int, np.ndarray],
    models: Mapping[int, np.ndarray],
    stands: np.ndarray,
    drop: float,
) -> None:
    """Turn thigh and shin of a leg until its foot stands as its model does.

    turned: joint -> how it is turned (t, 4).
    The other parameters are those of ``foot``.
    """
    stood = foot(joints, places, models, stands, drop)
    now = leg(turned, joints, places)
    turned[joints[0]], turned[joints[1]] = now.reaching(now.ankle + stood.held * stood.correction())


def leg(
    turned: Sequence[np.ndarray] | Mapping[int, np.ndarray], joints: Sequence[int], places: Mapping[int, np.ndarray]
) -> Leg:
    """The leg of these joints.

    The parameters are those of ``plant``.
    """
    hip, knee, ankle, _ = joints
    return Leg(places[hip], places[knee], places[ankle], turned[hip], turned[knee])


def foot(
    joints: Sequence[int],
    places: Mapping[int, np.ndarray],
    models: Mapping[int, np.ndarray],
    stands: np.ndarray,
    drop: float,
) -> Foot:
    """The foot of a leg.

    joints: of the leg: hip, knee, ankle and toe.
    places: joint -> (t, 3) where the leg's joints are; without a toe where the leg has none.
    models: joint -> (t, 3) where those of its model are.
    stands: (t, 1 or 2) bool, whether ankle and toe of the model stand.
    drop: as of ``Foot``.
    """
    *_, ankle, toe = joints
    toe = toe if toe in places and toe in models else ankle
    on_toe = stands[:, -1] if toe != ankle else np.zeros(len(stands), dtype=bool)
    length = float(sum(np.linalg.norm(places[b] - places[a], axis=-1).mean() for a, b in pairwise(joints[:3])))
    return Foot(places[ankle], places[toe], models[ankle], models[toe], stands.any(axis=1), on_toe, drop, length)


def smooth(values: np.ndarray, frames: float) -> np.ndarray:
    """Values (t, n) through a Gaussian with a standard deviation of so many frames; the first and the last go on."""
    reach = round(3 * frames)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / frames) ** 2)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return windows @ (weights / weights.sum())


def settled(
    turns: np.ndarray, heel_stands: np.ndarray, toe_stands: np.ndarray, foot: np.ndarray, ours: np.ndarray
) -> np.ndarray:
    """By how much (t, 4) a standing foot is turned besides, where it is longer or higher than ours.

    Turned as ours, it would take its heel or its toes farther along the floor. So it turns about the vertical by the
    share of the lengths, and tilts by that of the heights, or of the lengths if that is less.

    turns: (t, 4) how ours is turned.
    heel_stands, toe_stands: (t,) bool.
    foot, ours: (3,) from ankle to toe at rest, of the foot and of ours in its size.
    """
    length, height = (np.linalg.norm(ours[part]) / max(np.linalg.norm(foot[part]), 1e-9) for part in (_FLAT, _UPRIGHT))
    less = np.minimum((min(length, height), min(length, height), length), 1.0) - 1.0
    if not less.any():
        return np.tile(np.array(quat.IDENTITY), (len(turns), 1))
    vectors, stands = np.zeros((len(turns), 3)), runs(heel_stands | toe_stands)
    for first, last in stands:
        stood = quat.continuous(turns[first:last])
        flat = heel_stands[first:last] if heel_stands[first:last].any() else slice(None)
        away = quat.mul(stood, quat.conjugate(quat.unit(stood[flat].mean(axis=0))))
        vectors[first:last] = less * quat.to_vector(away)
    if not stands:
        return np.tile(np.array(quat.IDENTITY), (len(turns), 1))
    return quat.from_vector(_held(stands, len(turns))[:, None] * joined(vectors, stands))


def standing(places: np.ndarray, lifts: np.ndarray, fps: float) -> np.ndarray:
    """Which joints of a foot stand (t, n): low and slow, and not only for a moment.

    places: (t, n, 3) of the joints, metres.
    lifts: (t, n) how much higher they are than on the flat foot, metres.
    fps: frames per second.
    """
    if len(places) < 2:
        return np.zeros(lifts.shape, dtype=bool)
    speed = np.linalg.norm(np.gradient(places, axis=0), axis=-1) * fps
    stands = (np.abs(lifts) < LOW) & (speed < SLOW)
    for column in stands.T:
        for first, last in runs(column):
            column[first:last] = last - first >= SHORTEST * fps
    return stands


def _held(stands: list[tuple[int, int]], frames: int) -> np.ndarray:
    """How much a foot is held (t,): 1 in the stands, and smoothly less in the frames after and before them."""
    away = np.full(frames, float(_PASSAGE))
    at = np.arange(frames)
    for first, last in stands:
        away = np.minimum(away, np.maximum(np.maximum(first - at, at - last + 1), 0))
    return 1.0 - _eased(away / _PASSAGE)


def _eased(share: np.ndarray) -> np.ndarray:
    """From 0 to 1, with no speed at both ends."""
    return share**2 * (3 - 2 * share)


def joined(values: np.ndarray, stands: list[tuple[int, int]]) -> np.ndarray:
    """``values`` (t, 3) in ``stands``, and cubic curves (Hermite) from one run to the next."""
    values = values.copy()
    values[: stands[0][0]], values[stands[-1][1] :] = values[stands[0][0]], values[stands[-1][1] - 1]
    for (before, end), (start, after) in pairwise(stands):
        gap = start - end + 1
        share = (np.arange(1, gap) / gap)[:, None]
        leaving = values[end - 1] - values[end - 2] if end - before > 1 else np.zeros(3)
        coming = values[start + 1] - values[start] if after - start > 1 else np.zeros(3)
        values[end:start] = hermite(share, min(gap, _GLIDE), values[end - 1], values[start], leaving, coming)
    return values
