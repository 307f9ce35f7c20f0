"""The diagonal Gaussian that an encoder returns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.layers.noise import noise_like


@dataclass(frozen=True)
class DiagonalGaussian:
    """A posterior over latents.

    mean: (b, t, c).
    log_variance: (b, t, c), natural logarithm.
    """

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def from_moments(cls, moments: Tensor) -> DiagonalGaussian:
        """The Gaussian whose mean and log-variance are the two halves of the channels (b, t, 2c).

        The variance is clamped to e^-30 .. e^20.
        """
        mean, log_variance = moments.float().chunk(2, dim=-1)
        return cls(mean, log_variance.clamp(-30.0, 20.0))

    @property
    def variance(self) -> Tensor:
        return self.log_variance.exp()

    def sample(self, generator: torch.Generator) -> Tensor:
        """Draw latents (b, t, c). The draw is differentiable in the moments."""
        return self.mean + (0.5 * self.log_variance).exp() * noise_like(self.mean, generator)

    def mode(self) -> Tensor:
        """The most likely latents (b, t, c)."""
        return self.mean

    def kl(self) -> Tensor:
        """KL divergence (b, t) to the standard normal, summed over the channels, in nats per frame."""
        return 0.5 * (self.mean.square() + self.variance - 1.0 - self.log_variance).sum(dim=-1)
