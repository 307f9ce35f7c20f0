import math

import numpy as np
import pytest
import torch

from core.rhythm import accents


def moving(velocity: torch.Tensor, fps: float, joints: int = 22) -> torch.Tensor:
    """Positions (t, j, 3) of joints that all move at ``velocity`` (t, 3) metres per second."""
    return (velocity / fps).cumsum(0)[:, None] + torch.arange(joints)[:, None] * torch.tensor([0.1, 0.0, 0.0])


def test_directogram_adds_up_displacement_by_direction():
    positions = torch.zeros(3, 3, 2)
    positions[1] = torch.tensor([[1.0, 0.1], [0.1, 2.0], [-3.0, 0.2]])  # towards 6, 87 and 176 degrees
    positions[2] = positions[1]
    found = accents.directogram(positions, bins=12)[:, 0]
    lengths = positions[1].norm(dim=-1)
    expected = torch.zeros(3, 12)
    expected[1, 0], expected[1, 2], expected[1, 5] = lengths
    torch.testing.assert_close(found, expected)


def test_amplitude_rises_where_movement_starts_or_turns_and_only_there():
    fps = 30.0
    velocity = torch.zeros(90, 3)
    velocity[20:45] = torch.tensor([0.5, 0.1, 0.0])
    velocity[45:70] = torch.tensor([-0.1, 0.5, 0.2])  # a turn; at frame 70 all movement stops
    for positions in (moving(velocity, fps), moving(velocity, fps)[..., :2]):
        rise = accents.amplitude(positions, fps)
        assert rise.shape == (90,) and rise.min() == 0 and rise.max() == 1
        assert set((rise > 0.2).nonzero()[:, 0].tolist()) == {20, 45}
        np.testing.assert_allclose(accents.kinematic_onsets(positions, fps).times, [20 / fps, 45 / fps], atol=1 / fps)


def test_amplitude_of_a_batch_is_that_of_each_and_stillness_has_none(swaying):
    positions = torch.randn(2, 40, 5, 3, generator=torch.Generator().manual_seed(0)).cumsum(1)
    both = accents.amplitude(positions, 30.0)
    torch.testing.assert_close(both[1], accents.amplitude(positions[1], 30.0))
    still = torch.ones(40, 22, 3)
    assert accents.amplitude(still, 30.0).abs().max() == 0
    assert len(accents.kinematic_onsets(still, 30.0).times) == len(accents.kinematic_beats(still, 30.0).times) == 0


def swinging(swings, fps):
    """A body (t, j, 3) that swings for 8 s, so many times a second; twice in each its speed is least, and greatest."""
    time = torch.arange(int(8 * fps)) / fps
    positions = torch.zeros(len(time), 22, 3)
    positions[:, :, 1] = 0.3 * torch.sin(2 * math.pi * swings * time)[:, None]
    return positions


@pytest.mark.parametrize("fps", (31.25, 60.0))
def test_kinematic_beats_are_where_a_swing_turns(fps):
    found = accents.kinematic_beats(swinging(0.8, fps), fps)
    expected = torch.arange(0.25, 8 * 0.8, 0.5) / 0.8
    inside = expected[(expected > 0.3) & (expected < 7.7)]
    times = found.times[(found.times > 0.3) & (found.times < 7.7)]
    np.testing.assert_allclose(times, inside, atol=4e-3)
    assert abs(found.tempo - 60 * 2 * 0.8) < 1


@pytest.mark.parametrize("fps", (31.25, 60.0))
def test_strikes_are_where_a_swing_is_fastest(fps):
    found = accents.strikes(swinging(0.8, fps), fps)
    expected = torch.arange(0.0, 8 * 0.8, 0.5) / 0.8
    inside = expected[(expected > 0.4) & (expected < 7.6)]
    np.testing.assert_allclose(found.times[(found.times > 0.4) & (found.times < 7.6)], inside, atol=4e-3)
    assert len(accents.strikes(torch.ones(40, 22, 3), fps).times) == 0


def test_a_shallow_dip_is_no_beat():
    fps = 60.0
    time = torch.arange(360) / fps
    dips = 0.6 * torch.exp(-(((time - 2) / 0.15) ** 2)) + 0.005 * torch.exp(-(((time - 4) / 0.15) ** 2))
    velocity = torch.stack((1 - dips, torch.zeros(360), torch.zeros(360)), -1)
    np.testing.assert_allclose(accents.kinematic_beats(moving(velocity, fps), fps).times, [2.0], atol=0.02)


@pytest.mark.parametrize("frames", (1, 2, 3))
def test_the_shortest_clips_have_no_events(frames):
    positions = torch.randn(frames, 22, 3, generator=torch.Generator().manual_seed(0))
    assert accents.amplitude(positions, 30.0).shape == (frames,)
    for find in (accents.kinematic_beats, accents.strikes, accents.kinematic_onsets):
        found = find(positions, 30.0)
        assert found.times.shape == found.strength.shape
