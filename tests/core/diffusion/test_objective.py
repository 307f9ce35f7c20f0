import pytest
import torch

from core.diffusion.objective import diffusion_loss, estimate_weights, random_steps, step_weights
from core.diffusion.parameterize import target
from core.diffusion.schedule import linear_sqrt
from core.types import Condition

SCHEDULE = linear_sqrt()
LATENTS = torch.randn(6, 10, 4, generator=torch.Generator().manual_seed(0))


class Knows(torch.nn.Module):
    """Answers from the clean latents it is told."""

    def __init__(self, prediction):
        super().__init__()
        self.prediction = prediction

    def forward(self, x_t, t, condition, valid=None):
        signal, sigma = SCHEDULE.scales(t, x_t)
        x0 = condition.context["music"]
        noise = (x_t - signal * x0) / sigma
        return {"x0": x0, "epsilon": noise, "v": signal * noise - sigma * x0}[self.prediction]


@pytest.mark.parametrize("prediction", ["x0", "epsilon", "v"])
def test_who_knows_the_answer_has_no_loss(prediction):
    generator = torch.Generator().manual_seed(1)
    losses, estimate, t = diffusion_loss(
        Knows(prediction), LATENTS, Condition({"music": LATENTS}), SCHEDULE, prediction, generator
    )
    assert set(losses) == {"diffusion"} and float(losses["diffusion"]) < 1e-6
    torch.testing.assert_close(estimate, LATENTS, rtol=1e-3, atol=1e-3)
    assert t.shape == (6,) and t.dtype == torch.long


def zero(x_t, t, condition, valid=None):
    return torch.zeros_like(x_t)


def test_the_loss_is_the_mean_square_of_what_is_valid():
    valid = torch.rand(6, 10, generator=torch.Generator().manual_seed(2)) < 0.6
    losses, _, _ = diffusion_loss(
        zero, LATENTS, Condition(), SCHEDULE, "x0", torch.Generator().manual_seed(1), valid=valid
    )
    torch.testing.assert_close(losses["diffusion"], LATENTS[valid].square().mean())


@pytest.mark.parametrize("prediction", ["x0", "epsilon", "v"])
def test_noise_levels_count_by_min_snr_whatever_is_predicted(prediction):
    """An error of the clean sample costs min(SNR, 5) times its square, up to one factor for all levels."""
    t = torch.tensor([1, 40, 200, 500, 900])
    x0, noise = torch.randn(2, 5, 8, 3, generator=torch.Generator().manual_seed(0)).unbind(0)
    x_t = SCHEDULE.add_noise(x0, noise, t)
    wrong = x0 + 0.1
    signal, sigma = SCHEDULE.scales(t, x_t)
    implied = (x_t - signal * wrong) / sigma
    made = {"x0": wrong, "epsilon": implied, "v": signal * implied - sigma * wrong}[prediction]
    error = (made - target(x0, noise, t, SCHEDULE, prediction)).square().mean(dim=(1, 2))
    snr = (signal / sigma).square().flatten()
    cost = step_weights(SCHEDULE, prediction, 5.0)[t] * error / snr.clamp_max(5)
    torch.testing.assert_close(cost / cost[0], torch.ones(5), rtol=1e-2, atol=0)
    floored = step_weights(SCHEDULE, prediction, 5.0, 0.5)[t] * error / snr.clamp(0.5, 5)
    torch.testing.assert_close(floored / floored[0], torch.ones(5), rtol=1e-2, atol=0)
    assert float(step_weights(SCHEDULE, prediction, 5.0).mean()) == pytest.approx(1)
    plain = estimate_weights(SCHEDULE, prediction)[t] * 0.01 / error  # equal weights of the prediction's own error
    torch.testing.assert_close(plain / plain[0], torch.ones(5), rtol=1e-2, atol=0)


def test_the_loss_takes_the_weights_of_its_steps():
    steps = random_steps(6, SCHEDULE.steps, torch.Generator().manual_seed(1))
    weights = step_weights(SCHEDULE, "x0", 5.0)
    losses, _, t = diffusion_loss(
        zero, LATENTS, Condition(), SCHEDULE, "x0", torch.Generator().manual_seed(1), weights=weights
    )
    assert torch.equal(t, steps)
    torch.testing.assert_close(losses["diffusion"], (weights[t] * LATENTS.square().mean(dim=(1, 2))).mean())


def test_steps_cover_the_schedule_evenly_in_each_batch_and_uniformly_over_many():
    generator = torch.Generator().manual_seed(4)
    many = torch.stack([random_steps(8, 1000, generator) for _ in range(4000)])
    assert (many.sort(dim=1).values.diff(dim=1) >= 124).all()
    assert many.min() == 0 and many.max() == 999
    counts = torch.histc(many[:, 3].float(), bins=10, min=0, max=1000)
    assert (counts - 400).abs().max() < 100
