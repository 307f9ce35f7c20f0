"""Something that sounds like music: chords, a bass and clicks."""

import math

import pytest
import torch

RATE = 16_000


@pytest.fixture(scope="session")
def music():
    """(s,) five seconds at 16 kHz, a whole number of mel frames."""
    clock = torch.arange(312 * 256) / RATE
    sound = 0.02 * torch.randn(clock.shape, generator=torch.Generator().manual_seed(0))
    for number, root in enumerate((220.0, 261.6, 196.0, 246.9, 293.7)):
        inside = (clock >= number) & (clock < number + 1)
        since = (clock - number).clamp_min(0)
        for overtone in range(1, 9):
            for interval in (1.0, 1.26, 1.5):
                tone = torch.sin(2 * math.pi * root * interval * overtone * clock) / overtone**1.3
                sound = sound + 0.1 * inside * torch.exp(-2 * since) * tone
    since = torch.remainder(clock, 0.5)
    click = torch.randn(clock.shape, generator=torch.Generator().manual_seed(1)) * torch.exp(-since / 0.01)
    return (sound + 0.2 * click).clamp(-1, 1)
