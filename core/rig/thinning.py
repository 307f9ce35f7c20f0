"""Which frames of a dance are keyed: all, every so manieth, or as few as a tolerance allows.

Errors add up from the hips to hands and feet. So they are measured on the posed rig: how far each bone is turned from
the dance, and how far hips, hands and feet are from where they were. Where that is too much, the bones that have the
largest parts in it get a key, until nothing is too far off (as Schneider fits curves, "An Algorithm for Automatically
Fitting Digitized Curves", Graphics Gems, 1990, but over a whole body). Where a foot lands and leaves is always keyed,
and a foot that stands must hardly slide more than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import FootlightError
from . import feet, splines
from . import quaternion as quat
from .posing import PLACE, TURN, WAY, Body, Channels, Pose, Track
from .runs import runs
from .skeleton import JOINTS
from .splines import Keyed

SLIDE = 0.02
"""Metres per second that a standing foot may be faster in any frame than it was, on a body of our size."""

FEET = tuple(joint for leg in feet.LEGS for joint in leg[2:])
"""The joints of feet, by the columns of a dance's stands."""

ENDS = (*FEET, JOINTS.index("left_wrist"), JOINTS.index("right_wrist"))
"""Where places are looked at."""

_LEGS = {joint for leg in feet.LEGS for joint in leg}
_PART = 0.5  # of the largest part in an error: bones with so much of it get a key too


@dataclass(frozen=True)
class Tolerance:
    """How far the curves may be off the dance.

    degrees: that a bone may be turned otherwise.
    millimetres: that hips, hands and feet may be elsewhere, on a body of our size.
    """

    degrees: float = 1.0
    millimetres: float = 5.0


@dataclass(frozen=True)
class Spacing:
    """Which frames are keyed, and what the curves between them are.

    every: one frame of so many.
    tolerance: as few frames as it allows; None goes by ``every``.
    smooth: whether curves are smooth (Bezier) or straight.

    Raises FootlightError for numbers that are not above 0.
    """

    every: int = 1
    tolerance: Tolerance | None = None
    smooth: bool = False

    def __post_init__(self) -> None:
        if self.every < 1:
            raise FootlightError(f"a key on every {self.every} frames was asked for; give 1 or more")
        one = self.tolerance
        if one is not None and not (one.degrees > 0 and one.millimetres > 0):
            raise FootlightError(
                f"a tolerance of {one.degrees:g} degrees and {one.millimetres:g} mm was asked for; give more than 0"
            )


EVERY_FRAME = Spacing()


@dataclass(frozen=True)
class Errors:
    """How far the curves are off the dance.

    degrees: that a bone is turned otherwise at most.
    millimetres: that hips, a hand or a foot are elsewhere at most, on a body of our size.
    slide: metres per second that standing feet are faster on average, on a body of our size.
    """

    degrees: float
    millimetres: float
    slide: float


@dataclass(frozen=True)
class _Watched:
    """Something on the rig that must not be too far off.

    what: of ``Pose``.
    turn: whether its turn is looked at, or its place.
    parts: track -> how far (t,) an error of it takes this, per radian or per unit.
    limit: of the error, radians or units.
    stands: (t,) bool, when it stands.
    """

    what: int | str
    turn: bool
    parts: dict[Track, np.ndarray]
    limit: float
    stands: np.ndarray | None = None

    def off(self, pose: Pose, full: Pose) -> np.ndarray:
        """The error (t, 3)."""
        if self.turn:
            return _apart(full.turned[self.what], pose.turned[self.what])
        return pose.places[self.what] - full.places[self.what]


@dataclass
class _Thinning:
    """Keys of a body that are being chosen."""

    body: Body
    tracks: Mapping[Track, Channels]
    stands: np.ndarray | None
    fps: float
    smooth: bool
    corners: dict[Track, np.ndarray] = field(default_factory=dict)
    full: Pose = field(init=False)
    read: dict[Track, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        self.read = {track: one.read(one.values) for track, one in self.tracks.items()}
        self.full = self.body.pose(self.read)
        for foot, joint in enumerate(FEET):
            edges = _edges(self.stands[:, foot]) if self.stands is not None else ()
            for track in self._foot(foot, joint):
                self.corners[track] = np.union1d(self.corners.get(track, ()), edges).astype(int)

    def _foot(self, foot: int, joint: int) -> Iterable[Track]:
        """The tracks that run otherwise before a foot lands than after."""
        line = [joint, *self.body.above(joint)] if joint in self.body.by_joint else ()
        yield from ((self.body.by_joint[j].name, TURN) for j in line if j in _LEGS)
        for control in self.body.controls:
            if control.foot == foot:
                yield from ((control.bone, PLACE), (control.bone, TURN))

    def keyed(self, track: Track, at: Iterable[int]) -> Keyed:
        return splines.keyed(np.array(list(at)), self.corners.get(track), smooth=self.smooth)

    def own(self, track: Track, sampled: np.ndarray) -> np.ndarray:
        """The error of a track by itself (t,), radians or units.

        sampled: (t, 4 or 3) what it says.
        """
        if self.tracks[track].mode == PLACE:
            return np.linalg.norm(sampled - self.read[track], axis=-1)
        return np.linalg.norm(_apart(self.read[track], sampled), axis=-1)

    def sampled(self, track: Track, keys: Keyed) -> np.ndarray:
        one = self.tracks[track]
        return one.read(splines.sampled(one.values, keys))

    def watched(self, tolerance: Tolerance) -> list[_Watched]:
        """Everything that is looked at."""
        body, frames = self.body, len(self.read[WAY])
        angle, place = np.radians(tolerance.degrees), tolerance.millimetres / 1000 * body.size
        ones = np.ones(frames)
        found = []
        for joint, bone in body.by_joint.items():
            parts, below = {(bone.name, TURN): ones}, bone
            for above in body.above(joint):
                if not below.inherits:
                    break
                below = body.by_joint[above]
                parts[below.name, TURN] = ones
            found.append(_Watched(joint, True, parts, angle))
        for joint in ENDS:
            if joint in self.full.places:
                at = self.full.places[joint]
                line = {(body.by_joint[j].name, TURN): _far(at, self.full.places[j]) for j in body.above(joint)}
                foot = FEET.index(joint) if joint in FEET else -1
                found.append(_Watched(joint, False, line | {WAY: ones}, place, self._standing(foot)))
        found.append(_Watched(0, False, {WAY: ones}, place))
        found += [_Watched(one, True, {(one, TURN): ones}, angle) for one in self.full.turned if isinstance(one, str)]
        for one in body.controls:
            parts = {(one.bone, PLACE): ones} | ({WAY: ones} if body.carried else {})
            found.append(_Watched(one.bone, False, parts, one.reach * angle or place, self._standing(one.foot)))
        return found

    def _standing(self, foot: int) -> np.ndarray | None:
        return self.stands[:, foot] if self.stands is not None and foot >= 0 else None

    def thinned(self, tolerance: Tolerance) -> dict[Track, Keyed]:
        """The keys that the tolerance allows to be the only ones."""
        watched, last = self.watched(tolerance), len(self.read[WAY]) - 1
        limit = {track: one.limit for one in reversed(watched) for track in one.parts}
        keys = {track: self.keyed(track, (0, last, *self.corners.get(track, ()))) for track in self.tracks}
        sampled, own = {}, {}
        for track in self.tracks:
            while True:
                sampled[track] = self.sampled(track, keys[track])
                own[track] = self.own(track, sampled[track])
                if not (more := _peaks(own[track] / limit[track])):
                    break
                keys[track] = self.keyed(track, (*keys[track].at, *more))
        while wanted := self._lacking(watched, sampled, own):
            for track, more in wanted.items():
                keys[track] = self.keyed(track, (*keys[track].at, *more))
                sampled[track] = self.sampled(track, keys[track])
                own[track] = self.own(track, sampled[track])
        return keys

    def _lacking(
        self, watched: Iterable[_Watched], sampled: Mapping[Track, np.ndarray], own: Mapping[Track, np.ndarray]
    ) -> dict[Track, set[int]]:
        """The frames at which tracks need a key."""
        pose, found = self.body.pose(sampled), {}
        for one in watched:
            for frame in _peaks(self._excess(one, pose)):
                part = {track: own[track][frame] * far[frame] for track, far in one.parts.items()}
                for track, share in part.items():
                    if share >= _PART * max(part.values()):
                        found.setdefault(track, set()).add(frame)
        return found

    def _excess(self, one: _Watched, pose: Pose) -> np.ndarray:
        """The error of something as a part of what is allowed (t,), also of how fast it slides while it stands."""
        off = one.off(pose, self.full)
        error = np.linalg.norm(off, axis=-1)
        excess = error / one.limit
        if one.stands is not None:
            slide = np.linalg.norm(np.diff(off, axis=0), axis=-1) * self.fps / (SLIDE * self.body.size)
            frames = np.arange(len(slide)) + (error[1:] >= error[:-1])  # of each two that one which is farther off
            np.maximum.at(excess, frames, slide * (one.stands[1:] & one.stands[:-1]))
        return excess

    def errors(self, keys: Mapping[Track, Keyed]) -> Errors:
        """How far curves through these keys are off."""
        pose = self.body.pose({track: self.sampled(track, one) for track, one in keys.items()})
        aside = {control.bone for control in self.body.controls if control.reach}
        turned, placed, faster = [], [], []
        for one in self.watched(Tolerance()):
            off = float(np.linalg.norm(one.off(pose, self.full), axis=-1).max())
            if one.what not in aside or one.turn:
                (turned if one.turn else placed).append(off)
            if one.stands is not None:
                faster.append(self._faster(one, pose))
        slide = np.concatenate([np.zeros(0), *faster])
        millimetres = 1000 * max(placed) / self.body.size
        return Errors(float(np.degrees(max(turned))), millimetres, float(slide.mean()) if len(slide) else 0.0)

    def _faster(self, one: _Watched, pose: Pose) -> np.ndarray:
        """How much faster (metres per second) something slides along the floor while it stands."""
        assert one.stands is not None
        both = one.stands[1:] & one.stands[:-1]
        moved = (np.diff(shown.places[one.what][:, :2], axis=0)[both] for shown in (pose, self.full))
        now, before = (np.linalg.norm(way, axis=-1) for way in moved)
        return (now - before) * self.fps / self.body.size


def spaced(
    spacing: Spacing, body: Body, tracks: Mapping[Track, Channels], stands: np.ndarray | None, fps: float
) -> tuple[dict[Track, Keyed], Errors]:
    """The keys of every track, and how far curves through them are off the dance.

    tracks: those of all bones of ``body``, of its controls, and WAY, in every frame.
    stands: (t, 4) bool, as of ``retarget.Dance``; None where it is not known.
    fps: frames per second.
    """
    work = _Thinning(body, tracks, stands, fps, spacing.smooth)
    frames = len(tracks[WAY].values)
    if spacing.tolerance is not None:
        keys = work.thinned(spacing.tolerance)
    else:
        at = [*range(0, frames, spacing.every), frames - 1]
        keys = {track: splines.keyed(np.array(at), smooth=spacing.smooth) for track in tracks}
    return keys, work.errors(keys)


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rotation from ``a`` to ``b`` (t, 4) as an axis times radians (t, 3)."""
    return quat.to_vector(quat.mul(quat.conjugate(a), b))


def _far(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a - b, axis=-1)


def _edges(stands: np.ndarray) -> np.ndarray:
    """The first and the last frames of stands (t,) bool."""
    change = np.flatnonzero(stands[1:] != stands[:-1])
    return np.where(stands[change], change, change + 1)


def _peaks(excess: np.ndarray) -> list[int]:
    """The frame with the largest excess of every run of frames where it is above 1."""
    return [first + int(np.argmax(excess[first:last])) for first, last in runs(excess > 1)]
