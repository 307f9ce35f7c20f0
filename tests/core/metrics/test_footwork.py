"""Footwork of bodies whose numbers can be worked out."""

import math
from dataclasses import replace

import pytest
import torch

from core.errors import FootlightError
from core.metrics import footwork
from core.motion import kinematics, rotation
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.types import Motion


def standing(frames=300, fps=30.0):
    root = torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(frames, 1)
    return Motion(rotation.identity(frames, 22), root, fps)


def carried(motion, x=0.0, y=0.0):
    """The motion with its root shifted by x (t,) along x and y (t,) upwards, metres."""
    zero = torch.zeros(motion.frames)
    return replace(motion, root=motion.root + torch.stack([zero + x, zero + y, zero], dim=-1))


def kicking(period, swing, fps=30.0, seconds=10.0):
    """A standing body whose left shin swings back by up to ``swing`` radians and rests, once in ``period`` seconds.

    The swing lasts half a second and the ankle turns about the knee.
    """
    motion = standing(round(seconds * fps), fps)
    since = torch.remainder(torch.arange(motion.frames) / fps, period)
    angle = torch.where(since < 0.5, swing * torch.sin(2 * math.pi * since).clamp(min=0), torch.zeros(()))
    motion.rotations[:, SMPL22.index("left_knee")] = rotation.about("x", angle)
    return motion


def test_a_statue_is_still_frozen_and_takes_no_step():
    found = footwork.evaluate(standing())
    assert found["fps"] == 30
    assert found["still"] == found["frozen"] == 1
    for name in ("steps", "travel", "height_range", "knee_range"):
        assert found[name] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("fps", [30.0, 31.25, 60.0])
def test_every_swing_of_a_leg_is_two_steps_there_and_back(fps):
    """At 1 rad and half a period of sin the ankle moves at up to 2 pi times the shin's length, and rests in between."""
    found = footwork.evaluate(kicking(1.25, 1.0, fps))
    assert found["steps"] == pytest.approx(2 / 1.25, rel=0.05)
    # So slow a swing never reaches half a metre a second.
    shin = float(SMPL22.offsets[SMPL22.index("left_ankle")].norm())
    assert footwork.evaluate(kicking(1.25, 0.4 / (2 * math.pi * shin), fps))["steps"] == 0


def test_windows_are_still_between_swings_that_are_far_apart():
    """A window is still if it lies between two swings: it ends before one and starts after the other."""
    found = footwork.evaluate(kicking(5.0, 1.0))
    assert found["steps"] == pytest.approx(0.4)
    # Swings last from 0 to 0.5 s and from 5 to 5.5 s. Of the 9 s in which windows begin, 2 times 3.5 s see none.
    assert found["still"] == pytest.approx(7 / 9, abs=0.03)


def test_travel_is_the_speed_of_the_path_and_not_of_the_sway():
    clock = torch.arange(300) / 30
    assert footwork.evaluate(carried(standing(), 0.4 * clock))["travel"] == pytest.approx(0.4, rel=1e-3)
    sway = 0.05 * torch.sin(2 * math.pi * 2.5 * clock)  # up to 0.8 m/s, and nowhere in the end
    assert footwork.evaluate(carried(standing(), sway))["travel"] < 0.05


def test_height_range_leaves_out_a_tenth_at_both_ends():
    height = torch.linspace(0, 0.3, 300)
    assert footwork.evaluate(carried(standing(), y=height))["height_range"] == pytest.approx(0.24, rel=1e-2)


def test_knee_range_is_that_of_the_angle():
    motion = standing()
    for knee in ("left_knee", "right_knee"):
        motion.rotations[:, SMPL22.index(knee)] = rotation.about("x", torch.linspace(0.2, 1.2, 300))
    assert footwork.evaluate(motion)["knee_range"] == pytest.approx(0.8, rel=1e-2)


def test_a_foot_that_creeps_is_planted_but_not_frozen():
    clock = torch.arange(300) / 30
    assert footwork.evaluate(carried(standing(), 0.02 * clock))["frozen"] == 1
    assert footwork.evaluate(carried(standing(), 0.04 * clock))["frozen"] == 0
    assert math.isnan(footwork.evaluate(carried(standing(), y=0.5))["frozen"])  # no contact


def test_turning_and_mirroring_change_nothing():
    motion = carried(kicking(1.25, 1.0), 0.1 * torch.arange(300) / 30)
    found = footwork.evaluate(motion)
    turn = rotation.about("y", torch.tensor(1.0))
    rotations = motion.rotations.clone()
    rotations[:, 0] = rotation.mul(turn, rotations[:, 0])
    turned = replace(motion, rotations=rotations, root=rotation.rotate(turn, motion.root))
    for other in (turned, kinematics.mirror(motion)):
        assert footwork.evaluate(other) == pytest.approx(found, rel=1e-3, abs=1e-4)


def test_a_short_clip_is_one_window_and_a_broken_one_is_refused():
    assert footwork.evaluate(standing(8))["still"] == 1
    with pytest.raises(FootlightError, match="finite"):
        footwork.evaluate(carried(standing(), y=math.nan))


def test_who_turns_half_of_the_time_to_the_back_faces_away_half_of_the_time():
    motion = standing(200)
    angles = torch.cat((torch.full((100,), math.radians(89)), torch.full((100,), math.radians(91))))
    motion.rotations[:, 0] = rotation.about("y", angles)
    assert footwork.evaluate(motion)["away"] == 0.5
    # of a chest that is turned against the pelvis, the chest counts
    motion.rotations[:, SMPL22.index("spine1")] = rotation.about("y", torch.full((200,), math.radians(-5)))
    assert footwork.evaluate(motion)["away"] == 0


def test_hands_inside_the_body_are_counted():
    """Arms that hang straight down are pressed into the thighs."""
    motion = standing(200)
    assert footwork.evaluate(motion)["inside"] == 0
    for side, down in (("left", -1), ("right", 1)):
        turned = rotation.about("z", torch.full((50,), down * math.pi / 2))
        motion.rotations[:50, SMPL22.index(f"{side}_shoulder")] = turned
    assert footwork.evaluate(motion)["inside"] == 0.25
