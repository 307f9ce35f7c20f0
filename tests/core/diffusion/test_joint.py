"""Joint generation against two denoisers that are exact: jointly Gaussian modalities with a known correlation."""

from dataclasses import replace

import pytest
import torch

from core.diffusion.sampler import Chain, sample, walk
from core.diffusion.schedule import linear_sqrt
from core.errors import FootlightError
from core.types import Condition

SCHEDULE = linear_sqrt()
RHO = 0.9


def exact(x_t, t, condition):
    """The posterior mean of x0 ~ N(rho c, 1 - rho^2) given x_t; of N(0, 1) without a condition."""
    signal, sigma = SCHEDULE.scales(t, x_t)
    heard = next(iter(condition.context.values()), None)
    mean, variance = (0.0, 1.0) if heard is None else (RHO * heard, 1 - RHO**2)
    return mean + signal * variance / (signal**2 * variance + sigma**2) * (x_t - signal * mean)


def chains(samples=4000, **options) -> dict[str, Chain]:
    draws = torch.randn(2, samples, 1, 1, generator=torch.Generator().manual_seed(0))
    return {
        name: Chain(exact, noise, tell=lambda estimates, other=other: Condition({other: estimates[other]}), **options)
        for (name, other), noise in zip((("a", "b"), ("b", "a")), draws, strict=True)
    }


def correlation(switch, sampler="ddim", steps=50):
    *_, drawn = walk(chains(switch=switch, sampler=sampler), SCHEDULE, steps)
    a, b = drawn["a"].flatten(), drawn["b"].flatten()
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1]), float(a.std()), float(b.std())


@pytest.mark.parametrize("sampler", ["ddim", "dpmpp"])
def test_the_chains_agree_as_much_as_their_modalities_do(sampler):
    together, *spread = correlation(0.5, sampler)
    assert together > 0.6
    assert all(0.7 < s < 1.3 for s in spread)


def test_without_a_switch_chains_are_independent():
    together, *spread = correlation(0.0)
    assert abs(together) < 0.05
    assert all(abs(s - 1) < 0.05 for s in spread)


def test_a_later_switch_makes_chains_agree_less():
    early, late = correlation(0.5)[0], correlation(0.1)[0]
    assert early > late > 0.05


@pytest.mark.parametrize("sampler", ["ddim", "ddpm", "dpmpp"])
def test_a_chain_that_hears_nobody_takes_the_path_of_a_single_one(sampler):
    both = chains(samples=8, switch=0.0)
    generators = [torch.Generator().manual_seed(3) for _ in range(2)]
    both["a"] = replace(both["a"], sampler=sampler, generator=generators[0])
    *_, drawn = walk(both, SCHEDULE, 10)
    *_, alone = sample(exact, both["a"].noise, SCHEDULE, 10, sampler, generators[1])
    assert torch.equal(drawn["a"], alone)


def test_none_goes_first():
    both = chains(samples=8)
    *_, drawn = walk(both, SCHEDULE, 10)
    *_, again = walk(dict(reversed(both.items())), SCHEDULE, 10)
    assert all(torch.equal(drawn[name], again[name]) for name in both)


def test_each_chain_has_a_switch_of_its_own():
    heard = []

    def listening(name, switch):
        return Chain(
            exact, torch.zeros(1, 1, 1), tell=lambda estimates: heard.append(name) or Condition(), switch=switch
        )

    list(walk({"early": listening("early", 1.0), "late": listening("late", 0.3)}, SCHEDULE, 10))
    assert heard.count("early") == 9 and heard.count("late") == 3


def test_a_third_chain_may_condition_on_the_other_two():
    """x0 of the third is the mean of the others: conditioned on both it must come to that."""

    def follow(x_t, t, condition):
        return sum(condition.context.values()) / len(condition.context)

    noise = torch.randn(500, 1, 1, generator=torch.Generator().manual_seed(1))
    third = Chain(follow, noise, Condition({"a": noise}), lambda said: Condition({name: said[name] for name in "ab"}))
    estimates = list(walk({**chains(samples=500), "third": third}, SCHEDULE, 20))
    middle = (estimates[-2]["a"] + estimates[-2]["b"]) / 2
    torch.testing.assert_close(estimates[-1]["third"], middle, atol=0.05, rtol=0.05)
    alone = list(walk(chains(samples=500), SCHEDULE, 20))[-1]
    assert all(torch.equal(alone[name], estimates[-1][name]) for name in alone)


def test_a_chain_that_follows_hears_the_others_of_the_same_step():
    """Its x0 is the leader's, and both end clean, so it ends where the leader does, and not where that was before."""

    def repeat(x_t, t, condition):
        return next(iter(condition.context.values()))

    noise = torch.randn(2, 500, 1, 1, generator=torch.Generator().manual_seed(1))
    leader, tell = Chain(exact, noise[0]), lambda estimates: Condition({"leader": estimates["leader"]})
    other = Chain(repeat, noise[1], Condition({"leader": noise[1]}), tell)
    for follows in (True, False):
        *_, drawn = walk({"follower": replace(other, follows=follows), "leader": leader}, SCHEDULE, 4)
        assert torch.equal(drawn["follower"], drawn["leader"]) is follows


@pytest.mark.parametrize("sampler", ["ddim", "dpmpp"])
def test_a_chain_of_fewer_steps_takes_the_path_of_a_single_one(sampler):
    both = chains(samples=8, switch=0.0, sampler=sampler)
    *_, drawn = walk(both, SCHEDULE, {"a": 4, "b": 12})
    for name, steps in (("a", 4), ("b", 12)):
        *_, alone = sample(exact, both[name].noise, SCHEDULE, steps, sampler)
        assert torch.equal(drawn[name], alone), name


def test_steps_that_do_not_meet_are_refused():
    with pytest.raises(FootlightError, match="12 steps of one chain are no multiple of the 5 of a"):
        walk(chains(samples=2), SCHEDULE, {"a": 5, "b": 12})


def test_every_step_can_be_the_last():
    steps = walk(chains(samples=2), SCHEDULE, 10)
    next(steps)
    assert len(list(steps)) == 9


def test_nonsense_is_refused():
    with pytest.raises(FootlightError, match="switch"):
        chains(2, switch=1.5)
    with pytest.raises(FootlightError, match="'euler'"):
        chains(2, sampler="euler")
