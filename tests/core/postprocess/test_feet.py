import math
from dataclasses import replace

import pytest
import torch

from core.metrics import physics
from core.motion import kinematics, rotation
from core.motion.skeleton import FOOT_JOINTS, REST_HEIGHT, SMPL22
from core.postprocess import feet
from core.postprocess.smooth import gaussian
from core.types import Motion


def positions(motion):
    return kinematics.forward(motion.rotations, motion.root)


def skating(motion):
    return physics.foot_skating(positions(motion), motion.fps)


def shaken(motion, seed=0):
    """The motion on a root that glides about by decimetres and floats 2 cm above the floor."""
    generator = torch.Generator().manual_seed(seed)
    glide = gaussian(torch.randn(motion.frames, 3, generator=generator), motion.fps, 0.15) * torch.tensor((1.0, 0, 1))
    return replace(motion, root=motion.root + 0.03 * glide.cumsum(0) + torch.tensor((0.0, 0.02, 0.0)))


@pytest.mark.parametrize("fps", [24.0, 31.25, 60.0])
def test_gliding_feet_stand_still_again(fps, stepping):
    clean = stepping(fps=fps)
    noisy = shaken(clean)
    fixed = feet.lock(feet.steady(noisy))
    assert skating(noisy) > 0.25
    assert skating(fixed) < skating(clean) + 0.05
    assert positions(fixed)[:, FOOT_JOINTS, 1].min() > 0.015
    jerk = [physics.mean_jerk(positions(motion), fps) for motion in (noisy, fixed)]
    assert jerk[1] - jerk[0] < 20  # m/s^3; captured dance has 100 and more
    # what the feet gain the rest of the body does not lose
    apart = rotation.angle(fixed.rotations, noisy.rotations)
    legs = {1, 2, 4, 5, 7, 8}
    assert apart[:, [j for j in range(22) if j not in legs]].max() < 1e-2


def test_a_clean_dance_is_hardly_touched(steps):
    fixed = feet.lock(feet.steady(steps))
    assert skating(fixed) <= skating(steps) + 0.01
    assert (positions(fixed) - positions(steps)).norm(dim=-1).mean() < 0.015


@pytest.mark.parametrize(("sway", "crept"), [(0.0, 0.0), (0.004, 0.004), (0.02, 0.0185), (0.1, 0.0373)])
def test_standing_feet_creep_as_they_did_but_no_farther_than_soles_do(sway, crept):
    """A body that sways along x by any amount, once in four seconds. What stands goes along, but stays near."""
    frames, fps = 240, 30.0
    swing = sway * torch.sin(torch.arange(frames) / fps * math.pi / 2)[:, None] * torch.tensor([1.0, 0.0, 0.0])
    motion = Motion(
        rotation.identity(frames, 22), torch.tensor([0.0, REST_HEIGHT, 0.0]) + swing, fps, torch.ones(frames, 4)
    )
    toes = positions(feet.lock(motion))[:, (10, 11), 0]
    assert float(toes.amax(0).sub(toes.amin(0)).max()) / 2 == pytest.approx(crept, abs=0.0015)
    assert float(toes.diff(dim=0).abs().max()) * fps <= 0.09


def test_standing_feet_hardly_move_and_are_labelled(steps):
    fixed = feet.lock(shaken(steps))
    assert set(fixed.contacts.unique().tolist()) <= {0.0, 1.0}
    toes = positions(fixed)[:, (10, 11)]
    stands = fixed.contacts[:, (1, 3)].bool()
    inner = stands[:-5] & stands[5:]  # the gap is shorter than any, so all between stand too
    speed = (toes[3:-2] - toes[2:-3]).norm(dim=-1) * steps.fps
    assert 0.3 < inner.float().mean() < 0.9
    assert speed[inner].quantile(0.95) < 0.1


def test_the_root_follows_the_feet_that_carry_it():
    """A statue pushed over the floor at 0.4 m/s stays where it is."""
    frames = 200
    root = torch.zeros(frames, 3)
    root[:, 1], root[:, 2] = REST_HEIGHT, 0.4 * torch.arange(frames) / 30
    statue = Motion(rotation.identity(frames, 22), root, 30.0, torch.ones(frames, 4))
    held = feet.steady(statue)
    assert (held.root[-1, 2] - held.root[0, 2]).abs() < 0.35 * (root[-1, 2] - root[0, 2])


def test_what_the_model_does_not_call_a_contact_is_none(steps):
    silent = replace(steps, contacts=torch.zeros(steps.frames, 4))
    assert not feet.contacts(silent, positions(silent)).any()
    assert feet.contacts(steps, positions(steps)).any()


def test_feet_in_the_floor_come_out():
    frames = 120
    time = torch.arange(frames) / 30
    root = torch.zeros(frames, 3)
    root[:, 1] = REST_HEIGHT - 0.15 * torch.sin(math.pi * time / 4).square()  # straight legs sink by 15 cm
    fixed = feet.lock(Motion(rotation.identity(frames, 22), root, 30.0))
    assert positions(fixed)[:, FOOT_JOINTS, 1].min() > 0.01
    assert max(physics.wrong_bends(fixed).values()) == 0


@pytest.mark.parametrize("down", ["toes", "heels"])
def test_a_foot_that_stands_has_no_end_in_the_floor(down):
    """A dancer rises onto the toes and whips them round about the heels, which then stand alone for a moment and high
    above the floor; or draws the toes up, low enough to stand, with the heels below them."""
    frames, fps = 90, 30.0
    at = torch.arange(frames) - 45.0
    tilt = torch.deg2rad((8 + 17 * torch.exp(-0.5 * (at / 8) ** 2)) * (1 if down == "toes" else -1))
    turn = torch.deg2rad(35 * (at / 2).clamp(-1, 1)) * (down == "toes")
    rotations = rotation.identity(frames, 22)
    rotations[:, [7, 8]] = rotation.mul(rotation.about("y", turn), rotation.about("x", tilt))[:, None]
    motion = Motion(rotations, torch.zeros(frames, 3), fps, torch.ones(frames, 4))
    root = torch.stack((torch.zeros(frames), 0.02 - positions(motion)[:, 10, 1], torch.zeros(frames)), -1)
    motion = replace(motion, root=root)
    fixed = positions(feet.lock(motion))
    assert fixed[:, (10, 11), 1].min() > 0.02 - 1e-3
    assert fixed[:, (7, 8), 1].min() > feet.LOWEST_ANKLE - 1e-3
    changes = (fixed - positions(motion))[:, (7, 8, 10, 11), 1].diff(dim=0)
    assert changes.abs().max() < 0.015  # metres that the correction changes by from one frame to the next


def test_the_pelvis_sinks_for_a_leg_that_would_not_reach(steps):
    """Hips raised until the standing leg is too short: the foot still stands, and no knee snaps straight."""
    tall = replace(steps, root=steps.root + torch.tensor((0.0, 0.035, 0.0)))
    contacts = feet.contacts(steps, positions(steps)).float()
    fixed = feet.lock(replace(tall, contacts=contacts))
    toes = positions(fixed)[:, (10, 11), 1]
    standing = fixed.contacts[:, (1, 3)].bool()
    assert standing.float().mean() > 0.3
    assert toes[standing].quantile(0.9) < 0.035
    assert physics.mean_jerk(positions(fixed), steps.fps) - physics.mean_jerk(positions(tall), steps.fps) < 25


def test_knees_keep_their_side(steps):
    fixed = feet.lock(feet.steady(shaken(steps, seed=3)))
    knees = [SMPL22.index("left_knee"), SMPL22.index("right_knee")]
    turn = rotation.angle(fixed.rotations[1:, knees], fixed.rotations[:-1, knees])
    assert turn.max() < 0.5
    assert max(physics.wrong_bends(fixed).values()) == 0


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_the_shortest_motions_survive(frames):
    motion = Motion(rotation.identity(frames, 22), torch.tensor((0.0, REST_HEIGHT, 0.0)).repeat(frames, 1), 30.0)
    fixed = feet.lock(feet.steady(motion))
    assert fixed.frames == frames and bool(fixed.rotations.isfinite().all())
