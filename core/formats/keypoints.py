"""Sets of keypoints that pose detectors use, and what of them cannot be: impossible jumps and gaps.

All are brought to the 14 joints of ``core.motion.layouts.OPENPOSE14``: nose, neck, right arm, left arm, right leg and
left leg, each (x, y, confidence) in pixels, y down. Keypoints that are not visible are NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

SURE = 0.1  # confidence from which a keypoint counts as visible
JOINTS = 14
NECK = 1
ANKLES = (10, 13)
_OF_COCO = (6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15)  # arms and legs
_OF_MEDIAPIPE = (12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27)
_SETS: dict[int, tuple[tuple[int, ...], ...]] = {
    # by the number of keypoints: for each of the 14 joints the two in whose middle it lies, which are mostly one
    25: ((0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14),) * 2,  # BODY_25
    18: (tuple(range(JOINTS)),) * 2,  # OpenPose's COCO
    15: (tuple(range(JOINTS)),) * 2,  # OpenPose's MPI, whose first is the top of the head
    17: ((0, 5, *_OF_COCO), (0, 6, *_OF_COCO)),  # COCO, which has no neck
    33: ((0, 11, *_OF_MEDIAPIPE), (0, 12, *_OF_MEDIAPIPE)),  # MediaPipe
}
_SETS |= dict.fromkeys((26, 133, 136), _SETS[17])  # Halpe and COCO-WholeBody begin with COCO
KNOWN = "BODY_25 has 75, COCO 54 or 51, MPI 45, MediaPipe 99"
"""The numbers of a person in the sets that detectors mostly use, for a message."""

_SLACK = 0.25  # of the body's length; a keypoint may be so much off in every frame
_FASTEST = 9.0  # body lengths (neck to ankles) per second: a wrist at 12 m/s
_CUT = 0.4  # share of the joints that jump at once where the film is cut or another person is followed
_SHORTEST_SHOT = 0.25  # seconds; what is shorter is a detector that saw something else
_LONGEST_SLIP = 1.0  # seconds; a stretch that is longer was no slip of the detector, however it began
_FARTHEST = 1.5  # body lengths; no keypoint is farther from the middle of the others
_BACK = 64  # stretches that are looked back


def joints_of(values: np.ndarray) -> np.ndarray | None:
    """The 14 joints (14, 3) of a person's numbers (3 n,); None for an unknown set of keypoints."""
    members = _SETS.get(values.size // 3)
    if members is None or values.size % 3:
        return None
    one, other = (values.reshape(-1, 3)[list(of)] for of in members)
    person = (one + other) / 2
    person[:, 2] = np.minimum(one[:, 2], other[:, 2])
    person[~(np.isfinite(person).all(axis=1) & (person[:, 2] >= SURE))] = np.nan
    return person


def body_length(frames: np.ndarray) -> float:
    """The usual length of a body from neck to ankles in pixels, over frames (t, 14, 3); NaN where nobody is seen."""
    ankles = _mean(frames[:, ANKLES, :2], 1)
    length = np.hypot(*(ankles - frames[:, NECK, :2]).T)
    if not np.isfinite(length).any():  # a film of the upper body
        seen = frames[np.isfinite(frames[:, :, 0]).sum(1) > 2, :, :2]
        length = np.hypot(*(np.nanmax(seen, 1) - np.nanmin(seen, 1)).T) if len(seen) else length
    return float(np.nanmedian(length)) if np.isfinite(length).any() else np.nan


def without_jumps(frames: np.ndarray, fps: float, most: float) -> tuple[np.ndarray, int]:
    """Frames (t, 14, 3) whose impossible keypoints are NaN, and how many these are.

    A keypoint cannot be farther from the others than a body reaches. Nor can it move faster than a body can, measured
    in the body's own length and relative to how the whole body moves in the picture. Of stretches between jumps, those
    are kept that are long, or hold most frames and can follow each other. Where many jump at once, the film is cut, or
    for a moment something else was seen. A joint that would lose more than the share ``most`` of all frames stays as it
    is.

    fps: frames per second.
    """
    length = body_length(frames)
    if not length > 0:
        return frames, 0
    far = _far(frames, length)
    far &= (np.isnan(frames[:, :, 0]) | far).sum(0) <= most * len(frames)
    frames = np.where(far[:, :, None], np.nan, frames)
    made, count = frames.copy(), int(far.sum())
    for start, end in _shots(frames, length, fps):
        shot = frames[start:end]
        brief = (end - start) / fps < _SHORTEST_SHOT and end - start < len(frames)
        for joint in range(JOINTS):
            at = np.flatnonzero(np.isfinite(shot[:, joint, 0]))
            wrong = at if brief else _wrong(shot, joint, at, length, fps)
            if len(wrong) and len(frames) - np.isfinite(made[:, joint, 0]).sum() + len(wrong) <= most * len(frames):
                made[start + wrong, joint] = np.nan
                count += len(wrong)
    return made, count


def _far(frames: np.ndarray, length: float) -> np.ndarray:
    """Which keypoints (t, 14) are out of the body's reach. A body that the camera comes close to is larger."""
    away = np.hypot(*np.moveaxis(frames[:, :, :2] - _median(frames[:, :, :2], 1)[:, None], -1, 0))
    size = np.fmax(length, 3 * _median(away, 1))
    return away > _FARTHEST * size[:, None]


def _possible(
    shot: np.ndarray, joint: int, before: np.ndarray, after: np.ndarray, length: float, fps: float
) -> np.ndarray:
    """Whether a joint can go from frames ``before`` (n,) to frames ``after`` (n,)."""
    moved = shot[after, :, :2] - shot[before, :, :2]
    own = moved[:, joint] - _median(moved, 1)
    return np.hypot(*own.T) <= length * (_SLACK + _FASTEST * (after - before) / fps)


def _shots(frames: np.ndarray, length: float, fps: float) -> list[tuple[int, int]]:
    """The stretches of the film in which the picture goes on, as (first, one past the last)."""
    seen = np.flatnonzero(np.isfinite(frames[:, :, 0]).any(1))
    if len(seen) < 2:
        return [(0, len(frames))]
    both = np.isfinite(frames[seen[1:], :, 0]) & np.isfinite(frames[seen[:-1], :, 0])
    jumps = np.stack([~_possible(frames, joint, seen[:-1], seen[1:], length, fps) for joint in range(JOINTS)], 1)
    cut = (jumps & both).sum(1) >= np.maximum(_CUT * both.sum(1), 3)
    ends = [0, *seen[1:][cut].tolist(), len(frames)]
    return list(pairwise(ends))


def _wrong(shot: np.ndarray, joint: int, at: np.ndarray, length: float, fps: float) -> np.ndarray:
    """The frames of a shot in which a joint, which is seen in frames ``at`` (n,), cannot be where it is seen."""
    if len(at) < 2:
        return at[:0]
    breaks = np.flatnonzero(~_possible(shot, joint, at[:-1], at[1:], length, fps)) + 1
    if not len(breaks):
        return at[:0]
    stretches = np.split(at, breaks)
    firm = np.array([stretch[-1] - stretch[0] >= _LONGEST_SLIP * fps for stretch in stretches])
    best = np.array([len(stretch) for stretch in stretches]) + len(shot) * firm  # so that no firm one is left out
    before = np.full(len(stretches), -1)
    for k, stretch in enumerate(stretches):
        earlier = np.union1d(np.arange(max(0, k - _BACK), k), np.flatnonzero(firm[:k])[-1:])
        ends = np.array([stretches[i][-1] for i in earlier], dtype=int)
        if len(earlier):
            possible = _possible(shot, joint, ends, np.full_like(ends, stretch[0]), length, fps)
            earlier = earlier[possible | (firm[earlier] & firm[k])]
        if len(earlier):
            before[k] = earlier[best[earlier].argmax()]
            best[k] += best[before[k]]
    k, kept = int(best.argmax()), set()
    while k >= 0:
        kept.add(k)
        k = int(before[k])
    return np.concatenate([stretch for k, stretch in enumerate(stretches) if k not in kept] or [at[:0]])


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """The mean of what is not NaN; NaN where all is."""
    return _without_warning(np.nanmean, values, axis)


def _median(values: np.ndarray, axis: int) -> np.ndarray:
    return _without_warning(np.nanmedian, values, axis)


def _without_warning(function: Callable[..., np.ndarray], values: np.ndarray, axis: int) -> np.ndarray:
    empty = np.isnan(values).all(axis=axis, keepdims=True)
    return np.where(empty.squeeze(axis), np.nan, function(np.where(empty, 0.0, values), axis=axis))
