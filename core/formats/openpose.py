"""Reads 2-D motion from folders of OpenPose BODY_25 files, the representation of MoMu-Diffusion.

There is one JSON file per frame, in the order of the frame numbers in the file names. Each is ``{"people":
[{"pose_keypoints_2d": [x, y, confidence, ...]}]}`` with 25 keypoints in pixels, y down. The result is in metres, y up,
with the joints of ``core.motion.features.OPENPOSE14``, so it is comparable with captures seen from the front.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError

KEYPOINTS = 25
JOINTS = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14)  # of BODY_25: all of the body except the middle of the hips
SURE = 0.1  # confidence from which a keypoint counts as visible
MOST_MISSING = 0.5  # fraction of frames without the body, or without a joint, that can be interpolated
NECK = 1  # among the 14 joints
ANKLES = (10, 13)  # among the 14 joints
NECK_TO_ANKLES = 1.35  # metres, in a body of 1.7 m


def read_folder(folder: Path | str) -> Tensor:
    """Read positions (t, 14, 2) in metres, x to the right of the image and y up. The first frame's hips are the origin.

    If there are several people, the largest of the first frame is followed from frame to frame. Keypoints that are not
    visible are interpolated over time, and held at the ends.

    Raises FootlightError for a folder without such files, damaged files, and bodies that are hardly visible.
    """
    folder = Path(folder)
    files = sorted(folder.glob("*.json"), key=_frame_number) if folder.is_dir() else []
    if not files:
        raise FootlightError(
            f"{folder}: expected a folder of OpenPose files, one NAME_000000000000_keypoints.json a frame"
        )
    frames, last = np.full((len(files), len(JOINTS), 3), np.nan), None
    for number, path in enumerate(files):
        person = _follow(_people(path), last)
        if person is not None:
            frames[number] = last = person
    return torch.from_numpy(_to_metres(_bridged(frames, folder), folder)).float()


def _frame_number(path: Path) -> tuple[int, str]:
    digits = re.findall(r"\d+", path.stem)
    return (int(digits[-1]) if digits else 0, path.name)


def _people(path: Path) -> list[np.ndarray]:
    """Everyone in a frame, each (14, 3): pixels and confidence. Keypoints that are not visible are NaN."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        people = [np.asarray(person["pose_keypoints_2d"], dtype=np.float64) for person in document["people"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FootlightError(f"{path}: not an OpenPose file ({error}); expected {{'people': [...]}} as JSON") from None
    found = []
    for values in people:
        if values.size != 3 * KEYPOINTS:
            raise FootlightError(
                f"{path}: a person has {values.size} numbers; BODY_25 has {3 * KEYPOINTS}: run OpenPose with that model"
            )
        person = values.reshape(KEYPOINTS, 3)[list(JOINTS)]
        person[~(np.isfinite(person).all(axis=1) & (person[:, 2] >= SURE))] = np.nan
        if np.isfinite(person).any():
            found.append(person)
    return found


def _follow(people: list[np.ndarray], last: np.ndarray | None) -> np.ndarray | None:
    """The person nearest to that of the frame before, or the largest person if there is none."""
    if not people:
        return None
    if last is None:
        return max(people, key=lambda p: np.nanmax(p[:, 1]) - np.nanmin(p[:, 1]))
    before = np.nanmean(last[:, :2], axis=0)
    return min(people, key=lambda p: float(np.hypot(*(np.nanmean(p[:, :2], axis=0) - before))))


def _bridged(frames: np.ndarray, folder: Path) -> np.ndarray:
    """Interpolate gaps: keypoints (t, 14, 3) with NaN become positions (t, 14, 2) without."""
    seen = np.isfinite(frames[:, :, 0])
    empty = 1 - seen.any(axis=1).mean()
    if empty > MOST_MISSING:
        raise FootlightError(
            f"{folder}: nobody is seen in {empty:.0%} of the frames; at most {MOST_MISSING:.0%} can be bridged"
        )
    unseen = 1 - seen.mean(axis=0)
    if unseen.max() > MOST_MISSING:
        worst = int(unseen.argmax())
        raise FootlightError(
            f"{folder}: joint {worst} of 14 is hidden in {unseen[worst]:.0%} of the frames; at most {MOST_MISSING:.0%} "
            "can be bridged: film the whole body"
        )
    clock, bridged = np.arange(len(frames)), np.empty((*frames.shape[:2], 2))
    for joint in range(frames.shape[1]):
        there = seen[:, joint]
        for axis in range(2):
            bridged[:, joint, axis] = np.interp(clock, clock[there], frames[there, joint, axis])
    return bridged


def _to_metres(pixels: np.ndarray, folder: Path) -> np.ndarray:
    """Convert pixels, y down, to metres, y up, from the first frame's hips. The standing body sets the scale."""
    ankles = pixels[:, ANKLES].mean(axis=1)
    length = np.percentile(np.hypot(*(ankles - pixels[:, NECK]).T), 95)
    if length <= 0:
        raise FootlightError(f"{folder}: the body that is seen has no size: neck and ankles are in one place")
    hips = pixels[0, [8, 11]].mean(axis=0)
    return (pixels - hips) * np.array([1.0, -1.0]) * (NECK_TO_ANKLES / length)
