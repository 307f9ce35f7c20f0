"""Reads 2-D motion from folders of OpenPose files, the representation of MoMu-Diffusion.

There is one JSON file per frame, and the number in its name is the frame's (``core.formats.frame_names``). Each is
``{"people": [{"pose_keypoints_2d": [x, y, confidence, ...]}]}`` with keypoints in pixels, y down: BODY_25, or another
set of ``core.formats.keypoints``. The result is in metres, y up, with the joints of ``core.motion.layouts.OPENPOSE14``,
so it is comparable with captures seen from the front.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import FootlightError, warn
from core.formats import frame_names, people
from core.formats.keypoints import ANKLES, KNOWN, NECK, joints_of, without_jumps
from core.motion.resample import spline

MOST_MISSING = 0.5  # fraction of frames without the body, or without a joint, that can be interpolated
NECK_TO_ANKLES = 1.35  # metres, in a body of 1.7 m
_LATEST = 10.0  # seconds after which a dancer comes into the picture; a part of a long film begins later
_FIRST_OF_SHOTS = (1000, 1001)  # numbers from which studios count
_SHARES = 1.5  # keypoints in pixels are farther from the corner, or the middle
_MOST_NAMED = 3  # gaps that are listed in a warning


def read_folder(folder: Path | str, fps: float = 30.0) -> Tensor:
    """Read positions (t, 14, 2) in metres, x to the right of the image and y up. The first frame's hips are the origin.

    If there are several people, the largest of the first frame is followed from frame to frame. Keypoints that are not
    visible, that jump farther than a body moves, or whose frame has no file are interpolated over time, and held at the
    ends. So are frames before the first file, if they are few; else the motion begins with that file. Of such jumps and
    files, and of unusual numbers in the names, the user is warned.

    fps: of the film, which the files do not say; it tells how far a body can move from frame to frame.

    Raises FootlightError for a folder without such files, damaged files, and bodies that are hardly visible.
    """
    folder = Path(folder)
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        raise FootlightError(
            f"{folder}: expected a folder of OpenPose files, one NAME_000000000000_keypoints.json a frame"
        )
    film = frame_names.ordered(files, folder)
    enough = len(files) >= (1 - MOST_MISSING) * (film.places + film.first // film.stride)
    if 1 < film.first <= _LATEST * fps and film.first not in _FIRST_OF_SHOTS and enough:
        film = film.from_the_start()
    if len(files) < (1 - MOST_MISSING) * film.places:
        raise FootlightError(
            f"{folder}: there are {len(files)} files for the {film.places} frames that their names number; at most "
            f"{MOST_MISSING:.0%} can be bridged: run the detector on the whole film"
        )
    everyone: list[list[np.ndarray]] = [[] for _ in range(film.places)]
    for path, at in zip(film.files, film.at.tolist(), strict=True):
        everyone[at] = _people(path)
    rate = fps / film.stride
    frames, jumps = without_jumps(people.followed(everyone, rate), rate, MOST_MISSING)
    made = torch.from_numpy(_to_metres(_bridged(frames, folder), folder))
    _say(folder, film, jumps)
    if np.nanmax(np.abs(frames[:, :, :2]), initial=0.0) <= _SHARES:
        warn(
            f"{folder}: its keypoints are shares of the picture, which distorts films that are not square; write pixels"
        )
    if film.stride > 1:
        made = spline(made, torch.arange((film.places - 1) * film.stride + 1) / film.stride)
    return made.float()


def _say(folder: Path, film: frame_names.Frames, jumps: int) -> None:
    """Warn of what was put right."""
    if gaps := frame_names.gaps(film):
        longest = sorted(sorted(gaps, key=lambda gap: gap[0] - gap[1])[:_MOST_NAMED])
        named = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in longest)
        more = f" and {len(gaps) - len(longest)} more stretches" if len(gaps) > len(longest) else ""
        warn(f"{folder}: there are no files for frames {named}{more}; the movement is interpolated there")
    if film.first > 1:
        warn(f"{folder}: the first file is that of frame {film.first}; the motion begins there and not with the film")
    if jumps:
        warn(f"{folder}: {jumps} keypoints jump farther than a body moves; they are interpolated")


def _people(path: Path) -> list[np.ndarray]:
    """Everyone in a frame, each (14, 3): pixels and confidence. Keypoints that are not visible are NaN."""
    try:
        document = json.loads(path.read_bytes())
        found = [np.asarray(person["pose_keypoints_2d"], dtype=np.float64) for person in document["people"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FootlightError(f"{path}: not an OpenPose file ({error}); expected {{'people': [...]}} as JSON") from None
    made = []
    for values in found:
        if not values.size:  # seen by its face or hands only
            continue
        person = joints_of(values)
        if person is None:
            raise FootlightError(
                f"{path}: a person has {values.size} numbers; {KNOWN}: run the detector with one of these models"
            )
        if np.isfinite(person).any():
            made.append(person)
    return made


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
