"""Bodies seen in a film: a folder of OpenPose BODY_25 files -> 2-D positions of 14 joints, the paper's own input.

One JSON file a frame, in the order of the frame numbers in their names, each ``{"people": [{"pose_keypoints_2d":
[x, y, confidence, ...]}]}`` with 25 keypoints in pixels, y down. The result is in metres, y up, with the joints of
``core.motion.features.OPENPOSE14``, so that it can stand beside capture seen from the front.
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
JOINTS = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14)  # of BODY_25: all of the body but the middle of the hips
SURE = 0.1  # confidence from which a keypoint counts as seen
MOST_MISSING = 0.5  # share of frames without the body, or of a joint's frames without it, that can be bridged
NECK, ANKLES = 1, (10, 13)  # among the 14
NECK_TO_ANKLES = 1.35  # metres, in a body of 1.7 m


def read_folder(folder: Path | str) -> Tensor:
    """(t, 14, 2) metres, x to the right of the picture and y up, about where the hips are in the first frame.

    With several people in the picture the one nearest to the last frame's is followed, starting with the largest.
    Keypoints that are not seen are interpolated in time; at the ends they hold still.
    Raises FootlightError for a folder without such files, damaged files, and bodies that are hardly seen.
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
    """Everyone in a frame, (14, 3) pixels and confidence each; what is not seen is NaN."""
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
    """The person of the frame before, or the largest where there is none."""
    if not people:
        return None
    if last is None:
        return max(people, key=lambda p: np.nanmax(p[:, 1]) - np.nanmin(p[:, 1]))
    before = np.nanmean(last[:, :2], axis=0)
    return min(people, key=lambda p: float(np.hypot(*(np.nanmean(p[:, :2], axis=0) - before))))


def _bridged(frames: np.ndarray, folder: Path) -> np.ndarray:
    """(t, 14, 3) with gaps -> (t, 14, 2) without."""
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
    """Pixels, y down -> metres, y up, about the first frame's hips. The body is as tall as it is when it stands."""
    ankles = pixels[:, ANKLES].mean(axis=1)
    length = np.percentile(np.hypot(*(ankles - pixels[:, NECK]).T), 95)
    if length <= 0:
        raise FootlightError(f"{folder}: the body that is seen has no size: neck and ankles are in one place")
    hips = pixels[0, [8, 11]].mean(axis=0)
    return (pixels - hips) * np.array([1.0, -1.0]) * (NECK_TO_ANKLES / length)
