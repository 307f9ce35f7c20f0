from dataclasses import replace

import pytest
import torch

from core.motion import rotation
from core.motion.skeleton import SMPL22
from core.postprocess.join import join

ELBOW = SMPL22.index("left_elbow")


def joined(swaying, fps):
    """A motion with two seconds of another one in it: the angles (t,) between them at one joint, and where it is."""
    base = swaying(round(6 * fps), fps)
    times = torch.arange(base.frames) / fps
    away = 0.2 * torch.sin(2 * times + 1) + 0.1 * torch.sin(5 * times)
    rotations = base.rotations.clone()
    rotations[:, ELBOW] = rotation.mul(rotations[:, ELBOW], rotation.about("z", away))
    free = (times >= 2) & (times < 4)
    hold = ~free[:, None].expand(-1, SMPL22.joints)
    motion = join(replace(base, rotations=rotations), base, hold)
    found = rotation.mul(rotation.conjugate(base.rotations[:, ELBOW]), motion.rotations[:, ELBOW])
    return rotation.to_axis_angle(found)[:, 2].double(), away.double(), free


def test_what_is_held_stays_and_what_is_made_comes_within_the_blend(swaying):
    found, away, free = joined(swaying, 60.0)
    assert float(found[~free].abs().max()) < 1e-6
    middle = slice(round(2.9 * 60), round(3.1 * 60))
    assert torch.allclose(found[middle], away[middle], atol=0.02)


@pytest.mark.parametrize("edge", [2.0, 4.0])
def test_acceleration_runs_on_across_a_seam(swaying, edge):
    """A jump of acceleration would make a jerk that grows with the frame rate."""
    jerks = []
    for fps in (30.0, 120.0):
        found, _, _ = joined(swaying, fps)
        near = slice(round((edge - 0.3) * fps), round((edge + 0.3) * fps))
        jerks.append(float(found.diff(n=3)[near].abs().max()) * fps**3)
    assert jerks[1] < 1.6 * jerks[0]
