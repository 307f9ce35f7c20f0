import dataclasses

import numpy as np
import pytest
import torch

from core.motion import kinematics, rotation
from core.motion.kinematics import mirror
from core.motion.skeleton import FOOT_HEIGHTS, FOOT_JOINTS, LEFT_LEG, MIRROR, REST_HEIGHT, RIGHT_LEG, SMPL22

REST = rotation.identity(22)
ROOT = torch.tensor([0.0, REST_HEIGHT, 0.0])


def test_the_dancer_at_rest_is_a_well_proportioned_adult_on_the_floor():
    places = kinematics.forward(REST, ROOT)
    tips = kinematics.tips(REST, ROOT)
    assert abs(tips["head"][1] - 1.70) < 1e-5
    np.testing.assert_allclose(places[list(FOOT_JOINTS), 1], FOOT_HEIGHTS, atol=1e-6)
    span = tips["left_wrist"][0] - tips["right_wrist"][0]
    assert 0.95 < span / 1.70 < 1.06  # arm span is about body height
    assert tips["left_wrist"][0] > 0 and tips["left_foot"][2] > 0  # left at +x, facing +z
    np.testing.assert_allclose(places[list(MIRROR)], places * torch.tensor([-1.0, 1, 1]), atol=1e-6)
    assert all(parent < joint for joint, parent in enumerate(SMPL22.parents))
    np.testing.assert_allclose(places - ROOT, SMPL22.rest_positions(), atol=1e-6)


def test_forward_kinematics_agrees_with_chained_homogeneous_matrices(swaying):
    motion = swaying(40)
    turns, places = kinematics.forward_global(motion.rotations, motion.root)
    chained = []
    for joint, parent in enumerate(SMPL22.parents):
        local = torch.zeros(40, 4, 4)
        local[:, :3, :3] = rotation.to_matrix(motion.rotations[:, joint])
        local[:, :3, 3] = motion.root if parent < 0 else SMPL22.offsets[joint]
        local[:, 3, 3] = 1
        chained.append(local if parent < 0 else chained[parent] @ local)
    chained = torch.stack(chained, 1)
    np.testing.assert_allclose(places, chained[..., :3, 3], atol=1e-5)
    np.testing.assert_allclose(rotation.to_matrix(turns), chained[..., :3, :3], atol=1e-5)
    matrices = rotation.to_matrix(motion.rotations)
    np.testing.assert_allclose(kinematics.forward_matrices(matrices, motion.root), places, atol=1e-5)
    assert rotation.angle(kinematics.local_rotations(turns), motion.rotations).max() < 1e-3


def test_leg_reaches_its_target_and_the_foot_keeps_its_orientation(swaying):
    motion = swaying(100)
    turns, places = kinematics.forward_global(motion.rotations, motion.root)
    generator = torch.Generator().manual_seed(0)
    way = torch.nn.functional.normalize(torch.randn(100, 3, generator=generator), dim=-1)
    for chain in (LEFT_LEG, RIGHT_LEG):
        hip, _, ankle = chain
        target = places[:, hip] + way * (0.2 + 0.55 * torch.rand(100, 1, generator=generator))
        solved = kinematics.two_bone_ik(motion.rotations, motion.root, target, chain)
        new_turns, new_places = kinematics.forward_global(solved, motion.root)
        np.testing.assert_allclose(new_places[:, ankle], target, atol=1e-4)
        assert rotation.angle(new_turns[:, ankle], turns[:, ankle]).max() < 2e-3
        others = [joint for joint in range(22) if joint not in chain]
        torch.testing.assert_close(solved[:, others], motion.rotations[:, others])
        torch.testing.assert_close(solved.norm(dim=-1), torch.ones(100, 22))


def test_the_knee_stays_in_the_plane_it_bends_in():
    rotations = REST.clone()
    rotations[1] = rotation.from_axis_angle(torch.tensor([-0.6, 0.3, 0.2]))
    rotations[4] = rotation.from_axis_angle(torch.tensor([1.0, 0.0, 0.0]))
    turns, places = kinematics.forward_global(rotations, ROOT)
    normal = rotation.rotate(turns[4], torch.tensor([1.0, 0.0, 0.0]))  # the hinge
    towards = places[1] + (places[7] - places[1]) * 0.8
    solved = kinematics.two_bone_ik(rotations, ROOT, towards, LEFT_LEG)
    after = kinematics.forward(solved, ROOT)
    assert ((after[4] - after[1]) @ normal).abs() < 1e-5
    hinge = rotation.to_axis_angle(solved[4])
    assert hinge[0] > 1.2 and hinge[1:].abs().max() < 1e-4  # bent further, about the same axis


def test_a_straight_or_slightly_overstretched_knee_bends_forward():
    for bend in (0.0, -0.03, 0.02):
        rotations = REST.clone()
        rotations[4] = rotation.about("x", torch.tensor(bend))
        up = kinematics.forward(rotations, ROOT)[7] + torch.tensor([0.0, 0.15, 0.0])
        solved = kinematics.two_bone_ik(rotations, ROOT, up, LEFT_LEG)
        assert rotation.to_axis_angle(solved[4])[0] > 0.5
        assert kinematics.forward(solved, ROOT)[4, 2] > 0.1


def test_reach_is_soft_and_never_exceeds_the_leg():
    bent = REST.clone()
    bent[1], bent[4] = rotation.about("x", torch.tensor(-0.3)), rotation.about("x", torch.tensor(0.6))
    distance = torch.linspace(0.7, 1.2, 400)
    target = kinematics.forward(bent, ROOT)[1] + distance[:, None] * torch.tensor([0.0, -1.0, 0.0])
    root = ROOT.expand(400, 3)
    places = kinematics.forward(kinematics.two_bone_ik(bent.expand(400, 22, 4), root, target, LEFT_LEG), root)
    reached = (places[:, 7] - places[:, 1]).norm(dim=-1)
    np.testing.assert_allclose(reached[distance < 0.79], distance[distance < 0.79], atol=1e-5)
    assert reached.max() < 0.8 + 1e-5
    steps = reached.diff() / distance.diff()
    assert steps.min() > -2e-3 and steps.diff().abs().max() < 0.2  # no snap at full stretch
    drop = places[:, 7] - places[:, 1]
    assert (drop[:, :1].abs().max() < 1e-4) and (drop[:, 1] < 0).all()


def test_gradients_are_finite_through_kinematics_of_a_straight_leg():
    rotations = REST.clone().requires_grad_()
    target = torch.tensor([0.085, 0.08, 0.0], requires_grad=True)
    kinematics.forward(kinematics.two_bone_ik(rotations, ROOT, target, LEFT_LEG), ROOT).square().sum().backward()
    assert torch.isfinite(rotations.grad).all() and torch.isfinite(target.grad).all()


def test_the_mirror_image_is_a_reflection_and_its_own_inverse(swaying):
    motion = swaying(30)
    image = mirror(motion)
    seen = kinematics.forward(image.rotations, image.root)
    there = kinematics.forward(motion.rotations, motion.root)[:, list(MIRROR)] * torch.tensor([-1.0, 1, 1])
    np.testing.assert_allclose(seen, there, atol=1e-5)
    assert torch.equal(image.contacts[:, :2], motion.contacts[:, 2:])
    again = mirror(image)
    assert torch.equal(again.rotations, motion.rotations) and torch.equal(again.contacts, motion.contacts)


def test_gradients_flow_after_a_call_in_inference_mode():
    other = dataclasses.replace(SMPL22, names=tuple(f"{name}'" for name in SMPL22.names))  # not seen before
    turns = REST.clone().requires_grad_()
    with torch.inference_mode():
        kinematics.forward(REST, ROOT, other)
    kinematics.forward(turns, ROOT, other).square().sum().backward()
    assert turns.grad is not None and turns.grad.abs().sum() > 0


@pytest.mark.parametrize("batch", [(5,), (2, 5)])
def test_offsets_may_be_those_of_a_skeleton_or_of_every_frame(batch):
    turns, root = rotation.normalise(torch.randn(*batch, 22, 4)), torch.randn(*batch, 3)
    places = kinematics.forward(turns, root)
    for offsets in (SMPL22.offsets, SMPL22.offsets.expand(*batch, 22, 3)):
        torch.testing.assert_close(kinematics.forward(turns, root, offsets=offsets), places)
