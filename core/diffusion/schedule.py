"""The noise schedule, a value that samplers and losses share.

x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise, for t = 0 ... steps - 1 (MoMu-Diffusion eq. 5; Ho et al. 2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

CLEAN = -1  # the "step" below step 0, at which no noise is left


@dataclass(frozen=True)
class Schedule:
    """A noise schedule.

    alphas_cumprod: (steps,) abar, the fraction of the signal's variance that is left at each step.
    """

    alphas_cumprod: Tensor

    @property
    def steps(self) -> int:
        return self.alphas_cumprod.shape[0]

    def alpha_bar(self, t: int) -> float:
        """abar at one step; 1 at ``CLEAN``."""
        return 1.0 if t == CLEAN else float(self.alphas_cumprod[t])

    def scales(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """sqrt(abar_t) and sqrt(1 - abar_t) (b, 1, 1) of steps t (b,), with the dtype and device of ``like``."""
        kept = self.alphas_cumprod.to(like.device)[t.to(like.device)].view(-1, 1, 1)
        return kept.sqrt().to(like.dtype), (1 - kept).sqrt().to(like.dtype)

    def add_noise(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Add standard normal noise (b, t, c) to clean samples x0 (b, t, c) at steps t (b,); returns x_t."""
        signal, sigma = self.scales(t, x0)
        return signal * x0 + sigma * noise

    def timesteps(self, count: int, strength: float = 1.0) -> list[int]:
        """Evenly spaced steps, from the noisiest down ("trailing" spacing, Lin et al. 2024).

        Sampling starts from pure noise, so the first step must be the noisiest one that the network knows.

        count: number of steps from pure noise.
        strength: share of the schedule that is walked, above 0; below 1 there is less noise at first, and fewer steps.
        """
        assert 1 <= count <= self.steps, f"between 1 and {self.steps} steps, not {count}"
        assert 0 < strength <= 1, f"a strength of {strength} is outside of (0, 1]"
        noisiest = max(1, round(strength * self.steps))
        count = min(noisiest, math.ceil(count * strength))
        return [round(noisiest - i * noisiest / count) - 1 for i in range(count)]


def linear_sqrt(steps: int = 1000, beta_start: float = 0.00085, beta_end: float = 0.012) -> Schedule:
    """The schedule of latent diffusion (Rombach et al. 2022): the square roots of the betas rise linearly."""
    betas = torch.linspace(beta_start**0.5, beta_end**0.5, steps, dtype=torch.float64).square()
    return Schedule(torch.cumprod(1 - betas, dim=0).float())
