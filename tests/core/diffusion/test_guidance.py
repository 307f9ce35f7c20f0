"""Guidance in the space of clean samples against eq. 7 in the space of noises."""

from dataclasses import replace

import pytest
import torch

from core.diffusion.guidance import guided, guided_inside
from core.diffusion.parameterize import to_x0
from core.diffusion.schedule import linear_sqrt
from core.types import Condition

SCHEDULE = linear_sqrt()
X = torch.randn(3, 8, 4, generator=torch.Generator().manual_seed(0))
MUSIC = torch.randn(3, 8, 4, generator=torch.Generator().manual_seed(1))
T = torch.tensor([10, 400, 999])


def denoise(x_t, t, condition):
    cond = condition.context.get("music", torch.zeros_like(x_t))
    if condition.keep is not None:
        cond = cond * condition.keep.view(-1, 1, 1)
    observed = 0.0 if condition.observed is None else condition.observed
    return 0.5 * x_t + cond + 0.1 * (t / 1000).view(-1, 1, 1) + observed


def noise_in(x0):
    """What must be added to the clean part of X."""
    signal, sigma = SCHEDULE.scales(T, X)
    return (X - signal * x0) / sigma


@pytest.mark.parametrize("scale", [0.0, 0.5, 2.5, 7.0])
def test_it_is_equation_7(scale):
    condition = Condition({"music": MUSIC}, observed=0.2 * X)
    cond = noise_in(denoise(X, T, condition))
    uncond = noise_in(denoise(X, T, replace(condition, keep=torch.zeros(3, dtype=torch.bool))))
    expected = to_x0(uncond + scale * (cond - uncond), X, T, SCHEDULE, "epsilon")
    torch.testing.assert_close(guided(denoise, scale)(X, T, condition), expected, rtol=1e-4, atol=2e-4)


def test_one_means_no_guidance_and_one_call():
    calls = []

    def counted(x_t, t, condition):
        calls.append(x_t.shape[0])
        return denoise(x_t, t, condition)

    guided(counted, 1.0)(X, T, Condition({"music": MUSIC}))
    guided(counted, 3.0)(X, T, Condition({"music": MUSIC}))
    assert calls == [3, 6]


def test_what_is_dropped_already_stays_dropped():
    condition = Condition({"music": MUSIC}, keep=torch.tensor([True, False, True]))
    result = guided(denoise, 4.0)(X, T, condition)
    torch.testing.assert_close(result[1], denoise(X, T, condition)[1])


def test_nothing_to_be_guided_by_is_no_error():
    torch.testing.assert_close(guided(denoise, 4.0)(X, T, Condition()), denoise(X, T, Condition()))


def test_every_sample_may_have_a_strength_of_its_own():
    condition, strengths = Condition({"music": MUSIC}), [1.0, 2.0, 5.0]
    mixed = guided(denoise, torch.tensor(strengths).view(-1, 1, 1))(X, T, condition)
    for i, strength in enumerate(strengths):
        torch.testing.assert_close(mixed[i], guided(denoise, strength)(X, T, condition)[i])


def test_a_network_with_guidance_inside_is_told_the_strength_and_called_once():
    calls = []

    def told_of(x_t, t, condition):
        calls.append(condition)
        return x_t

    guided_inside(told_of, 3.0)(X, T, Condition({"music": MUSIC}))
    assert len(calls) == 1 and calls[0].guidance.tolist() == [3.0, 3.0, 3.0]
    assert torch.equal(calls[0].context["music"], MUSIC)
