"""What was denoised for the beginning of a sequence is not denoised again for the whole, which stays as it was."""

import torch

from core.diffusion.remembering import Memory, remembering
from core.diffusion.sampler import sample
from core.diffusion.schedule import linear_sqrt
from core.diffusion.windows import windowed
from core.layers.chunked import covering
from core.types import Condition

WINDOW, OVERLAP, STEPS = 32, 8, 3
GENERATOR = torch.Generator().manual_seed(0)
NOISE = torch.randn(1, 400, 4, generator=GENERATOR)
CONDITION = Condition({"music": torch.randn(1, 400, 4, generator=GENERATOR)}, style=torch.ones(1, 2))


def hearing(counted):
    """A denoiser that hears all of its window and its condition. counted: takes how many windows it denoises."""

    def denoise(x_t, t, condition):
        counted.append(len(x_t))
        told = condition.context["music"] + condition.style.sum(-1).view(-1, 1, 1)
        return (0.9 * x_t + 0.1 * told).tanh() + 0.1 * x_t.flip(1) + t.view(-1, 1, 1) / 5000

    return denoise


def sampled(denoise, frames, noise=NOISE):
    windows = windowed(denoise, WINDOW, OVERLAP, chunk=4)
    *_, last = sample(windows, noise[:, :frames], linear_sqrt(), STEPS, condition=CONDITION.window(0, frames))
    return last


def test_a_beginning_is_that_of_the_whole_and_is_not_denoised_twice():
    shown = beginning = 100
    for _ in range(STEPS):
        beginning = covering(beginning, WINDOW, OVERLAP)
    plain, first, rest = [], [], []
    whole, memory = sampled(hearing(plain), 400), Memory()
    part = sampled(remembering(hearing(first), memory), beginning)
    assert torch.equal(part[:, :shown], whole[:, :shown])
    assert not torch.equal(part[:, :beginning], whole[:, :beginning])
    assert torch.equal(sampled(remembering(hearing(rest), memory), 400), whole)
    again = sum(first) + sum(rest) - sum(plain)  # those that hear what has not settled, in all steps but the first
    assert sum(first) > 10 and 0 < again <= sum(range(STEPS)) * 2
    third: list[int] = []
    assert torch.equal(sampled(remembering(hearing(third), memory), 400), whole) and not third


def test_places_of_one_noise_that_hear_something_else_are_told_apart():
    """Every window starts from the same noise, but hears other music."""
    alike = NOISE[:, : WINDOW - OVERLAP].repeat(1, 17, 1)[:, :400]
    plain, kept = [], []
    whole = sampled(hearing(plain), 400, alike)
    assert torch.equal(sampled(remembering(hearing(kept), Memory()), 400, alike), whole)
    assert sum(kept) == sum(plain)
