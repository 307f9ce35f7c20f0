import math
from dataclasses import replace

import pytest
import torch

from core.metrics import physics
from core.motion import kinematics, rotation
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.postprocess import hands
from core.types import Motion

LEFT = tuple(SMPL22.index(f"left_{joint}") for joint in ("shoulder", "elbow", "wrist"))
RIGHT = [SMPL22.index(f"right_{joint}") for joint in ("shoulder", "elbow", "wrist")]
FPS = 30.0


def standing(frames, outward=30.0):
    """A body whose arms hang, by ``outward`` degrees from straight down."""
    rotations = rotation.identity(frames, 22)
    down = torch.full((frames,), math.radians(90 - outward))
    rotations[:, LEFT[0]] = rotation.about("z", -down)
    rotations[:, RIGHT[0]] = rotation.about("z", down)
    return Motion(rotations, torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(frames, 1), FPS)


def reaching(goal, frames=120):
    """A body whose left wrist goes to ``goal``, metres, in the middle of four seconds, and back."""
    motion = standing(frames)
    start = kinematics.forward(motion.rotations, motion.root)[:, LEFT[2]]
    share = torch.sin(math.pi * torch.arange(frames) / (frames - 1)).square()[:, None]
    bent = kinematics.two_bone_ik(motion.rotations, motion.root, start + share * (torch.tensor(goal) - start), LEFT)
    return replace(motion, rotations=bent)


def depth(motion):
    """How deep (t,) the arms are in the body, metres."""
    _, sizes = hands._around(*kinematics.forward_global(motion.rotations, motion.root))
    return (sizes.new_tensor(hands._RADII) - sizes).flatten(1).amax(1)


def wrist(motion):
    return kinematics.forward(motion.rotations, motion.root)[:, LEFT[2]]


INTO = {"the belly": (0.06, 1.15, 0.07), "the back": (0.06, 1.1, -0.09), "the thigh": (0.10, 0.72, 0.06)}


@pytest.mark.parametrize("goal", INTO.values(), ids=INTO)
def test_a_hand_that_goes_into_the_body_stays_at_its_surface(goal):
    before = reaching(goal)
    after = hands.clear(before)
    assert 5 < hands.inside(before).sum() < 80, "the check would be empty"
    assert torch.equal(hands.inside(before), depth(before) > 0)
    assert depth(after).max() < 0.007 and depth(after).max() < 0.25 * depth(before).max() + 0.001
    moved = (wrist(after) - wrist(before)).norm(dim=-1)
    assert moved.max() < 0.15
    # it goes and comes without a jolt
    jerks = [physics.mean_jerk(wrist(motion)[:, None].double(), FPS) for motion in (before, after)]
    assert jerks[1] < jerks[0] + 12


def test_all_but_the_arm_and_its_moment_stays_bit_by_bit():
    before = reaching(INTO["the belly"])
    after = hands.clear(before)
    assert after.root is before.root
    changed = (after.rotations != before.rotations).any(-1)
    assert set(changed.any(0).nonzero()[:, 0].tolist()) == set(LEFT[:2])
    first, last = hands.inside(before).nonzero()[:, 0][[0, -1]].tolist()
    moment = changed.any(1).nonzero()[:, 0]
    fade = round(0.32 * FPS)
    assert first - fade <= moment[0] < first and last < moment[-1] <= last + fade
    far = reaching((0.3, 1.2, 0.3))
    assert hands.clear(far) is far


def test_the_push_begins_and_ends_gently():
    before = reaching(INTO["the belly"])
    moved = (wrist(hands.clear(before)) - wrist(before)).norm(dim=-1)
    some = moved.nonzero()[:, 0]
    assert moved[some[0]] < 0.002 and moved[some[-1]] < 0.002 < moved.max()


def test_the_trunk_is_wider_than_it_is_deep():
    """A hand 11 cm beside the spine is inside, and one 11 cm before it is not."""
    centre = kinematics.forward(rotation.identity(1, 22), torch.tensor([[0.0, REST_HEIGHT, 0.0]]))[0]
    spine, neck = centre[SMPL22.index("pelvis")], centre[SMPL22.index("neck")]
    for way, expected in (((1.0, 0.0, 0.0), True), ((0.0, 0.0, 1.0), False)):
        # the whole arm beyond the wrist lies on a line that leaves the spine
        out = torch.tensor(way)
        at = torch.lerp(spine, neck, 0.5) + 0.11 * out
        turns = rotation.identity(1, 22)
        places = torch.full((1, 22, 3), 5.0)
        for joint, place in ((0, spine), (SMPL22.index("neck"), neck)):
            places[0, joint] = place
        places[0, LEFT[2]] = at
        places[0, LEFT[1]] = at + 0.25 * out
        turns[0, LEFT[2]] = rotation.between(torch.tensor((1.0, 0.0, 0.0)), out)
        _, sizes = hands._around(turns, places)
        assert bool((sizes[0, 0, :, 0] < hands.TRUNK).any()) is expected


def test_arms_that_hang_are_inside_the_thighs_only_when_they_are_pressed_to_them():
    assert hands.inside(standing(2, outward=0.0)).all() and not hands.inside(standing(2, outward=10.0)).any()


def test_an_arm_that_is_held_stays_and_the_push_fades_beside_it():
    before = reaching(INTO["the thigh"])
    hold = torch.zeros(before.frames, 22, dtype=torch.bool)
    hold[:60, LEFT[2]] = True
    after = hands.clear(before, hold)
    assert torch.equal(after.rotations[:60], before.rotations[:60])
    moved = (wrist(after) - wrist(before)).norm(dim=-1)
    assert moved.max() > 0.01 and moved.diff().abs().max() < 0.02


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_motions_survive(frames):
    assert hands.clear(standing(frames, 0.0)).frames == frames
