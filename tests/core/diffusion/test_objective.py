import pytest
import torch

from core.diffusion.objective import diffusion_loss, random_steps
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


def test_steps_cover_the_schedule_evenly_in_each_batch_and_uniformly_over_many():
    generator = torch.Generator().manual_seed(4)
    many = torch.stack([random_steps(8, 1000, generator) for _ in range(4000)])
    assert (many.sort(dim=1).values.diff(dim=1) >= 124).all()
    assert many.min() == 0 and many.max() == 999
    counts = torch.histc(many[:, 3].float(), bins=10, min=0, max=1000)
    assert (counts - 400).abs().max() < 100
