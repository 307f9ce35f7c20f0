from dataclasses import replace

import pytest
import torch

from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22
from core.postprocess.join import REACH, eased, join
from core.postprocess.smooth import lowpass
from core.types import Motion

ELBOW = SMPL22.index("left_elbow")
ARM = "shoulder", "elbow", "wrist"


def joined(swaying, fps):
    """A motion with two seconds of another one in it: the angles (t,) between them at one joint, and where it is."""
    base = swaying(round(6 * fps), fps)
    times = torch.arange(base.frames) / fps
    away = 0.2 * torch.sin(2 * times + 1) + 0.1 * torch.sin(5 * times)
    rotations = base.rotations.clone()
    rotations[:, ELBOW] = rotation.mul(rotations[:, ELBOW], rotation.about("z", away))
    free = (times >= 2) & (times < 4)
    hold = ~free[:, None].expand(-1, SMPL22.joints)
    motion = eased(join(replace(base, rotations=rotations), base, hold), hold)
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


def jolting(base, free):
    """The base with small jolts of the elbow and of the root in free frames (t,) bool."""
    jolts = 0.05 * torch.randn(base.frames, 2, generator=torch.Generator().manual_seed(0)) * free[:, None]
    rotations, root = base.rotations.clone(), base.root.clone()
    rotations[:, ELBOW] = rotation.mul(rotations[:, ELBOW], rotation.about("z", jolts[:, 0]))
    root[:, 0] += jolts[:, 1]
    return replace(base, rotations=rotations, root=root)


def test_jolts_are_taken_out_beside_a_seam_and_nowhere_else(swaying):
    base = swaying(180, 30.0)
    free = (torch.arange(180) >= 60) & (torch.arange(180) < 120)
    made, hold = jolting(base, free), ~free[:, None].expand(-1, SMPL22.joints)
    motion = eased(made, hold)
    assert torch.equal(motion.rotations[~free], base.rotations[~free]) and torch.equal(
        motion.root[~free], base.root[~free]
    )
    reach = round(REACH * 30)
    far = slice(60 + reach, 120 - reach)
    assert torch.allclose(motion.root[far], made.root[far], atol=1e-3)
    assert float(rotation.angle(motion.rotations[far], made.rotations[far]).max()) < 3e-3
    for frame in (60, 119):
        near = slice(frame - 3, frame + 4)
        before, after = (float(one.root[near].diff(n=3, dim=0).norm(dim=-1).max()) for one in (made, motion))
        assert after < 0.5 * before
        before, after = (
            float(rotation.continuous(one.rotations)[near, ELBOW].diff(n=3, dim=0).norm(dim=-1).max())
            for one in (made, motion)
        )
        assert after < 0.5 * before


def test_a_movement_without_jerk_is_not_changed(swaying):
    """A throw has none, whatever the frame rate."""
    for fps in (30.0, 120.0):
        base = swaying(round(4 * fps), fps)
        time = torch.arange(base.frames, dtype=torch.float64) / fps
        thrown = torch.stack((2 * time, 1 + 3 * time - time.square(), 0 * time), -1).float()
        motion = replace(base, root=thrown)
        hold = ((time < 1) | (time >= 3))[:, None].expand(-1, SMPL22.joints)
        assert torch.allclose(eased(motion, hold).root, thrown, atol=1e-4)


def test_jitter_of_what_is_held_does_not_swing_beyond_the_seam(swaying):
    """A made motion that is off by 2 cm on average, and by 5 mm of jitter: what fades out is no larger than that."""
    base = swaying(240, 30.0)
    time = torch.arange(240) / 30
    jitter = 0.005 * torch.sin(2 * torch.pi * 7 * time + 1.0)
    made = replace(base, root=base.root + torch.stack((0 * time, 0.02 + jitter, 0 * time), -1))
    for phase in range(4):
        hold = (time < 3 + phase / 30)[:, None].expand(-1, SMPL22.joints)
        swing = (join(made, base, hold).root - made.root)[~hold[:, 0], 1]
        assert float(swing.abs().max()) < 0.03


def test_a_trunk_that_is_made_anew_does_not_jolt_with_kept_hips(swaying):
    base = swaying(180, 30.0)
    jolts = 0.05 * torch.randn(180, generator=torch.Generator().manual_seed(0))
    rotations = base.rotations.clone()
    rotations[:, 0] = rotation.mul(rotation.about("y", jolts), rotations[:, 0])
    free = (torch.arange(180) >= 60) & (torch.arange(180) < 120)
    hold = ~free[:, None].expand(-1, SMPL22.joints).clone()
    hold[:, 0] = True
    kept = replace(base, rotations=rotations)
    motion = eased(kept, hold)
    assert torch.equal(motion.rotations[hold], kept.rotations[hold]) and torch.equal(motion.root, kept.root)
    spine = SMPL22.index("spine1")
    for near in (slice(60, 64), slice(116, 120)):
        jerks = [
            float(rotation.continuous(turns)[near, spine].diff(n=3, dim=0).norm(dim=-1).max())
            for turns in (kinematics.forward_global(one.rotations, one.root)[0] for one in (kept, motion))
        ]
        assert jerks[1] < 0.4 * jerks[0]


def test_hands_that_are_made_anew_do_not_jolt_with_a_kept_trunk():
    """It bows quickly, and the arm is stretched to the side."""
    root, arm = torch.tensor((0.0, 0.95, 0.0)).expand(180, 3), [SMPL22.index(f"left_{j}") for j in ARM]
    hold, spine, jolts = torch.ones(180, SMPL22.joints, dtype=torch.bool), SMPL22.index("spine1"), []
    hold[60:120, arm] = False
    for seed in range(6):
        noise = torch.randn(180, generator=torch.Generator().manual_seed(seed))
        bow = lowpass(noise, 30.0, 4.0) - lowpass(noise, 30.0, 1.0)
        rotations = rotation.identity(180, SMPL22.joints)
        rotations[:, spine] = rotation.about("x", 0.1 * bow / bow.std())
        kept = Motion(rotations, root, 30.0)
        motion = eased(kept, hold)
        assert torch.equal(motion.rotations[hold], kept.rotations[hold]) and torch.equal(motion.root, kept.root)
        before, after = (kinematics.forward(one.rotations, one.root)[:, arm] for one in (kept, motion))
        assert float((after - before)[60 + round(REACH * 30) : 120 - round(REACH * 30)].norm(dim=-1).max()) < 2e-3
        thrown = [places[:, 1:].diff(n=3, dim=0).norm(dim=-1).amax(1) for places in (before, after)]
        jolts += [[one[near].max() for one in thrown] for near in (slice(58, 60), slice(117, 119))]
    before, after = torch.tensor(jolts).mean(0)
    assert after < 0.7 * before


def test_beside_seams_frames_far_from_them_change_nothing(swaying):
    """Whether a stretch is eased alone or within a longer one, it comes out the same."""
    base = swaying(400, 30.0)
    free = (torch.arange(400) >= 150) & (torch.arange(400) < 250)
    made, hold = jolting(base, free), ~free[:, None].expand(-1, SMPL22.joints)
    whole, part = eased(made, hold), slice(120, 280)
    alone = eased(replace(made, rotations=made.rotations[part], root=made.root[part], contacts=None), hold[part])
    assert torch.allclose(whole.rotations[part], alone.rotations, atol=1e-5)
    assert torch.allclose(whole.root[part], alone.root, atol=1e-6)
    assert torch.equal(whole.root[170:230], made.root[170:230]) and not torch.equal(whole.root[part], made.root[part])
    nothing = torch.zeros_like(hold)
    assert eased(made, nothing) is made
