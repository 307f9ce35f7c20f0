"""Schedule and parameterizations against diffusers."""

import pytest
import torch
from diffusers import DDIMScheduler

from core.diffusion.parameterize import as_denoise, target, to_x0
from core.diffusion.schedule import CLEAN, linear_sqrt
from core.errors import FootlightError
from core.types import Condition

ORACLE = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing")
SCHEDULE = linear_sqrt()


@pytest.fixture
def draw():
    generator = torch.Generator().manual_seed(0)
    x0, noise = torch.randn(2, 6, 7, 3, generator=generator)
    return x0, noise, torch.tensor([0, 1, 250, 500, 900, 999])


def test_noise_is_added_as_diffusers_does(draw):
    x0, noise, t = draw
    oracle = DDIMScheduler(1000, **ORACLE)
    torch.testing.assert_close(SCHEDULE.alphas_cumprod, oracle.alphas_cumprod, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(SCHEDULE.add_noise(x0, noise, t), oracle.add_noise(x0, noise, t), rtol=1e-4, atol=1e-5)
    assert SCHEDULE.alpha_bar(CLEAN) == 1.0


@pytest.mark.parametrize("count", [1, 2, 7, 12, 50, 999, 1000])
def test_steps_are_spaced_as_diffusers_does(count):
    oracle = DDIMScheduler(1000, **ORACLE)
    oracle.set_timesteps(count)
    assert SCHEDULE.timesteps(count) == oracle.timesteps.tolist()


def test_velocity_is_that_of_diffusers(draw):
    x0, noise, t = draw
    expected = DDIMScheduler(1000, **ORACLE).get_velocity(x0, noise, t)
    torch.testing.assert_close(target(x0, noise, t, SCHEDULE, "v"), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("prediction", ["epsilon", "x0", "v"])
def test_a_perfect_network_gives_the_clean_sample(draw, prediction):
    x0, noise, t = draw
    x_t = SCHEDULE.add_noise(x0, noise, t)
    answer = target(x0, noise, t, SCHEDULE, prediction)
    torch.testing.assert_close(to_x0(answer, x_t, t, SCHEDULE, prediction), x0, rtol=1e-3, atol=1e-4)
    denoise = as_denoise(lambda x, step, condition: answer, SCHEDULE, prediction)
    torch.testing.assert_close(denoise(x_t, t, Condition()), x0, rtol=1e-3, atol=1e-4)


def test_an_unknown_prediction_is_named():
    with pytest.raises(FootlightError, match="'score'"):
        as_denoise(torch.nn.Identity(), SCHEDULE, "score")
