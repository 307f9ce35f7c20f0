"""A patch discriminator, against over-smooth decoded mels, and its hinge losses (MoMu-Diffusion eq. 10)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

SLOPE = 0.2  # of the leaky ReLU for negative values


class PatchDiscriminator(nn.Module):
    """Rates each patch of a mel spectrogram as real or decoded (Isola et al. 2017).

    Three layers halve both axes. The receptive field of an output is 54 frames (0.86 s) by 54 bands.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        widths = (1, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [weight_norm(nn.Conv2d(before, after, 4, stride=2, padding=1)), nn.LeakyReLU(SLOPE)]
        layers += [weight_norm(nn.Conv2d(widths[-1], widths[-1], 3, padding=1)), nn.LeakyReLU(SLOPE)]
        layers.append(weight_norm(nn.Conv2d(widths[-1], 1, 3, padding=1)))
        self.layers = nn.Sequential(*layers)

    def forward(self, mel: Tensor) -> Tensor:
        """Logits (b, t / 8, m / 8) of a normalised mel (b, t, m), high where it looks real."""
        picture = mel[:, None].contiguous(memory_format=torch.channels_last)
        return self.layers(picture)[:, 0].float()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Hinge loss of the discriminator: logits of real patches should exceed 1, those of decoded ones fall below -1."""
    return 0.5 * (functional.relu(1 - real).mean() + functional.relu(1 + fake).mean())


def generator_loss(fake: Tensor) -> Tensor:
    """Hinge loss of the autoencoder: logits of decoded patches should be high."""
    return -fake.mean()
