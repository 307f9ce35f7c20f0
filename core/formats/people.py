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
_LOST = 1.0  # seconds after which somebody who comes back counts as new
_SOON = 3.0  # seconds within which the one who comes is taken for the one who was lost


@dataclass(eq=False)
class _Track:
    """One person's keypoints by frame, the first and the last of these, and the movement in pixels per frame."""

    first: int
    last: int
    poses: dict[int, np.ndarray]
    speed: np.ndarray = field(default_factory=lambda: np.zeros(2))

    def add(self, frame: int, pose: np.ndarray) -> None:
        moved = _between(self.poses[self.last], pose) / (frame - self.last)
        self.speed = 0.5 * self.speed + 0.5 * moved
        self.poses[frame], self.last = pose, frame


def followed(people: Sequence[Sequence[np.ndarray]], fps: float) -> np.ndarray:
    """The keypoints (t, 14, 3) of one person, NaN where that person is not seen.

    It is the largest person of the first frame. Where that person is lost for good, it is the one who comes next, or
    else the one who is seen longest.

    people: for each frame everyone's keypoints (14, 3), with NaN where they are not visible.
    fps: frames per second.
    """
    tracks = _tracks(people, fps)
    made = np.full((len(people), 14, 3), np.nan)
    first = next((frame for frame, everyone in enumerate(people) if everyone), None)
    if first is None:
        return made
    now: _Track | None = max((t for t in tracks if t.first == first), key=lambda track: _height(track.poses[first]))
    last = -1
    while now is not None:
        for frame, pose in now.poses.items():
            if frame > last:
                made[frame] = pose
        last = now.last
        now = _next(tracks, last, fps)
    return made


def _next(tracks: list[_Track], last: int, fps: float) -> _Track | None:
    """Who is followed after frame ``last``."""
    coming = [track for track in tracks if last < track.first <= last + _SOON * fps]
    if coming:
        soonest = min(track.first for track in coming)
        coming = [track for track in coming if track.first <= soonest + _LOST * fps]
        return max(coming, key=lambda track: len(track.poses))
    staying = [track for track in tracks if track.last > last]
    return max(staying, key=lambda track: sum(frame > last for frame in track.poses), default=None)


def _tracks(people: Sequence[Sequence[np.ndarray]], fps: float) -> list[_Track]:
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


def _distance(track: _Track, frame: int, pose: np.ndarray, fps: float) -> float:
    """How far a pose is from where a track leads, in terms of how far it may be."""
    last = track.last
    pose_before, gap = track.poses[last], frame - last
    lead = track.speed * min(gap, 0.2 * fps)  # a hidden person does not go on for ever
    away = float(np.hypot(*(_between(pose_before, pose) - lead)))
    size = max(_size(pose_before), _size(pose), 1e-9)
    return away / (size * (_NEAR + _FASTEST * gap / fps))


def _between(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The way (2,) of a person: that of most keypoints, or of their means if none is seen both times."""
    moved = after[:, :2] - before[:, :2]
    both = np.isfinite(moved[:, 0])
    if both.sum() >= 3:
        return np.median(moved[both], axis=0)
    return np.nanmedian(after[:, :2], axis=0) - np.nanmedian(before[:, :2], axis=0)


def _size(pose: np.ndarray) -> float:
    """About the length of a body. One keypoint far away does not make it longer."""
    middle = np.nanmedian(pose[:, :2], axis=0)
    return 3 * float(np.nanmedian(np.hypot(*(pose[:, :2] - middle).T)))


def _height(pose: np.ndarray) -> float:
    return float(np.nanmax(pose[:, 1]) - np.nanmin(pose[:, 1]))
