"""Physical scores of motions whose numbers can be worked out."""

import math

import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.metrics import physics
from core.motion import rotation
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.types import Motion


def standing(frames=60, fps=30.0):
    root = torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(frames, 1)
    return Motion(rotation.identity(frames, 22), root, fps)


def walk_along_x(path, fps=30.0):
    """The rest pose carried along x by ``path`` (t,), metres."""
    motion = standing(len(path), fps)
    return Motion(motion.rotations, motion.root + torch.stack([path, path * 0, path * 0], dim=-1), fps)


def test_standing_still_is_perfect():
    scores = physics.evaluate(standing())
    assert scores["fps"] == 30 and scores["pfc_fps"] == 30
    for name in ("pfc", "foot_skating", "jerk", "speed", "wrong_bends"):
        assert scores[name] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("fps", [30.0, 31.25])
def test_gliding_is_all_skating_and_its_speed(fps):
    scores = physics.evaluate(walk_along_x(torch.arange(60) / fps * 0.5, fps))
    assert scores["foot_skating"] == 1
    assert scores["speed"] == pytest.approx(0.5, rel=1e-4)
    assert physics.evaluate(walk_along_x(torch.arange(60) / fps * 0.15, fps))["foot_skating"] == 0


def test_only_toes_near_the_floor_skate():
    motion = walk_along_x(torch.arange(60) / 30 * 0.5)
    lifted = Motion(motion.rotations, motion.root + torch.tensor([0.0, 0.04, 0.0]), 30.0)
    assert physics.evaluate(lifted)["foot_skating"] == 0


def test_jerk_of_a_cubic_path_is_its_third_derivative():
    times = torch.arange(40, dtype=torch.float64) / 30
    assert physics.evaluate(walk_along_x(2 * times**3))["jerk"] == pytest.approx(12, rel=1e-2)


def test_pfc_follows_its_formula_frame_by_frame():
    generator = np.random.default_rng(0)
    positions = generator.normal(size=(50, 22, 3)).cumsum(0) * 0.01
    acceleration = (positions[2:, 0] - 2 * positions[1:-1, 0] + positions[:-2, 0]) * 30**2
    acceleration[:, 1] = np.maximum(acceleration[:, 1], 0)
    size = np.sqrt((acceleration**2).sum(1))
    total = 0.0
    for i in range(48):
        moved = positions[i + 2] - positions[i + 1]
        ground = np.hypot(moved[:, 0], moved[:, 2])
        total += size[i] / size.max() * min(ground[7], ground[10]) * min(ground[8], ground[11])
    assert physics.pfc(torch.from_numpy(positions), 30.0) == pytest.approx(total / 48 * 1e4)


def test_pfc_of_a_standing_foot_is_zero_however_the_root_moves():
    positions = torch.zeros(50, 22, 3, dtype=torch.float64)
    positions[:, 0, 0] = torch.sin(torch.arange(50) / 3.0)
    positions[:, [8, 11], 0] = torch.arange(50.0, dtype=torch.float64)[:, None] * 0.1  # the other foot steps
    assert physics.pfc(positions, 30.0) == 0


@pytest.mark.parametrize(
    ("joint", "axis", "allowed"),
    [("left_knee", "x", 1), ("right_knee", "x", 1), ("left_elbow", "y", -1), ("right_elbow", "y", 1)],
)
def test_hinges_may_bend_one_way(joint, axis, allowed):
    for angle, wrong in ((90, 0), (5, 0), (-5, 0), (-20, 1), (-90, 1)):
        motion = standing()
        turn = rotation.about(axis, torch.tensor(math.radians(allowed * angle)))
        motion.rotations[:, SMPL22.index(joint)] = turn
        bends = physics.wrong_bends(motion)
        assert bends.pop(joint) == wrong
        assert not any(bends.values())


def test_knees_bend_backward_and_elbows_forward_in_space():
    """The signs above are the body's: a bent knee brings the foot behind, a bent elbow the hand in front."""
    from core.motion.kinematics import forward

    motion = standing(4)
    motion.rotations[:, SMPL22.index("left_knee")] = rotation.about("x", torch.tensor(1.0))
    motion.rotations[:, SMPL22.index("left_elbow")] = rotation.about("y", torch.tensor(-1.0))
    places = forward(motion.rotations, motion.root)[0]
    assert places[SMPL22.index("left_ankle"), 2] < places[SMPL22.index("left_knee"), 2] - 0.2
    assert places[SMPL22.index("left_wrist"), 2] > places[SMPL22.index("left_elbow"), 2] + 0.15


def test_bad_positions_are_refused_in_words():
    with pytest.raises(FootlightError, match="positions"):
        physics.validate(torch.zeros(3, 22, 3))
    with pytest.raises(FootlightError, match="finite"):
        physics.validate(torch.full((10, 22, 3), math.nan))
