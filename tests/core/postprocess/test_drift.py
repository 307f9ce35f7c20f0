import math
from dataclasses import replace

import pytest
import torch

from core.motion import contact, kinematics, rotation
from core.motion.skeleton import SMPL22
from core.postprocess import drift
from core.types import Motion

TOES = (10, 11)


@pytest.fixture
def dancing(stepping):
    """Steps with the contacts that a model would say."""

    def make(seconds, stride=0.0):
        body = stepping(seconds, stride=stride)
        return replace(body, contacts=contact.label(kinematics.forward(body.rotations, body.root), body.fps))

    return make


def led(motion, heading):
    """A motion of which every step is turned by ``heading`` (t,), with its body: the path bends as it turns."""
    turn = rotation.about("y", heading)
    steps = rotation.rotate(turn[1:], motion.root.diff(dim=0))
    rotations = motion.rotations.clone()
    rotations[:, 0] = rotation.mul(turn, rotations[:, 0])
    return replace(motion, rotations=rotations, root=torch.cat((motion.root[:1], steps)).cumsum(0))


def turning_away(motion, at=2.0, seconds=1.0):
    """A motion that turns its back to the front from second ``at`` on."""
    share = ((torch.arange(motion.frames) / motion.fps - at) / seconds).clamp(0, 1)
    return led(motion, 0.97 * math.pi * share * share * (3 - 2 * share))


def statue(seconds, fps=30.0):
    frames = round(seconds * fps)
    return Motion(rotation.identity(frames, 22), torch.tensor([0.0, 0.95, 0.0]).repeat(frames, 1), fps)


def away(motion):
    """How far (t,) the pelvis is turned from the front, degrees."""
    return rotation.yaw(motion.rotations[:, 0]).abs().rad2deg()


def far(motion):
    """How far (t,) the root is from its first place, metres."""
    return (motion.root - motion.root[0])[:, (0, 2)].norm(dim=-1)


def test_who_turns_away_and_goes_on_stepping_soon_faces_the_front_again(dancing):
    before = turning_away(dancing(30.0))
    after = drift.keep(before)
    assert (away(before)[200:] > 150).all()
    assert (away(after)[round(14 * after.fps) :] < 45).all()
    assert torch.equal(after.root[0], before.root[0]) and torch.equal(after.root[:, 1], before.root[:, 1])
    assert rotation.angle(after.rotations[0], before.rotations[0]).max() < 1e-3


def test_who_stands_with_the_back_to_the_front_is_hardly_turned():
    standing = statue(20)
    turned = led(standing, torch.full((600,), 0.9 * math.pi))
    after = drift.keep(turned)
    speeds = away(after).diff().abs() * after.fps
    assert 0 < speeds.max() < 2.01 and far(after).max() < 0.1


def test_the_body_is_turned_while_a_foot_swings_about_the_one_that_stands(dancing):
    made = drift.keep(turning_away(dancing(30.0)))
    part = slice(round(4 * made.fps), round(8 * made.fps))  # between turning away and facing the front
    places = kinematics.forward(made.rotations, made.root)[part, TOES]
    speed = places.diff(dim=0).norm(dim=-1) * made.fps
    turns = rotation.unwrap(rotation.yaw(made.rotations[part, 0])).diff().abs() * made.fps
    swings, stands = turns[speed.amax(1) > 0.4], turns[speed.amax(1) < 0.1]
    assert min(len(swings), len(stands)) > 10, "the check would be empty"
    assert swings.mean() > 2.5 * stands.mean()
    assert speed[speed.amax(1) > 0.4].amin(1).max() < 0.05  # metres a second: the other toe stays


def test_minutes_of_drift_are_removed(dancing):
    body = dancing(180.0, stride=0.15)
    before = led(body, 0.02 * torch.arange(body.frames) / body.fps)
    after = drift.keep(before)
    assert far(before).max() > 10 and away(before).max() > 170
    assert far(after).max() < 7 and away(after).mean() < 45


def test_a_walk_is_led_home(dancing):
    """Half a metre a second for two minutes: 60 m straight on."""
    before = dancing(120.0, stride=0.5)
    after = drift.keep(before)
    assert far(before).max() > 55 and far(after).max() < 5


def test_no_point_of_the_body_is_dragged_fast(dancing):
    before = turning_away(dancing(60.0, stride=0.3))
    after = drift.keep(before)
    speeds = []
    for motion in (before, after):
        feet = kinematics.forward(motion.rotations, motion.root)[:, TOES]
        local = rotation.rotate(rotation.conjugate(motion.rotations[1:, None, 0]), feet.diff(dim=0))
        speeds.append(local * motion.fps)
    most = drift.FASTEST_PULL + 0.35 * drift.FASTEST_TURN  # the feet are that far from what the body is turned about
    assert (speeds[1] - speeds[0]).norm(dim=-1).max() < most


def test_who_stays_is_left_alone_and_the_first_frame_stays(steps):
    at_home = replace(steps, root=steps.root + torch.tensor((3.0, 0.0, -2.0)))
    after = drift.keep(at_home)
    assert torch.allclose(after.root, at_home.root, atol=1e-4)
    assert rotation.angle(after.rotations, at_home.rotations).max() < 1e-2


def test_a_spin_is_not_unwound(dancing):
    """Two full turns in two seconds, then facing the front again: nothing to correct."""
    body = dancing(20.0)
    heading = 4 * math.pi * ((torch.arange(body.frames) / body.fps - 8) / 2).clamp(0, 1)
    before = led(body, heading)
    turns = rotation.unwrap(rotation.yaw(drift.keep(before).rotations[:, 0]))
    assert float(turns[-1] - turns[0]) == pytest.approx(4 * math.pi, abs=math.radians(20))


def test_the_beginning_does_not_depend_on_what_comes_much_later(dancing):
    """The preview of a long dance is nearly the whole's."""
    whole = turning_away(dancing(90.0, stride=0.2), at=20.0)
    short = drift.keep(whole.cut(0, round(38.9 * whole.fps)))
    shown = round(30 * whole.fps)
    apart = (drift.keep(whole).root - torch.cat((short.root, whole.root[short.frames :])))[:shown].norm(dim=-1)
    assert apart.max() < 1e-3


def test_a_path_that_is_held_stays(dancing):
    motion = turning_away(dancing(12.0))
    hold = torch.zeros(motion.frames, SMPL22.joints, dtype=torch.bool)
    hold[40, 0] = True
    assert drift.keep(motion, hold) is motion


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_motions_survive(frames):
    motion = Motion(rotation.identity(frames, 22), torch.ones(frames, 3), 30.0)
    assert torch.allclose(drift.keep(motion).root, motion.root)
