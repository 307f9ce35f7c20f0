"""Frames that a capture lost: which they are, what stands in their place, and how many are too many."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.formats import bvh, lost_frames
from core.formats.motion import read_motion
from core.motion import kinematics, rotation
from tests.core.motion.rigs import dance

FPS = 30.0
GAP = slice(40, 50)  # frames
NAN = float("nan")
TURNS = {
    "z up": lambda p: torch.stack((p[..., 0], -p[..., 2], p[..., 1]), -1),
    "-y up": lambda p: p * p.new_tensor((1.0, -1.0, -1.0)),
    "x up": lambda p: torch.stack((p[..., 1], -p[..., 0], p[..., 2]), -1),
}


@pytest.fixture(scope="module")
def ours():
    return dance(4.0, FPS)


@pytest.fixture(scope="module")
def places(ours):
    return kinematics.forward(ours.rotations, ours.root)


def with_rows(path, motion, word, frames):
    """The BVH file of a motion in which every number of some frames is ``word``."""
    bvh.write(path, motion, FPS)
    lines = path.read_text().splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    for row in range(first + frames.start, first + frames.stop):
        lines[row] = " ".join([word] * len(lines[row].split()))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("word", ["nan", "NaN", "-1.#IND00", "0.000000", "-9999.0"])
@pytest.mark.parametrize("frames", [GAP, slice(112, 120)], ids=["inside", "at the end"])
def test_rows_without_a_body_are_bridged(word, frames, ours, tmp_path):
    path = with_rows(tmp_path / "lost.bvh", ours, word, frames)
    with pytest.warns(UserWarning, match=f"no body in frames {frames.start}-{frames.stop - 1}.*interpolated"):
        _, found = bvh.read(path)
    bvh.write(tmp_path / "whole.bvh", ours, FPS)
    _, whole = bvh.read(tmp_path / "whole.bvh")
    kept = np.r_[0 : frames.start, frames.stop : 120]
    assert torch.equal(found.rotations[kept], whole.rotations[kept]) and torch.equal(found.root[kept], whole.root[kept])
    before, after = frames.start - 1, min(frames.stop, frames.start - 1 + 120 * (frames.stop < 120))
    for k, frame in enumerate(range(frames.start, frames.stop), 1):
        share = k / (after - before) if frames.stop < 120 else 0.0
        turns = rotation.slerp(whole.rotations[before], whole.rotations[after], share)
        assert rotation.angle(found.rotations[frame], turns).max() < 1e-3
        expected = whole.root[before] + share * (whole.root[after] - whole.root[before])
        torch.testing.assert_close(found.root[frame], expected, atol=1e-3, rtol=0)


def test_joints_that_have_positions_do_not_seem_to_move_in_a_gap(tmp_path):
    """Each joint with position channels: they never change, so the skeleton has them, with a gap and without."""
    channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    head = f"HIERARCHY\nROOT a\n{{\nOFFSET 0 0 0\n{channels}\nJOINT b\n{{\nOFFSET 0 1 0\n{channels}\n}}\n}}\n"
    rows = [f"0 90 0 {t} 0 0 0 7 0 0 {t} 0" for t in range(40)]
    rows[20] = " ".join(["nan"] * 12)
    (tmp_path / "a.bvh").write_text(f"{head}MOTION\nFrames: 40\nFrame Time: 0.0333333\n" + "\n".join(rows) + "\n")
    with pytest.warns(UserWarning, match="no body in frames 20,"):
        skeleton, motion = bvh.read(tmp_path / "a.bvh")
    assert motion.offsets is None and skeleton.offsets[1].tolist() == [0.0, 7.0, 0.0]


@pytest.mark.parametrize(("word", "message"), [("nan", "'nan' is not a finite"), ("0", "0.75 s at a time and 10%")])
def test_long_gaps_are_refused(word, message, ours, tmp_path):
    with pytest.raises(FootlightError, match=message) as error:
        read_motion(with_rows(tmp_path / "lost.bvh", ours, word, slice(40, 70)))
    assert "lost.bvh" in str(error.value)


def test_a_capture_may_begin_in_its_rest_pose_and_stand_in_it(ours, tmp_path):
    """Zeros at the beginning are the T-pose, and zeros into which a body moves slowly are a pose."""
    path = with_rows(tmp_path / "rest.bvh", ours, "0", slice(0, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, motion = bvh.read(path)
    assert torch.equal(motion.rotations[:3], rotation.identity(3, 22))
    still = np.r_[np.linspace(30, 0, 60), np.zeros(20), np.linspace(0, 30, 60)][:, None] * np.array([1.0, 0.5, 2.0])
    assert not lost_frames.of_one_number(still).any()
    still[70] = 5.0
    assert lost_frames.named(lost_frames.of_one_number(still)) == "70"


@pytest.mark.parametrize("axis", TURNS)
@pytest.mark.parametrize("size", [1.0, 100.0])
def test_places_tell_which_way_is_up(axis, size, places, tmp_path):
    np.savez(tmp_path / "p.npz", positions=(size * TURNS[axis](places)).numpy(), fps=FPS)
    with pytest.warns(UserWarning, match=f"stands along {axis.split()[0]}, which is taken as up"):
        found = read_motion(tmp_path / "p.npz").positions
    gap = (found - places) - (found - places)[:1, :1]
    assert gap.norm(dim=-1).quantile(0.99) < 0.02  # metres


@pytest.mark.parametrize("lost", ["a wrist", "all, as NaN", "all, in one place"])
def test_places_that_are_lost_for_a_moment_are_bridged(lost, places, tmp_path):
    changed = places.clone()
    changed[GAP, 20 if lost == "a wrist" else slice(None)] = 0.0 if "one place" in lost else NAN
    np.savez(tmp_path / "p.npz", positions=changed.numpy(), fps=FPS)
    with pytest.warns(UserWarning, match="lost in frames 40-49.*interpolated"):
        found = read_motion(tmp_path / "p.npz").positions
    gap = (found - places).norm(dim=-1)
    assert gap[GAP].max() < 0.3 and gap[np.r_[0:35, 55:120]].quantile(0.99) < 0.02
    share = torch.linspace(0, 1, 12)[1:-1, None, None]
    made = lost_frames.bridged_places("p", changed, FPS)[GAP, 20:21]
    torch.testing.assert_close(made, places[39, 20:21] + share * (places[50, 20:21] - places[39, 20:21]))
