"""Samplers against diffusers on a network of random weights, and against a Gaussian whose denoiser is known."""

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler

from core.diffusion.sampler import ddim_step, sample
from core.diffusion.schedule import CLEAN, linear_sqrt
from core.errors import FootlightError
from core.types import Condition

SCHEDULE = linear_sqrt()
BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing")


@pytest.fixture(scope="module")
def denoise():
    """A crooked function of x and t."""
    generator = torch.Generator().manual_seed(0)
    inner, outer = torch.randn(4, 16, generator=generator) / 2, torch.randn(16, 3, generator=generator) / 4

    def network(x_t, t, condition):
        step = (t / 1000).view(-1, 1, 1).expand(*x_t.shape[:2], 1)
        return torch.tanh(torch.cat([x_t, step], dim=-1) @ inner) @ outer + 0.3 * x_t

    return network


def noise(seed: int = 1, shape=(2, 9, 3)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def walk_oracle(scheduler, denoise, steps, **more):
    scheduler.set_timesteps(steps)
    x, path = noise(), []
    for t in scheduler.timesteps:
        step = torch.full((len(x),), int(t))
        signal, sigma = SCHEDULE.scales(step, x)
        epsilon = (x - signal * denoise(x, step, None)) / sigma
        x = scheduler.step(epsilon, t, x, **more).prev_sample
        path.append(x)
    return path


@pytest.mark.parametrize("steps", [1, 4, 10, 50])
def test_ddim(denoise, steps):
    oracle = walk_oracle(DDIMScheduler(1000, clip_sample=False, **BETAS), denoise, steps)
    ours = list(sample(denoise, noise(), SCHEDULE, steps, "ddim"))
    assert len(ours) == steps
    for one, other in zip(ours, oracle, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("steps", [10, 50])
def test_ddpm(denoise, steps):
    scheduler = DDPMScheduler(1000, clip_sample=False, **BETAS)
    oracle = walk_oracle(scheduler, denoise, steps, generator=torch.Generator().manual_seed(7))
    ours = list(sample(denoise, noise(), SCHEDULE, steps, "ddpm", torch.Generator().manual_seed(7)))
    for one, other in zip(ours, oracle, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("steps", [1, 2, 10, 12, 20])
def test_dpmpp(denoise, steps):
    scheduler = DPMSolverMultistepScheduler(1000, algorithm_type="dpmsolver++", solver_order=2, **BETAS)
    oracle = walk_oracle(scheduler, denoise, steps)
    ours = list(sample(denoise, noise(), SCHEDULE, steps, "dpmpp"))
    for one, other in zip(ours, oracle, strict=True):
        torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-3)


MEAN, SPREAD = torch.tensor([1.0, -2.0, 0.0]), torch.tensor([0.5, 1.0, 2.0])


def best(x_t, t, condition):
    """E[x0 | x_t] when x0 ~ N(MEAN, SPREAD^2): the best denoiser there can be."""
    signal, sigma = SCHEDULE.scales(t, x_t)
    gain = signal * SPREAD**2 / (signal**2 * SPREAD**2 + sigma**2)
    return MEAN + gain * (x_t - signal * MEAN)


def noisiest():
    """Draws from the noisiest step, standardised and as they are: the schedule leaves 7 % of the signal there."""
    standard = noise(3, (40, 250, 3))
    signal, sigma = SCHEDULE.scales(torch.tensor([999]), standard)
    return standard, signal * MEAN + (signal**2 * SPREAD**2 + sigma**2).sqrt() * standard


@pytest.mark.parametrize(("sampler", "steps"), [("ddim", 200), ("dpmpp", 50)])
def test_deterministic_samplers_follow_the_known_flow_of_a_gaussian(sampler, steps):
    """The flow keeps each point at the same number of deviations from the mean."""
    standard, start = noisiest()
    *_, drawn = sample(best, start, SCHEDULE, steps, sampler)
    torch.testing.assert_close((drawn - MEAN) / SPREAD, standard, atol=0.05, rtol=0.05)


def test_ddpm_samples_a_gaussian_with_its_mean_and_spread():
    *_, drawn = sample(best, noisiest()[1], SCHEDULE, 500, "ddpm", torch.Generator().manual_seed(4))
    assert ((drawn.mean(dim=(0, 1)) - MEAN).abs() < 0.04 * SPREAD).all()
    assert (drawn.flatten(0, 1).std(dim=0) / SPREAD - 1).abs().max() < 0.05


def test_the_walk_is_lazy_and_gives_its_condition_on():
    seen = []

    def watched(x_t, t, condition):
        seen.append((int(t[0]), condition))
        return x_t

    condition = Condition(style=torch.ones(2, 1))
    walk = sample(watched, noise(), SCHEDULE, 10, "ddim", condition=condition)
    assert seen == []
    next(walk)
    next(walk)
    walk.close()
    assert seen == [(999, condition), (899, condition)]


def test_after_the_last_step_nothing_is_left_but_the_estimate():
    x, x0 = noise(1), noise(2)
    torch.testing.assert_close(ddim_step(x, x0, 19, CLEAN, SCHEDULE), x0)


def test_an_unknown_sampler_is_named_before_anything_runs():
    with pytest.raises(FootlightError, match="'euler'"):
        sample(lambda *_: None, noise(), SCHEDULE, 10, "euler")
