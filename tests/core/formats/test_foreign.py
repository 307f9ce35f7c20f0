"""Foreign bodies onto our skeleton: a dance of ours that was disguised as another rig's, or as bare positions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.errors import FootlightError
from core.formats import bvh, foreign
from core.motion import fit, kinematics, rotation
from core.motion.contact import fix_floor
from core.motion.skeleton import SMPL22
from core.types import Motion
from tests.core.motion.rigs import DISGUISES, RIGS, Foreign, bvh_text, dance


def fitted(path: Path) -> Motion:
    motion, _ = fit.fit(foreign.capture(foreign.body_of(path, *bvh.read(path))))
    return fix_floor(motion)


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES.keys())
def test_a_disguised_dance_comes_back(disguise, tmp_path):
    ours = dance()
    path = tmp_path / "foreign.bvh"
    path.write_text(bvh_text(ours.rotations, ours.root, ours.fps, disguise))
    made = fitted(path)
    assert made.fps == ours.fps and made.frames == ours.frames
    found, known = (kinematics.forward_global(m.rotations, m.root) for m in (made, ours))
    if disguise.turn is not None:  # the file's axes are levelled, its heading is its own
        heading = rotation.about("y", rotation.yaw(disguise.turn)) if disguise.turn[1].abs() < 0.1 else None
        if heading is not None:
            known = rotation.mul(heading, known[0]), rotation.rotate(heading, known[1])
    gap = (found[1] - known[1]).norm(dim=-1)
    assert gap.mean() < 0.003 and gap.max() < 0.01
    # of the bones' rolls, all but the arms' (whose rest is not theirs to know) are the same
    plain = [
        j for j, name in enumerate(SMPL22.names) if not any(part in name for part in ("shoulder", "elbow", "wrist"))
    ]
    assert rotation.angle(found[0][:, plain], known[0][:, plain]).rad2deg().max() < 3.0


def test_a_hand_that_sits_in_the_elbow_is_none(tmp_path):
    """Some exports have forearms that end where they begin. The elbow still says where they point."""
    ours, path = dance(), tmp_path / "handless.bvh"
    text = bvh_text(ours.rotations, ours.root, ours.fps, Foreign(RIGS["mixamo"]))
    for name in ("LeftHand", "RightHand"):
        before, after = text.split(f"{name}\n", 1)
        offset = after.index("OFFSET")
        text = f"{before}{name}\n{after[:offset]}OFFSET 0 0 0{after[after.index(chr(10), offset) :]}"
    path.write_text(text)
    made = fitted(path)
    found, known = (kinematics.forward(m.rotations, m.root) for m in (made, ours))
    for side in ("left", "right"):
        elbow, wrist = SMPL22.index(f"{side}_elbow"), SMPL22.index(f"{side}_wrist")
        assert (found[:, wrist] - found[:, elbow] - known[:, wrist] + known[:, elbow]).norm(dim=-1).max() < 0.01


def test_what_is_no_humanoid_is_refused(tmp_path):
    path = tmp_path / "snake.bvh"
    path.write_text(
        "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"
        "JOINT b\n{\nOFFSET 0 1 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 1 0\n}\n}\n}\n"
        "MOTION\nFrames: 2\nFrame Time: 0.02\n" + "0 " * 9 + "\n" + "0 " * 9 + "\n"
    )
    with pytest.raises(FootlightError, match=r"snake\.bvh.*two legs"):
        fitted(path)


def test_a_t_pose_beside_the_capture_calibrates_it(tmp_path):
    """A rig whose zero pose bows the head is only understood with its T-pose."""
    bowed = rotation.identity(SMPL22.joints)
    bowed[SMPL22.index("neck")] = rotation.about("x", torch.tensor(0.6))
    bowing, ours = Foreign(RIGS["smpl"], rest=bowed), dance(2.0)
    (tmp_path / "set").mkdir()
    (tmp_path / "tpose").mkdir()
    path = tmp_path / "set" / "clip.bvh"
    path.write_text(bvh_text(ours.rotations, ours.root, ours.fps, bowing))

    def head(motion: Motion) -> torch.Tensor:
        return kinematics.forward_global(motion.rotations, motion.root)[0][:, SMPL22.index("head")]

    alone = rotation.angle(head(fitted(path)), head(ours))
    still = rotation.identity(1, SMPL22.joints)
    (tmp_path / "tpose" / "clip.bvh").write_text(bvh_text(still, torch.zeros(1, 3), 60.0, bowing))
    calibrated = rotation.angle(head(fitted(path)), head(ours))
    assert alone.min() > 0.5 and calibrated.max() < 0.02
