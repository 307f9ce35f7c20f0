"""The posterior against torch.distributions."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from core.autoencoder.gaussian import DiagonalGaussian
from core.layers.noise import noise_like


@pytest.fixture
def posterior():
    return DiagonalGaussian.from_moments(torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(0)))


def test_kl_is_that_of_torch(posterior):
    expected = kl_divergence(Normal(posterior.mean, posterior.variance.sqrt()), Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(posterior.kl(), expected)
    assert posterior.kl().shape == (2, 5)


def test_draws_have_the_moments_they_are_drawn_from():
    wide = DiagonalGaussian(torch.full((1, 40_000, 1), 3.0), torch.full((1, 40_000, 1), 2.0).log() * 2)
    drawn = wide.sample(torch.Generator().manual_seed(1))
    assert float(drawn.mean()) == pytest.approx(3.0, abs=0.05) and float(drawn.std()) == pytest.approx(2.0, abs=0.05)


def test_only_the_generator_decides(posterior):
    torch.manual_seed(5)
    one = posterior.sample(torch.Generator().manual_seed(2))
    torch.manual_seed(6)
    assert torch.equal(one, posterior.sample(torch.Generator().manual_seed(2)))
    half = noise_like(torch.zeros(4, dtype=torch.bfloat16), torch.Generator().manual_seed(3))
    assert torch.equal(half, noise_like(torch.zeros(4), torch.Generator().manual_seed(3)).bfloat16())


def test_extreme_moments_stay_finite():
    moments = torch.tensor([[[0.0, 0.0, 1e6, -1e6]]], dtype=torch.bfloat16)
    posterior = DiagonalGaussian.from_moments(moments)
    assert torch.isfinite(posterior.kl()).all() and posterior.mean.dtype == torch.float32
