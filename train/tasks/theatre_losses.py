"""The theatre paper's losses on a dance: L_beat, L_smooth and L_coherence, and the revised weight of L_beat."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.protocol import ACCENTS
from core.theatre.space import Triple, disagreement

SPARSEST = 0.5  # beats a second; sparser music counts as if it had so many
USUAL_DENSITY = 1.8  # beats a second at which L_beat has its own weight


def mean_speeds(positions: Tensor, fps: float) -> Tensor:
    """The mean joint speed (b, t - 1), m/s, of positions (b, t, j, 3)."""
    return positions.diff(dim=1).norm(dim=-1).mean(dim=-1) * fps


def expected_amplitude(usual: Tensor, strength: Tensor, accent: Tensor, gain: float) -> Tensor:
    """A_t (b, t): how fast a body is to move on each beat.

    A dancer who strikes moves the faster the stronger the beat is, one who arrives the slower.

    usual: (b,) the dance's own mean speed.
    strength: (b, t) of the beat on each frame.
    accent: (b,) index in ``ACCENTS``.
    gain: by which share a beat of full strength differs from the usual.
    """
    sign = torch.where(accent == ACCENTS.index("strike"), 1.0, -1.0).to(usual)
    return usual[:, None] * (1 + gain * sign[:, None] * strength).clamp_min(0)


def beat_loss(speed: Tensor, usual: Tensor, strength: Tensor, accent: Tensor, gain: float) -> Tensor:
    """L_beat (), eq. 5: the mean over beats of (||dp_t|| - A_t)^2, in units of the dance's own mean speed.

    Errors beyond that speed count linearly (Huber), so that a body that is still noise does not outweigh all others.

    speed: (b, t) the mean joint speed, m/s.
    usual, strength, accent, gain: as of ``expected_amplitude``.
    """
    expected = expected_amplitude(usual, strength, accent, gain)
    unit = usual[:, None].clamp_min(1e-3)
    error = 2 * functional.huber_loss(speed / unit, expected / unit, reduction="none")
    on_beat = (strength > 0).to(error)
    return (error * on_beat).sum() / on_beat.sum().clamp_min(1)


def smooth_loss(positions: Tensor, fps: float) -> Tensor:
    """L_smooth (), eq. 6: the mean of ||p_(t+1) - 2 p_t + p_(t-1)||^2 over joints, in (m/s)^2 per frame.

    positions: (b, t, j, 3) metres.
    fps: frames per second.
    """
    return (positions.diff(n=2, dim=1) * fps).square().sum(dim=-1).mean()


def coherence_loss(vectors: Triple) -> Tensor:
    """L_coherence (), eq. 4: the mean of 1 - cosine over the pairs of music, motion and light (b, s, k)."""
    return disagreement(vectors).mean()


def tempo_density(rhythm: Tensor, tempo_channel: int, known_channel: int) -> Tensor:
    """The mean number of beats a second () of a batch of rhythm features (b, t, r); the usual one without any beats."""
    known = rhythm[..., known_channel]
    density = (2.0 ** rhythm[..., tempo_channel]) * 2.0  # 120 beats a minute are 2 a second
    return (density * known).sum() / known.sum() if bool(known.any()) else rhythm.new_tensor(USUAL_DENSITY)


class BeatWeight(nn.Module):
    """The weight of L_beat, revised every 100 steps by the tempo density of the batch (section 5.1).

    A choice, because the paper gives no formula: the weight falls with the density, so that a second of dense music
    counts no more than one of sparse music. The current weight belongs to the state of a run.
    """

    factor: Tensor

    def __init__(self, every: int = 100) -> None:
        super().__init__()
        self.every = every
        self.register_buffer("factor", torch.ones(()))

    @torch.no_grad()
    def revised(self, density: Tensor, step: int) -> Tensor:
        """The factor () at a step. In training it is revised in each hundredth."""
        if self.training and step % self.every == 0:
            self.factor.copy_(USUAL_DENSITY / density.clamp_min(SPARSEST))
        return self.factor
