"""Follows one person through a film in which detectors number people anew in every frame.

All people are followed at once, so that one who is hidden for a moment is not confused with another who is still seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

_NEAR = 0.3  # of a person's size; a person is so near to where the movement leads
_FASTEST = 5.0  # sizes per second that a person may be away from there
_LEADING = 0.2  # seconds for which a hidden person is thought to go on
_LOST = 1.0  # seconds after which somebody who comes back counts as new
_MOST_UNSEEN = 0.5  # of the frames; more cannot be interpolated
_SOON = 3.0  # seconds within which the one who comes is taken for the one who was lost


@dataclass(frozen=True, eq=False)
class _Pose:
    """Somebody in one frame: keypoints (14, 3), the middle of them (2,), and about the length of the body."""

    keypoints: np.ndarray
    middle: np.ndarray
    size: float

    @classmethod
    def of(cls, keypoints: np.ndarray) -> _Pose:
        middle = _median(keypoints[:, :2])
        away = np.hypot(*(keypoints[:, :2] - middle).T)
        return cls(keypoints, middle, max(3 * float(_median(away)), 1e-9))  # one far keypoint does not count


@dataclass(eq=False)
class _Track:
    """One person's poses by frame, the first and the last frame, and the movement in pixels per frame."""

    first: int
    last: int
    poses: dict[int, _Pose]
    speed: np.ndarray = field(default_factory=lambda: np.zeros(2))

    def add(self, frame: int, pose: _Pose) -> None:
        moved = _between(self.poses[self.last], pose)[0] / (frame - self.last)
        self.speed = 0.5 * self.speed + 0.5 * moved
        self.poses[frame], self.last = pose, frame


def followed(people: Sequence[Sequence[np.ndarray]], fps: float) -> np.ndarray:
    """The keypoints (t, 14, 3) of one person, NaN where that person is not seen.

    It is the largest person of the first frame. Where that person is lost for good, it is the one who comes next, or
    else the one who is seen longest. If that leaves most of the film without anybody, as where people leap from frame
    to frame, it is whoever is nearest.

    people: for each frame everyone's keypoints (14, 3), with NaN where they are not visible.
    fps: frames per second.
    """
    tracks = _tracks([[_Pose.of(keypoints) for keypoints in everyone] for everyone in people], fps)
    made = np.full((len(people), 14, 3), np.nan)
    first = next((frame for frame, everyone in enumerate(people) if everyone), None)
    if first is None:
        return made
    now: _Track | None = max(
        (t for t in tracks if t.first == first), key=lambda track: _height(track.poses[first].keypoints)
    )
    last = -1
    while now is not None:
        for frame, pose in now.poses.items():
            if frame > last:
                made[frame] = pose.keypoints
        last = now.last
        now = _next(tracks, last, fps)
    unseen = np.isnan(made[:, :, 0]).all(1)
    if unseen.mean() > _MOST_UNSEEN:
        for frame in (frame for frame in np.flatnonzero(unseen).tolist() if people[frame]):
            before = _median(made[frame - 1, :, :2] if frame else people[frame][0][:, :2])
            made[frame] = min(people[frame], key=lambda pose: _away(pose, before))
    return made


def _away(pose: np.ndarray, place: np.ndarray) -> float:
    """How far a pose (14, 3) is from a place (2,); 0 for a place that is not known."""
    return float(np.nan_to_num(np.hypot(*(_median(pose[:, :2]) - place))))


def _next(tracks: list[_Track], last: int, fps: float) -> _Track | None:
    """Who is followed after frame ``last``."""
    coming = [track for track in tracks if last < track.first <= last + _SOON * fps]
    if coming:  # a moment's mistake of the detector gains less than waiting for the dancer
        return max(coming, key=lambda track: len(track.poses) - (track.first - last))
    staying = [track for track in tracks if track.last > last]
    return max(staying, key=lambda track: sum(frame > last for frame in track.poses), default=None)


def _tracks(people: Sequence[Sequence[_Pose]], fps: float) -> list[_Track]:
    """Everyone in the film. In each frame, those who fit best are put together first."""
    tracks: list[_Track] = []
    alive: list[_Track] = []
    for frame, everyone in enumerate(people):
        alive = [track for track in alive if frame - track.last <= max(_LOST * fps, 1)]
        left, waiting = list(range(len(everyone))), list(alive)
        pairs = sorted(
            ((_distance(track, frame, everyone[k], fps), n, k) for (n, track), k in product(enumerate(alive), left)),
        )
        for distance, n, k in pairs:
            if distance <= 1 and k in left and alive[n] in waiting:
                alive[n].add(frame, everyone[k])
                left.remove(k)
                waiting.remove(alive[n])
        for k in left:
            tracks.append(_Track(frame, frame, {frame: everyone[k]}))
            alive.append(tracks[-1])
    return tracks


def _distance(track: _Track, frame: int, pose: _Pose, fps: float) -> float:
    """How far a pose is from where a track leads, and how far its limbs are from there, in terms of how far they may
    be.
    """
    before, gap = track.poses[track.last], frame - track.last
    lead = track.speed * min(gap, _LEADING * fps)
    moved, limbs = _between(before, pose)
    away = float(np.hypot(*(moved - lead))) + limbs
    return away / (max(before.size, pose.size) * (_NEAR + _FASTEST * gap / fps))


def _between(before: _Pose, after: _Pose) -> tuple[np.ndarray, float]:
    """The way (2,) of a body, which is that of most keypoints, and how far these move besides."""
    moved = after.keypoints[:, :2] - before.keypoints[:, :2]
    if np.isfinite(moved[:, 0]).sum() < 3:
        return after.middle - before.middle, 0.0
    way = _median(moved)
    return way, float(_median(np.hypot(*(moved - way).T)))


def _median(values: np.ndarray) -> np.ndarray:
    """The median over the first axis of what is not NaN. numpy's own takes twenty times as long for so few."""
    ordered = np.sort(values, axis=0)
    count = int(np.isfinite(ordered.T[0] if ordered.ndim > 1 else ordered).sum())
    if not count:
        return ordered[0]
    return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _height(pose: np.ndarray) -> float:
    return float(np.nanmax(pose[:, 1]) - np.nanmin(pose[:, 1]))
