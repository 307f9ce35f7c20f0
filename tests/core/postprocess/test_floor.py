"""Bodies in the floor come out of it, and others stay as they are."""

import math

import torch

from core.motion import kinematics, rotation
from core.motion.skeleton import LEFT_LEG, REST_HEIGHT, RIGHT_LEG, SMPL22
from core.postprocess import floor
from core.types import Motion

FRAMES, FPS = 90, 30.0
LEGS = (LEFT_LEG, RIGHT_LEG)


def kneeling(depth: float) -> Motion:
    """A body that goes down on its knees and up again. Half way, they are so deep in the floor, and its ankles are not.

    depth: metres.
    """
    down = torch.sin(math.pi * torch.arange(FRAMES) / (FRAMES - 1)).square()
    angles = torch.zeros(FRAMES, SMPL22.joints, 3)
    for _, knee, _ in LEGS:
        angles[:, knee, 0] = math.radians(130) * down
    rotations, root = rotation.from_axis_angle(angles), torch.zeros(FRAMES, 3)
    knees = kinematics.forward(rotations, root)[:, LEFT_LEG[1], 1]
    root[:, 1] = REST_HEIGHT + (-depth - knees - REST_HEIGHT) * down
    return Motion(rotations, root, FPS, torch.zeros(FRAMES, 4))


def places(motion: Motion) -> torch.Tensor:
    return kinematics.forward(motion.rotations, motion.root)


def test_knees_come_out_of_the_floor_and_ankles_stay():
    motion = kneeling(0.15)
    before = places(motion)
    assert float(before[:, LEFT_LEG[1], 1].min()) < -0.14
    made = floor.above(motion)
    after = places(made)
    knees = [leg[1] for leg in LEGS]
    assert float(after[:, knees, 1].min()) > -0.01
    ankles = [leg[2] for leg in LEGS]
    assert float((after - before)[:, ankles].norm(dim=-1).max()) < 0.01
    bones = [places(one)[:, LEFT_LEG[1]] - places(one)[:, LEFT_LEG[2]] for one in (motion, made)]
    torch.testing.assert_close(bones[0].norm(dim=-1), bones[1].norm(dim=-1))
    rise = (made.root - motion.root)[:, 1]
    assert float(rise.min()) >= 0 and float(rise.diff(n=2).abs().max()) * FPS**2 < 40  # it is smooth
    assert float(rise[:10].max()) < 1e-4  # nobody was in the floor there


def test_a_body_above_the_floor_is_not_touched():
    motion = kneeling(-0.1)
    made = floor.above(motion)
    assert torch.equal(made.rotations, motion.rotations) and torch.equal(made.root, motion.root)


def test_what_is_held_stays():
    motion, hold = kneeling(0.15), torch.zeros(FRAMES, SMPL22.joints, dtype=torch.bool)
    hold[:50] = True
    made = floor.above(motion, hold)
    assert torch.equal(made.root[:50], motion.root[:50])
    assert torch.equal(made.rotations[:50], motion.rotations[:50])
    assert float((made.root - motion.root)[55:60, 1].min()) > 0.02


def test_the_shortest_motions_survive():
    motion = kneeling(0.15)
    for frames in (1, 2, 3, 5):
        short = Motion(motion.rotations[44 : 44 + frames], motion.root[44 : 44 + frames], FPS)
        assert floor.above(short).root.shape == (frames, 3)
