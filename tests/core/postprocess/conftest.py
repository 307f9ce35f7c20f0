import math

import pytest
import torch

from core.motion import kinematics, rotation
from core.motion.skeleton import LEFT_LEG, REST_HEIGHT, RIGHT_LEG, SMPL22
from core.types import Motion


def _stepping(seconds: float = 12.0, fps: float = 31.25, stride: float = 0.0) -> Motion:
    """Steps from foot to foot, one a second, built by inverse kinematics: standing feet stand exactly still.

    stride: metres forward a step; without, the dancer steps on the spot and to the sides.
    """
    frames = round(seconds * fps)
    time = torch.arange(frames, dtype=torch.float64) / fps
    rotations = rotation.identity(frames, 22, like=time)
    swing = 0.5 * torch.sin(math.pi * time)
    for name, sign in (("left_shoulder", -1), ("right_shoulder", 1)):
        rotations[:, SMPL22.index(name)] = rotation.from_euler(
            torch.stack((swing * sign, torch.full_like(swing, 1.2 * sign)), -1), "YZ"
        )
    rotations[:, SMPL22.index("left_elbow")] = rotation.about("y", -0.8 + 0.3 * swing)
    rotations[:, SMPL22.index("right_elbow")] = rotation.about("y", 0.8 + 0.3 * swing)
    forward = stride * time
    bounce = 0.02 * torch.cos(2 * math.pi * time)
    root = torch.stack((0.05 * torch.sin(math.pi * time), REST_HEIGHT - 0.05 + bounce, forward), -1)
    for leg, phase, side in ((LEFT_LEG, 0.0, 1), (RIGHT_LEG, 1.0, -1)):
        step = (time + phase) / 2  # one step of this foot every two seconds, of which it swings 0.7
        whole, part = step.floor(), (step % 1) * 2
        moved = (part / 0.7).clamp(0, 1)
        moved = moved * moved * moved * (10 - 15 * moved + 6 * moved * moved)
        lift = 0.10 * torch.sin(math.pi * (part / 0.7).clamp(0, 1)).square()
        start, end = ((whole + shift) * 2 - phase for shift in (0.0, 1.0))
        place = torch.stack(
            (
                torch.full_like(step, 0.085 * side),
                0.08 + lift,
                stride * (start + (end - start) * moved),
            ),
            -1,
        )
        rotations = kinematics.two_bone_ik(rotations, root, place, leg)
    return Motion(rotations.float(), root.float(), fps)


@pytest.fixture(scope="session")
def stepping():
    return _stepping


@pytest.fixture(scope="session")
def steps() -> Motion:
    return _stepping()
