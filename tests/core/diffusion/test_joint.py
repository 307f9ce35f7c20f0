"""Joint generation against two experts that are exact: jointly Gaussian modalities with a known correlation."""

import pytest
import torch

from core.diffusion.joint import Chain, cross_guided
from core.diffusion.sampler import sample
from core.diffusion.schedule import linear_sqrt
from core.errors import FootlightError
from core.types import Condition

SCHEDULE = linear_sqrt()
RHO = 0.9


def exact(x_t, t, condition):
    """The posterior mean of x0 ~ N(rho c, 1 - rho^2) given x_t; of N(0, 1) where nothing is told."""
    signal, sigma = SCHEDULE.scales(t, x_t)
    told = condition.latents is not None and condition.keep is None
    mean, variance = (RHO * condition.latents, 1 - RHO**2) if told else (0.0, 1.0)
    return mean + signal * variance / (signal**2 * variance + sigma**2) * (x_t - signal * mean)


def chains(samples=4000):
    draws = torch.randn(2, samples, 1, 1, generator=torch.Generator().manual_seed(0))
    return [Chain(exact, noise, lambda other, own: Condition(latents=other)) for noise in draws]


def correlation(switch, sampler="ddim", steps=50):
    *_, (a, b) = cross_guided(*chains(), SCHEDULE, steps, switch, sampler)
    a, b = a.flatten(), b.flatten()
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1]), float(a.std()), float(b.std())


@pytest.mark.parametrize("sampler", ["ddim", "dpmpp"])
def test_the_experts_agree_as_much_as_their_modalities_do(sampler):
    together, *spread = correlation(0.5, sampler)
    assert together > 0.6
    assert all(0.7 < s < 1.3 for s in spread)


def test_never_told_they_are_strangers():
    together, *spread = correlation(0.0)
    assert abs(together) < 0.05
    assert all(abs(s - 1) < 0.05 for s in spread)


def test_told_later_they_agree_less():
    early, late = correlation(0.5)[0], correlation(0.1)[0]
    assert early > late > 0.05


def test_alone_an_expert_takes_the_path_of_the_plain_sampler():
    first, second = chains(samples=8)
    *_, (a, _) = cross_guided(first, second, SCHEDULE, 10, switch=0.0)
    *_, alone = sample(exact, first.noise, SCHEDULE, 10)
    torch.testing.assert_close(a, alone)


def test_neither_goes_first():
    first, second = chains(samples=8)
    *_, (a, b) = cross_guided(first, second, SCHEDULE, 10)
    *_, (b_again, a_again) = cross_guided(second, first, SCHEDULE, 10)
    assert torch.equal(a, a_again) and torch.equal(b, b_again)


def test_every_step_can_be_the_last():
    walk = cross_guided(*chains(samples=2), SCHEDULE, 10)
    next(walk)
    assert len(list(walk)) == 9


def test_nonsense_is_refused():
    with pytest.raises(FootlightError, match="switch"):
        cross_guided(*chains(2), SCHEDULE, 10, switch=1.5)
    with pytest.raises(FootlightError, match="ddpm"):
        cross_guided(*chains(2), SCHEDULE, 10, sampler="ddpm")
