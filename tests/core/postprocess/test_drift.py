import math
from dataclasses import replace

import pytest
import torch

from core.motion import kinematics, rotation
from core.postprocess import drift
from core.types import Motion


def drifting(seconds, speed, turning, fps=30.0):
    """A body that glides forward at ``speed`` m/s and turns by ``turning`` rad/s, with a dancer's sway on top."""
    time = torch.arange(round(seconds * fps)) / fps
    heading = turning * time
    sway = 0.15 * torch.sin(2 * math.pi * 0.5 * time)
    steps = speed / fps * torch.stack((heading.sin(), torch.zeros_like(time), heading.cos()), -1)
    root = steps.cumsum(0) + torch.stack((sway, 0.9 + 0 * time, 0 * time), -1)
    rotations = rotation.identity(len(time), 22)
    rotations[:, 0] = rotation.about("y", heading)
    return Motion(rotations, root, fps)


def test_minutes_of_drift_are_removed():
    before = drifting(240, 0.08, 0.05)
    after = drift.keep(drifting(240, 0.08, 0.05))
    assert (before.root - before.root[0])[:, (0, 2)].norm(dim=-1).max() > 3
    assert (after.root - after.root[0])[:, (0, 2)].norm(dim=-1).max() < 2.5
    facing = rotation.yaw(after.rotations[:, 0])
    assert facing.abs().mean() < math.radians(45)
    assert torch.equal(after.root[:, 1], before.root[:, 1])


def test_no_point_of_the_body_is_dragged_fast():
    before = drifting(60, 0.3, 0.3)
    after = drift.keep(before)
    speeds = []
    for motion in (before, after):
        feet = kinematics.forward(motion.rotations, motion.root)[:, (10, 11)]
        local = rotation.rotate(rotation.conjugate(motion.rotations[1:, None, 0]), feet.diff(dim=0))
        speeds.append(local * motion.fps)
    assert (speeds[1] - speeds[0]).norm(dim=-1).max() < 0.2  # metres a second, as the body sees it


def test_who_stays_is_left_alone_and_the_first_frame_stays(steps):
    at_home = replace(steps, root=steps.root + torch.tensor((3.0, 0.0, -2.0)))
    after = drift.keep(at_home)
    assert torch.allclose(after.root, at_home.root, atol=1e-4)
    assert rotation.angle(after.rotations, at_home.rotations).max() < 1e-2
    turned = drifting(20, 0.5, 1.0)
    assert torch.allclose(drift.keep(turned).root[0], turned.root[0], atol=1e-6)


def test_a_spin_is_not_unwound():
    """Two full turns in two seconds, then facing the front again: nothing to correct."""
    fps = 30.0
    time = torch.arange(600) / fps
    heading = 4 * math.pi * ((time - 8) / 2).clamp(0, 1)
    rotations = rotation.identity(600, 22)
    rotations[:, 0] = rotation.about("y", heading)
    after = drift.keep(Motion(rotations, torch.zeros(600, 3), fps))
    assert rotation.angle(after.rotations[:, 0], rotations[:, 0]).max() < math.radians(5)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_motions_survive(frames):
    motion = Motion(rotation.identity(frames, 22), torch.ones(frames, 3), 30.0)
    assert torch.allclose(drift.keep(motion).root, motion.root)
