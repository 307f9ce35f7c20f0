"""The unified latent space: p(m, a, v) = p(m) p(a | m) p(v | m, a) over music, motion and light (section 3.3, eq. 3).

One matrix projects each modality's vectors into the space, where they have unit length. The densities are Gaussian; the
means are networks. The penalty ||W_i^T W_j||_F^2 keeps the modalities apart, and a reward for correlation brings them
together where the rhythm is intense.

A choice: with row vectors, u = z W, and W_i^T W_j compares what two projections do with their inputs. Penalising where
they lead instead would make vectors of different modalities orthogonal, which is the opposite of the paper's CMC.
"""

from __future__ import annotations

import math
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.config import TheatreConfig

Triple = tuple[Tensor, Tensor, Tensor]  # vectors of music, motion and light

MODALITIES = ("music", "motion", "light")
LEAST_LOG_STD = -2.5  # of the densities; a smaller deviation would reward vectors that are all alike
MOST_LOG_STD = 1.0


class Conditional(nn.Module):
    """p(u | given): a Gaussian in the unified space with a learned mean and a learned deviation of each channel."""

    def __init__(self, given: int, space: int) -> None:
        super().__init__()
        self.mean = nn.Sequential(nn.Linear(given, 2 * space), nn.SiLU(), nn.Linear(2 * space, space))
        self.log_std = nn.Parameter(torch.full((space,), -1.0))

    def log_density(self, u: Tensor, given: Tensor) -> Tensor:
        """log p(u | given) (...) of vectors (..., k)."""
        return gaussian_log_density(u, self.mean(given), self.log_std)


def gaussian_log_density(u: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """The log-density (...) of vectors (..., k) under a Gaussian with independent channels."""
    log_std = log_std.clamp(LEAST_LOG_STD, MOST_LOG_STD)
    return (-0.5 * ((u - mean) / log_std.exp()).square() - log_std - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


class UnifiedSpace(nn.Module):
    """Projections of the encoders' vectors (..., width) into the space (..., k), and the densities over it."""

    def __init__(self, config: TheatreConfig) -> None:
        super().__init__()
        k = config.space
        self.project = nn.ModuleDict({name: nn.Linear(config.width, k, bias=False) for name in MODALITIES})
        self.music_mean = nn.Parameter(torch.zeros(k))
        self.music_log_std = nn.Parameter(torch.full((k,), -1.0))
        self.motion = Conditional(k, k)
        self.light = Conditional(2 * k, k)

    def forward(self, modality: str, vectors: Tensor) -> Tensor:
        """Unit vectors (..., k) of a modality's vectors (..., width)."""
        return functional.normalize(self.project[modality](vectors), dim=-1)

    def expected_motion(self, music: Tensor) -> Tensor:
        """The motion (..., k) to be expected with music (..., k): the mean of p(a | m), as a unit vector."""
        return functional.normalize(self.motion.mean(music), dim=-1)

    def expected_light(self, music: Tensor, motion: Tensor) -> Tensor:
        """The light (..., k) to be expected with music and motion (..., k): the mean of p(v | m, a), of unit length."""
        return functional.normalize(self.light.mean(torch.cat([music, motion], dim=-1)), dim=-1)

    def log_density(self, music: Tensor, motion: Tensor, light: Tensor) -> Tensor:
        """log p(m, a, v) (...) of triples of vectors (..., k)."""
        return (
            gaussian_log_density(music, self.music_mean, self.music_log_std)
            + self.motion.log_density(motion, music)
            + self.light.log_density(light, torch.cat([music, motion], dim=-1))
        )


def orthogonality(space: UnifiedSpace) -> Tensor:
    """The penalty (), the mean of ||W_i^T W_j||_F^2 over pairs of modalities, for projections with unit columns."""
    matrices = [
        functional.normalize(space.project[name].get_parameter("weight"), dim=1).T for name in MODALITIES
    ]  # width k
    return torch.stack([(a.T @ b).square().sum() for a, b in combinations(matrices, 2)]).mean()


def disagreement(vectors: Triple) -> Tensor:
    """How far (...), from 0 to 2, music, motion and light (..., k) of unit length are from agreeing.

    It is the mean of 1 - cosine over the three pairs.
    """
    return torch.stack([1 - (a * b).sum(dim=-1) for a, b in combinations(vectors, 2)]).mean(dim=0)


def correlation(vectors: Triple, intensity: Tensor) -> Tensor:
    """How far (), from 0 to 2, the three modalities are from agreeing, where the rhythm is intense.

    It is the mean of their ``disagreement``, weighted by the intensity.

    vectors: of music, motion and light, (..., k) of unit length.
    intensity: (...) of the rhythm, 0 or more.
    """
    return (disagreement(vectors) * intensity).sum() / intensity.sum().clamp_min(1e-6)


def contrast(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE () between rows (n, k) of unit length; log(n) is chance."""
    alike = a @ b.T / temperature
    rows, columns = (torch.log_softmax(alike, dim=d).diagonal() for d in (1, 0))
    return -0.5 * (rows + columns).mean()


def shuffled_contrast(space: UnifiedSpace, vectors: Triple, generator: torch.Generator, shuffles: int = 4) -> Tensor:
    """How hard () true triples are to tell from shuffled ones by their density; log(1 + 2 shuffles) is chance.

    Half of the shuffled triples have another motion, the other half another light.

    vectors: of music, motion and light, (n, k).
    generator: draws the shuffles.
    shuffles: of each kind.
    """
    music, motion, light = vectors
    densities = [space.log_density(music, motion, light)]
    for _ in range(shuffles):
        turn = int(torch.randint(1, max(2, len(music)), (1,), generator=generator, device=generator.device))
        densities.append(space.log_density(music, motion.roll(turn, dims=0), light))
        densities.append(space.log_density(music, motion, light.roll(turn, dims=0)))
    return -torch.log_softmax(torch.stack(densities, dim=-1), dim=-1)[..., 0].mean()
