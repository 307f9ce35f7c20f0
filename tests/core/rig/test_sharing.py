"""Bones between others share their turn. The oracle is the angle that a turn was made of."""

from __future__ import annotations

import numpy as np
import pytest

from core.rig import humanoid, sharing
from core.rig import quaternion as quat
from core.rig.skeleton import JOINTS
from tests.core.rig.characters import character, trees

TREES = trees()


def shares(family: str) -> dict[str, tuple[str, str, float]]:
    one = character(TREES[family])
    bones = humanoid.movers(one.skeleton, humanoid.match(one.skeleton))
    found = sharing.shares(one.skeleton, bones)
    return {one.names[i]: (JOINTS[s.above], JOINTS[s.below], round(s.share, 2)) for i, s in found.items()}


def test_bones_between_and_beside():
    assert shares("Mixamo") == {}
    manny = shares("Unreal 5")
    assert manny["neck_02"] == ("neck", "head", 0.5)
    assert manny["lowerarm_twist_01_l"] == ("left_elbow", "left_wrist", 0.7)
    assert manny["calf_twist_02_r"] == ("right_knee", "right_ankle", 0.3)
    assert manny["upperarm_twist_01_l"] == ("left_collar", "left_shoulder", 0.3)
    assert manny["thigh_twist_02_r"] == ("pelvis", "right_hip", 0.7)
    assert shares("Unreal 4")["upperarm_twist_01_r"] == ("right_collar", "right_shoulder", 0.0)
    genesis = shares("Daz Genesis 8")
    assert genesis["lForearmTwist"] == ("left_elbow", "left_wrist", 0.5)
    assert "Bip001 Spine" not in shares("Biped"), "the legs hang on it"
    assert shares("MMD, Japanese")["手捩.R"] == ("right_elbow", "right_wrist", 0.6)


def about(axis: tuple[float, float, float], angles: np.ndarray) -> np.ndarray:
    return np.concatenate((np.cos(angles / 2)[:, None], np.sin(angles / 2)[:, None] * np.array(axis)), axis=-1)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_twist_is_shared_about_the_bone_alone(share):
    """The hand bends and twists, beyond half a turn; the bone only twists."""
    angles = np.linspace(0.0, 3.6, 50)
    bend = about((0.0, 0.0, 1.0), 0.5 * np.sin(angles))
    above = about((0.6, 0.8, 0.0), 0.7 * angles)
    axis = np.array((1.0, 0.0, 0.0))
    below = quat.mul(above, quat.mul(bend, about((1.0, 0.0, 0.0), angles)))
    found = quat.mul(quat.conjugate(above), sharing.Share(0, 1, share, axis).of(above, below))
    expected = about((1.0, 0.0, 0.0), share * angles)
    np.testing.assert_allclose(np.abs((found * expected).sum(-1)), 1.0, atol=1e-9)
    again = quat.mul(quat.conjugate(above), sharing.Share(0, 1, share, axis).of(above, -below))
    np.testing.assert_allclose(np.abs((again * expected).sum(-1)), 1.0, atol=1e-9, err_msg="whatever a rotation's sign")


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_bone_beside_an_upper_arm_swings_with_it_and_twists_less(share):
    """An arm is lifted and twisted. Beside its shoulder a bone is only lifted, at the elbow it does as the arm does."""
    angles = np.linspace(0.0, 1.5, 50)
    above = about((0.6, 0.8, 0.0), 0.7 * angles)
    lift = quat.mul(above, about((0.0, 0.0, 1.0), 1.2 * np.sin(2 * angles)))
    axis = np.array((1.0, 0.0, 0.0))
    below = quat.mul(lift, about((1.0, 0.0, 0.0), angles))
    found = sharing.Share(0, 1, share, axis, swings=True).of(above, below)
    expected = quat.mul(lift, about((1.0, 0.0, 0.0), share * angles))
    np.testing.assert_allclose(np.abs((found * expected).sum(-1)), 1.0, atol=1e-9)
    np.testing.assert_allclose(quat.rotate(found, axis), quat.rotate(below, axis), atol=1e-9)


def test_a_bend_is_shared_evenly():
    angles = np.linspace(-1.0, 1.0, 20)
    above, below = about((0.0, 1.0, 0.0), 0.0 * angles), about((0.0, 1.0, 0.0), angles)
    found = sharing.Share(0, 1, 0.5).of(above, below)
    np.testing.assert_allclose(np.abs((found * about((0.0, 1.0, 0.0), angles / 2)).sum(-1)), 1.0, atol=1e-9)
