import pytest
import torch

from core.diffusion.inpaint import corrected, fitted, pinned
from core.diffusion.sampler import sample
from core.diffusion.schedule import linear_sqrt
from core.types import Condition

SCHEDULE = linear_sqrt()


def to_mean(mean: float):
    """The denoiser of a point mass: all noise leads to the mean."""
    return lambda x_t, t, condition: torch.full_like(x_t, mean)


def test_known_frames_come_out_as_they_are_and_the_others_as_without():
    known, given = torch.randn(1, 20, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(1, 20, 1, dtype=bool)
    given[:, 5:15] = True
    noise = torch.randn(1, 20, 3, generator=torch.Generator().manual_seed(1))
    *_, made = sample(pinned(to_mean(2.0), known, given), noise, SCHEDULE, 8)
    torch.testing.assert_close(made[:, 5:15], known[:, 5:15], atol=1e-5, rtol=0)
    torch.testing.assert_close(made[:, :5], torch.full((1, 5, 3), 2.0), atol=1e-5, rtol=0)


def test_estimates_are_corrected_in_the_last_steps_alone():
    seen = []

    def correct(x0):
        seen.append(x0)
        return x0 + 1

    denoise = corrected(to_mean(2.0), correct, 500)
    *_, made = sample(denoise, torch.randn(1, 4, 2), SCHEDULE, 5)
    assert len(seen) == sum(step < 500 for step in SCHEDULE.timesteps(5)) > 0
    torch.testing.assert_close(made, torch.full((1, 4, 2), 3.0), atol=1e-5, rtol=0)


def test_a_fit_finds_the_least_of_a_quadratic_and_few_iterations_keep_near():
    target = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(0))
    scale = torch.linspace(0.5, 3, 4)

    def loss(x):
        return (scale * (x - target).square()).sum()

    start = torch.zeros(1, 6, 4)
    one, many = fitted(start, loss, 1), fitted(start, loss, 40)
    torch.testing.assert_close(many, target, atol=1e-3, rtol=0)
    assert float(loss(start)) > float(loss(one)) > float(loss(many))
    assert not many.requires_grad and torch.equal(start, torch.zeros(1, 6, 4))


def test_a_fit_is_not_hindered_by_channels_of_other_scales():
    """In few iterations it comes nearer than the L-BFGS of torch, to which each channel is as good as another."""
    generator = torch.Generator().manual_seed(0)
    mixed = torch.linalg.qr(torch.randn(8, 8, generator=generator)).Q * torch.logspace(-1, 1, 8)
    target = torch.randn(1, 50, 8, generator=generator)

    def loss(x):
        return ((x - target) @ mixed).square().mean()

    plain = torch.zeros(1, 50, 8, requires_grad=True)
    descent = torch.optim.LBFGS([plain], max_iter=6, max_eval=6)

    def evaluate():
        descent.zero_grad()
        value = loss(plain)
        value.backward()
        return value

    descent.step(evaluate)
    assert float(loss(fitted(torch.zeros(1, 50, 8), loss, 6))) < 0.5 * float(loss(plain.detach()))


@pytest.mark.parametrize("strength", [1.0, 0.5, 0.1])
def test_a_walk_may_begin_at_less_noise(strength):
    """From a noised sample a perfect denoiser finds the sample again, in as many steps as the share of the schedule."""
    clean = torch.randn(1, 10, 3, generator=torch.Generator().manual_seed(0))
    steps = SCHEDULE.timesteps(10, strength)
    assert steps[0] == round(1000 * strength) - 1 and len(steps) == round(10 * strength)
    noise = torch.randn(1, 10, 3, generator=torch.Generator().manual_seed(1))
    start = SCHEDULE.add_noise(clean, noise, torch.tensor([steps[0]]))
    made = list(sample(lambda x, t, c: clean, start, SCHEDULE, 10, condition=Condition(), strength=strength))
    assert len(made) == len(steps)
    torch.testing.assert_close(made[-1], clean, atol=1e-4, rtol=0)
