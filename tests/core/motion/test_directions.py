import math

import pytest
import torch

from core.motion import directions, kinematics, rotation
from core.motion.kinematics import mirror
from core.motion.skeleton import MIRROR, SMPL22
from core.types import Motion


def posed(**turns) -> torch.Tensor:
    """Local rotations (1, 22, 4) with the named joints turned by axis angles."""
    rotations = rotation.identity(1, 22)
    for name, turn in turns.items():
        rotations[0, SMPL22.index(name)] = rotation.from_axis_angle(torch.tensor(turn))
    return rotations


def degrees_apart(a, b, *names) -> float:
    at = [SMPL22.index(name) for name in names] or slice(None)
    return math.degrees(float(rotation.angle(a, b)[:, at].max()))


def test_the_rest_pose_is_the_rest_pose():
    rest = posed()
    assert degrees_apart(directions.to_rotations(directions.from_rotations(rest)), rest) < 0.1
    torch.testing.assert_close(directions.positions(directions.from_rotations(rest))[0], SMPL22.rest_positions())


@pytest.mark.parametrize("side", ("left", "right"))
def test_limbs_that_fold_as_hinges_get_all_their_turns_back(side):
    """A raised arm turned about itself, with its elbow bent; a thigh turned out, with its knee bent."""
    sign = 1 if side == "left" else -1
    rotations = posed(
        pelvis=(0.2, 0.9, -0.1),
        spine3=(0.1, -0.3, 0.2),
        **{
            f"{side}_shoulder": (0.9, 0.4 * sign, 0.5 * sign),
            f"{side}_elbow": (0.0, -1.2 * sign, 0.0),
            f"{side}_hip": (-0.8, 0.6 * sign, 0.3 * sign),
            f"{side}_knee": (1.1, 0.0, 0.0),
            f"{side}_ankle": (0.3, 0.0, 0.0),
        },
    )
    found = directions.to_rotations(directions.from_rotations(rotations))
    limbs = [f"{side}_{part}" for part in ("shoulder", "elbow", "hip", "knee", "ankle")]
    assert degrees_apart(found, rotations, "pelvis", *limbs) < 0.1


def test_a_straight_leg_looks_where_its_toes_point():
    rotations = posed(left_hip=(0.0, 0.8, 0.0))
    found = directions.to_rotations(directions.from_rotations(rotations))
    assert degrees_apart(found, rotations, "left_hip", "left_knee", "left_ankle") < 1


def test_the_twist_of_the_back_is_shared_by_the_spine():
    rotations = posed(spine3=(0.0, 0.9, 0.0))
    found = directions.to_rotations(directions.from_rotations(rotations))
    turns = [float(rotation.angle(found[0, SMPL22.index(name)], rotation.identity())) for name in SMPL22.names[3:10:3]]
    assert all(0.2 < turn < 0.4 for turn in turns), turns


def test_a_leg_does_not_turn_round_when_capture_bends_its_knee_slightly_backwards():
    fold = torch.linspace(-0.08, 0.6, 200)
    rotations = posed().repeat(200, 1, 1)
    rotations[:, SMPL22.index("left_knee")] = rotation.about("x", fold)
    found = directions.to_rotations(directions.from_rotations(rotations))
    hips = found[:, SMPL22.index("left_hip")]
    assert float(rotation.angle(hips, rotation.identity()).max()) < math.radians(1)


def test_fitting_and_mirroring_commute(swaying):
    motion = swaying(60)
    flip = torch.tensor((-1.0, 1.0, 1.0))
    own = directions.from_rotations(motion.rotations)
    bones = [joint - 1 for joint in MIRROR[1:]]
    torch.testing.assert_close(directions.from_rotations(mirror(motion).rotations), own[:, bones] * flip)
    fitted = Motion(directions.to_rotations(own), motion.root, motion.fps)
    other = directions.to_rotations(own[:, bones] * flip)
    assert degrees_apart(mirror(fitted).rotations, other) < 0.1


def test_bones_that_do_not_agree_still_give_a_body():
    """What a network draws: hips that are no longer one rigid bone. All limbs keep their directions."""
    generator = torch.Generator().manual_seed(0)
    drawn = directions.from_rotations(posed()) + 0.1 * torch.randn(50, 21, 3, generator=generator)
    unit = drawn / drawn.norm(dim=-1, keepdim=True)
    again = directions.from_rotations(directions.to_rotations(drawn))
    apart = (again * unit).sum(-1).clamp(-1, 1).acos()
    rigid = [
        SMPL22.index(name) - 1 for name in ("left_hip", "right_hip", "spine1", "neck", "left_collar", "right_collar")
    ]
    free = [bone for bone in range(21) if bone not in rigid]
    assert apart[:, free].max() < 1e-2 and apart[:, rigid].mean() < 0.2
    assert kinematics.forward(directions.to_rotations(drawn), torch.zeros(50, 3)).isfinite().all()


def test_gradients_are_finite_where_directions_vanish():
    drawn = torch.zeros(3, 21, 3, requires_grad=True)
    (directions.to_rotations(drawn).sum() + directions.positions(drawn).sum()).backward()
    assert torch.isfinite(drawn.grad).all()
