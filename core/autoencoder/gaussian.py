"""The diagonal Gaussian that an encoder answers with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.layers.noise import noise_like


@dataclass(frozen=True)
class DiagonalGaussian:
    """A posterior over latents. mean, log_variance: (b, t, c)."""

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def from_moments(cls, moments: Tensor) -> DiagonalGaussian:
        """Mean and log-variance side by side in the channels (b, t, 2c). The variance stays within e^-30 and e^20."""
        mean, log_variance = moments.float().chunk(2, dim=-1)
        return cls(mean, log_variance.clamp(-30.0, 20.0))

    @property
    def variance(self) -> Tensor:
        return self.log_variance.exp()

    def sample(self, generator: torch.Generator) -> Tensor:
        """One draw (b, t, c), differentiable in the moments."""
        return self.mean + (0.5 * self.log_variance).exp() * noise_like(self.mean, generator)

    def mode(self) -> Tensor:
        """The likeliest latents (b, t, c)."""
        return self.mean

    def kl(self) -> Tensor:
        """KL divergence to the standard normal, (b, t): nats a frame, summed over the channels."""
        return 0.5 * (self.mean.square() + self.variance - 1.0 - self.log_variance).sum(dim=-1)
