import numpy as np
import pytest
import torch

from core.motion import contact, kinematics, rotation
from core.motion.skeleton import FOOT_JOINTS, REST_HEIGHT, SMPL22
from core.types import Motion

REST = SMPL22.rest_positions() + torch.tensor([0.0, REST_HEIGHT, 0.0])


def stepping(fps: float, lift: float = 0.15) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions (t, j, 3) of 4 s with the left foot swinging forward from 1 and from 2.5 s; whether in the air (t,)."""
    time = torch.arange(int(4 * fps)) / fps
    places = REST.expand(len(time), 22, 3).clone()
    in_air = torch.zeros(len(time), dtype=torch.bool)
    for start in (1.0, 2.5):
        phase = ((time - start) / 0.5).clamp(0, 1)
        places[:, 7, 1] += lift * torch.sin(torch.pi * phase)
        places[:, 10, 1] += lift * torch.sin(torch.pi * phase)
        places[:, (7, 10), 2] += 0.5 * (phase * phase * (3 - 2 * phase))[:, None]
        in_air |= (phase > 0) & (phase < 1)
    return places, in_air


@pytest.mark.parametrize("fps", (30.0, 60.0))
def test_a_foot_is_on_the_floor_except_while_it_swings(fps):
    places, in_air = stepping(fps)
    stands = contact.label(places, fps)
    assert stands[:, 2:].min() == 1  # the right foot never moves
    for foot in (0, 1):
        wrong = (stands[:, foot] == 0) != in_air
        assert wrong.float().mean() < 0.06
        assert (stands[:, foot].diff() != 0).sum() == 4  # two swings: off and on, no flicker


def test_noise_at_the_threshold_does_not_flicker():
    fps = 30.0
    places, _ = stepping(fps)
    noise = 0.004 * torch.randn(places.shape, generator=torch.Generator().manual_seed(0))
    stands = contact.label(places + noise, fps)
    assert (stands[:, :2].diff(dim=0) != 0).sum(0).max() <= 4
    assert stands[:, 2:].min() == 1


def test_a_foot_sliding_along_or_hovering_is_not_in_contact():
    fps = 30.0
    time = torch.arange(60) / fps
    sliding = REST.expand(60, 22, 3).clone()
    sliding[:, FOOT_JOINTS, 0] += time[:, None] * 1.0
    assert contact.label(sliding, fps).max() == 0
    hovering = REST.expand(60, 22, 3) + torch.tensor([0.0, 0.1, 0.0])
    assert contact.label(hovering, fps).max() == 0
    assert contact.label(REST.expand(1, 22, 3), fps).tolist() == [[1, 1, 1, 1]]


@pytest.mark.parametrize("height", (-0.08, 0.0, 0.13))
def test_the_floor_is_found_under_a_hovering_dancer(height):
    frames, fps = 120, 30.0
    rotations = rotation.identity(frames, 22)
    bend = 0.7 * torch.sin(torch.linspace(0, 9, frames)).clamp_min(
        0
    )  # the left knee is drawn up, four tenths of the time
    rotations[:, 1], rotations[:, 4] = rotation.about("x", -bend), rotation.about("x", 2 * bend)
    root = torch.tensor([0.0, REST_HEIGHT + height, 0.0]).repeat(frames, 1)
    root[50:58, 1] += 0.2 * torch.sin(torch.linspace(0, 3.14, 8))  # a hop
    fixed = contact.fix_floor(Motion(rotations, root, fps))
    np.testing.assert_allclose(fixed.root[0], [0.0, REST_HEIGHT, 0.0], atol=2e-3)
    assert contact.label(kinematics.forward(fixed.rotations, fixed.root), fps)[:45, 2:].min() == 1
