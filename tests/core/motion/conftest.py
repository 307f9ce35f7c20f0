"""Motions with known properties."""

import math

import pytest
import torch

from core.motion import rotation
from core.motion.skeleton import REST_HEIGHT
from core.types import Motion


@pytest.fixture
def swaying():
    """A smooth motion of every joint, walking in an arc while turning twice about the vertical."""

    def make(frames: int = 200, fps: float = 31.25, seed: int = 0) -> Motion:
        generator = torch.Generator().manual_seed(seed)
        time = torch.arange(frames, dtype=torch.float64) / fps
        axis = torch.randn(22, 3, generator=generator, dtype=torch.float64)
        rate = 0.3 + 0.7 * torch.rand(22, 1, generator=generator, dtype=torch.float64)
        phase = 6.28 * torch.rand(22, 1, generator=generator, dtype=torch.float64)
        bend = 0.5 * axis * torch.sin(2 * math.pi * rate * time[:, None, None] + phase)
        rotations = rotation.from_axis_angle(bend)
        turn = rotation.about("y", 4 * math.pi * time / time[-1].clamp_min(1e-9))
        rotations[:, 0] = rotation.mul(turn, rotations[:, 0])
        height = REST_HEIGHT + 0.05 * torch.sin(4 * time)
        root = torch.stack((torch.sin(0.5 * time), height, 0.4 * time), -1)
        contacts = torch.rand(frames, 4, generator=generator).round()
        return Motion(rotations.float(), root.float(), fps, contacts)

    return make
