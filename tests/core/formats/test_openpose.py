"""OpenPose files written from a known walk come back as that walk."""

import json
import math

import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.formats.openpose import JOINTS, read_folder

SCALE = 200.0  # pixels a metre


def body(t):
    """(14, 2) metres, y up, the middle of the hips at (0, 0); arms and legs swing."""
    swing = 0.2 * math.sin(t / 5)
    right = [(-0.2, 0.5), (-0.3, 0.25), (-0.3 + swing, 0.0)]
    left = [(0.2, 0.5), (0.3, 0.25), (0.3 - swing, 0.0)]
    legs = [(-0.1, 0.0), (-0.1, -0.4), (-0.1, -0.85), (0.1, 0.0), (0.1, -0.4), (0.1, -0.85)]
    return np.array([(0.0, 0.7), (0.0, 0.5), *right, *left, *legs])


def person(points, confidence=0.9):
    """75 numbers: the 14 joints among the 25, the rest unseen; pixels, y down."""
    keypoints = np.zeros((25, 3))
    keypoints[list(JOINTS), :2] = points * (SCALE, -SCALE) + (640, 360)
    keypoints[list(JOINTS), 2] = confidence
    return {"pose_keypoints_2d": keypoints.ravel().tolist()}


def write(folder, frames):
    folder.mkdir(exist_ok=True)
    for number, people in enumerate(frames):
        (folder / f"clip_{number:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": people}))
    return folder


def truth(count):
    return torch.from_numpy(np.stack([body(t) for t in range(count)])).float()


def test_a_walk_comes_back_in_metres(tmp_path):
    found = read_folder(write(tmp_path / "a", [[person(body(t))] for t in range(12)]))
    torch.testing.assert_close(found, truth(12), atol=2e-3, rtol=0)


def test_frames_follow_their_numbers_not_the_alphabet(tmp_path):
    for number in (2, 10, 9):
        (tmp_path / f"{number}.json").write_text(json.dumps({"people": [person(body(number))]}))
    found = read_folder(tmp_path)
    torch.testing.assert_close(found[:, 4, 0] - found[0, 4, 0], truth(11)[[2, 9, 10], 4, 0] - truth(3)[2, 4, 0])


def test_gaps_are_bridged_and_ends_hold_still(tmp_path):
    frames = [[person(body(t))] for t in range(12)]
    frames[5], frames[11] = [], []
    frames[7][0]["pose_keypoints_2d"][4 * 3 + 2] = 0.01  # a wrist that is not believed
    frames[7][0]["pose_keypoints_2d"][4 * 3] = 5000.0
    found = read_folder(write(tmp_path / "a", frames))
    expected = truth(12)
    torch.testing.assert_close(found[5], (expected[4] + expected[6]) / 2, atol=2e-3, rtol=0)
    torch.testing.assert_close(found[7, 4], (expected[6, 4] + expected[8, 4]) / 2, atol=2e-3, rtol=0)
    torch.testing.assert_close(found[11], found[10])


def test_the_same_person_is_followed(tmp_path):
    other = [person(0.6 * body(t) + (2.0, 0.3)) for t in range(12)]
    frames = [[other[t], person(body(t))] if t % 2 else [person(body(t)), other[t]] for t in range(12)]
    torch.testing.assert_close(read_folder(write(tmp_path / "a", frames)), truth(12), atol=2e-3, rtol=0)


def test_bad_folders_are_named(tmp_path):
    with pytest.raises(FootlightError, match="expected a folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(FootlightError, match="nobody is seen in 75%"):
        read_folder(write(tmp_path / "empty", [[person(body(0))], [], [], []]))
    hidden = [person(body(t)) for t in range(4)]
    for someone in hidden[:3]:
        someone["pose_keypoints_2d"][10 * 3 : 10 * 3 + 3] = [0, 0, 0]  # BODY_25's right knee, the tenth of the 14
    with pytest.raises(FootlightError, match="joint 9 of 14 is hidden in 75%"):
        read_folder(write(tmp_path / "hidden", [[p] for p in hidden]))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "1.json").write_text("{")
    with pytest.raises(FootlightError, match="not an OpenPose file"):
        read_folder(tmp_path / "broken")
    with pytest.raises(FootlightError, match="BODY_25 has 75"):
        read_folder(write(tmp_path / "coco", [[{"pose_keypoints_2d": [0.0] * 54}]]))
