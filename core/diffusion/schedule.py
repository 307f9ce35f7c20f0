"""How signal turns into noise, step by step: a value that every sampler and loss reads.

x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise (MoMu-Diffusion eq. 5; Ho et al. 2020), t = 0 ... steps - 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

CLEAN = -1  # the "step" before step 0, at which no noise is left


@dataclass(frozen=True)
class Schedule:
    """alphas_cumprod: (steps,) abar, the share of the signal's variance that is left after each step."""

    alphas_cumprod: Tensor

    @property
    def steps(self) -> int:
        return self.alphas_cumprod.shape[0]

    def alpha_bar(self, t: int) -> float:
        """abar at one step; 1 at ``CLEAN``."""
        return 1.0 if t == CLEAN else float(self.alphas_cumprod[t])

    def scales(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """sqrt(abar_t) and sqrt(1 - abar_t) for steps t (b,), shaped (b, 1, 1) and typed as ``like`` (b, t, c)."""
        kept = self.alphas_cumprod.to(like.device)[t.to(like.device)].view(-1, 1, 1)
        return kept.sqrt().to(like.dtype), (1 - kept).sqrt().to(like.dtype)

    def add_noise(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t (b, t, c) from clean x0, standard normal noise and steps t (b,)."""
        signal, sigma = self.scales(t, x0)
        return signal * x0 + sigma * noise

    def timesteps(self, count: int) -> list[int]:
        """``count`` steps from the noisiest down, evenly spaced and ending above 0 ("trailing", Lin et al. 2024).

        Sampling starts from pure noise, so the first step must be the noisiest one the network knows.
        """
        assert 1 <= count <= self.steps, f"between 1 and {self.steps} steps, not {count}"
        return [round(self.steps - i * self.steps / count) - 1 for i in range(count)]


def linear_sqrt(steps: int = 1000, beta_start: float = 0.00085, beta_end: float = 0.012) -> Schedule:
    """Betas whose square roots rise linearly, the default of latent diffusion (Rombach et al. 2022)."""
    betas = torch.linspace(beta_start**0.5, beta_end**0.5, steps, dtype=torch.float64).square()
    return Schedule(torch.cumprod(1 - betas, dim=0).float())
