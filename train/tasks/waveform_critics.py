"""Critics of sound for the vocoder, sized for a CPU: periods of the waveform, and spectra of several resolutions.

Multi-period after HiFi-GAN (Kong et al. 2020), multi-resolution after UnivNet (Jang et al. 2021), with hinge losses and
feature matching (Kumar et al. 2019). A critic returns its scores and the features of its layers.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

SLOPE = 0.1  # of the leaky ReLU
Verdict = tuple[Tensor, list[Tensor]]


class PeriodCritic(nn.Module):
    """Judges the waveform folded into rows of ``period`` samples. Convolutions go down the columns."""

    def __init__(self, period: int, widths: tuple[int, ...] = (8, 16, 32, 64)) -> None:
        super().__init__()
        self.period = period
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (5, 1), (3, 1), padding=(2, 0)))
            for before, after in pairwise((1, *widths))
        )
        self.last = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, samples: Tensor) -> Verdict:
        """Scores (b, 1, s', period) and features of samples (b, s)."""
        short = -samples.shape[-1] % self.period
        folded = functional.pad(samples, (0, short)).unflatten(-1, (-1, self.period))[:, None]
        return _through(self.layers, self.last, folded)


class SpectrumCritic(nn.Module):
    """Judges the log-magnitudes of a short-time spectrum as a picture."""

    def __init__(self, n_fft: int, width: int = 16) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, width, (3, 9), (1, 2), padding=(1, 4))) for before in (1, width, width, width)
        )
        self.last = weight_norm(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, samples: Tensor) -> Verdict:
        """Scores (b, 1, t, f') and features of samples (b, s)."""
        picture = log_spectrum(samples, self.n_fft)[:, None]  #       b 1 t f
        return _through(self.layers, self.last, picture)


class Critics(nn.Module):
    """All critics of one waveform."""

    def __init__(self, periods: tuple[int, ...] = (2, 5, 11), resolutions: tuple[int, ...] = (256, 1024)) -> None:
        super().__init__()
        self.critics = nn.ModuleList([PeriodCritic(period) for period in periods])
        self.critics.extend(SpectrumCritic(n_fft) for n_fft in resolutions)

    def forward(self, samples: Tensor) -> list[Verdict]:
        """Every critic's scores and features of samples (b, s)."""
        return [critic(samples) for critic in self.critics]


def log_spectrum(samples: Tensor, n_fft: int) -> Tensor:
    """Log-magnitudes (b, t, n_fft / 2 + 1) of samples (b, s), at a hop of a quarter frame, with a floor at 16 bits."""
    with torch.autocast(samples.device.type, enabled=False):
        window = torch.hann_window(n_fft, device=samples.device)
        frames = samples.float().unfold(-1, n_fft, n_fft // 4) * window
        return torch.fft.rfft(frames).abs().clamp_min(1e-3).log()


def critic_loss(real: list[Verdict], fake: list[Verdict]) -> Tensor:
    """Hinge loss: real scores above 1, decoded ones below -1. The mean over critics."""
    losses = [
        functional.relu(1 - true.float()).mean() + functional.relu(1 + made.float()).mean()
        for (true, _), (made, _) in zip(real, fake, strict=True)
    ]
    return torch.stack(losses).mean()


def deception_loss(fake: list[Verdict]) -> Tensor:
    """The vocoder's loss for low scores."""
    return torch.stack([-scores.float().mean() for scores, _ in fake]).mean()


def matching_loss(real: list[Verdict], fake: list[Verdict]) -> Tensor:
    """The distance of features relative to their size."""
    losses = [
        (made.float() - true.float()).abs().mean() / true.float().abs().mean().clamp_min(1e-3)
        for (_, truths), (_, features) in zip(real, fake, strict=True)
        for true, made in zip(truths, features, strict=True)
    ]
    return torch.stack(losses).mean()


def _through(layers: nn.ModuleList, last: nn.Module, x: Tensor) -> Verdict:
    features = []
    for layer in layers:
        x = functional.leaky_relu(layer(x.contiguous(memory_format=torch.channels_last)), SLOPE)
        features.append(x)
    return last(x), features
