import math

import pytest
import torch

from core.metrics.physics import wrong_bends
from core.motion import rotation
from core.motion.skeleton import SMPL22
from core.postprocess import joints
from core.types import Motion

# the local rotation that folds the joint by a positive angle
FOLDS = {"left_knee": ("x", 1), "right_knee": ("x", 1), "left_elbow": ("y", -1), "right_elbow": ("y", 1)}


def sweep(joint, angles):
    """One joint turned about its hinge through ``angles``, with a little twist of the lower bone."""
    axis, sign = FOLDS[joint]
    rotations = rotation.identity(len(angles), 22)
    twist = "y" if joint.endswith("knee") else "x"
    rotations[:, SMPL22.index(joint)] = rotation.mul(
        rotation.about(axis, sign * angles), rotation.about(twist, torch.full_like(angles, 0.3))
    )
    return Motion(rotations, torch.zeros(len(angles), 3), 30.0)


@pytest.mark.parametrize("joint", FOLDS)
def test_backward_bends_are_straightened_and_folds_are_left_alone(joint):
    angles = torch.linspace(-1.2, 2.4, 361)
    before = sweep(joint, angles)
    after = joints.limit(before)
    assert wrong_bends(before)[joint] > 0.2
    assert wrong_bends(after)[joint] == 0
    folded = angles > math.radians(3)
    assert torch.equal(after.rotations[folded], before.rotations[folded])
    others = [j for j in range(22) if j != SMPL22.index(joint)]
    assert torch.equal(after.rotations[:, others], before.rotations[:, others])


@pytest.mark.parametrize("joint", FOLDS)
def test_stops_are_soft(joint):
    after = joints.limit(sweep(joint, torch.linspace(-1.2, 2.4, 361))).rotations[:, SMPL22.index(joint)]
    steps = rotation.angle(after[1:], after[:-1])
    assert steps.max() < 0.0105  # the sweep itself turns by 0.01 a frame
    assert steps.diff().abs().max() < 0.003


def test_knees_do_not_bend_sideways():
    rotations = rotation.identity(61, 22)
    rotations[:, SMPL22.index("left_knee")] = rotation.about("z", torch.linspace(-1, 1, 61))
    after = joints.limit(Motion(rotations, torch.zeros(61, 3), 30.0)).rotations[:, SMPL22.index("left_knee")]
    shin = rotation.rotate(after, torch.tensor((0.0, -1.0, 0.0)))
    assert shin[:, 0].abs().max() < math.sin(math.radians(25)) + 1e-3
