"""The 1-D convolutional autoencoder of both modalities (MoMu-Diffusion, table 8).

Levels of growing width, the deepest transitions halving time; residual blocks with GroupNorm and SiLU; self-attention
after every block of the deepest level, which is also the middle. The paper gives 213 M parameters for its table of
hyper-parameters but no base width; with 384 this shape comes to 212 M. (The separate middle of image autoencoders,
two more blocks at full width on either side, would add half as many again.)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.autoencoder.blocks import (
    ResidualBlock,
    SelfAttention,
    conv,
    downsample,
    from_picture,
    group_norm,
    to_picture,
    upsample,
)
from core.autoencoder.gaussian import DiagonalGaussian
from core.config import VAEConfig


def _halves(config: VAEConfig) -> list[bool]:
    """For each transition between neighbouring levels, shallow to deep: does it halve time?"""
    transitions = len(config.multipliers) - 1
    assert 0 <= config.halvings <= transitions, "every halving needs a transition between two levels"
    return [i >= transitions - config.halvings for i in range(transitions)]


class Encoder(nn.Module):
    """(b, t, c) -> moments (b, t / stride, 2z)."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        widths = [config.width * m for m in config.multipliers]
        layers: list[nn.Module] = [conv(config.channels, widths[0], config.kernel)]
        before = widths[0]
        for level, width in enumerate(widths):
            deepest = level == len(widths) - 1
            for _ in range(config.blocks):
                layers.append(ResidualBlock(before, width, config.kernel))
                if deepest:
                    layers.append(SelfAttention(width, config.heads))
                before = width
            if not deepest and _halves(config)[level]:
                layers.append(downsample(width))
        layers += [group_norm(before), nn.SiLU()]
        layers.append(conv(before, 2 * config.latent_channels, config.kernel))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return from_picture(self.layers(to_picture(x)))


class Decoder(nn.Module):
    """(b, t, z) -> (b, t * stride, c). One block a level more than the encoder, as the family has it."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        widths = [config.width * m for m in config.multipliers][::-1]
        halves = _halves(config)[::-1]
        layers: list[nn.Module] = [conv(config.latent_channels, widths[0], config.kernel)]
        before = widths[0]
        for level, width in enumerate(widths):
            for _ in range(config.blocks + 1):
                layers.append(ResidualBlock(before, width, config.kernel))
                if level == 0:
                    layers.append(SelfAttention(width, config.heads))
                before = width
            if level < len(widths) - 1 and halves[level]:
                layers.append(upsample(width))
        layers += [group_norm(before), nn.SiLU()]
        layers.append(conv(before, config.channels, config.kernel))
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return from_picture(self.layers(to_picture(z)))


class ConvVAE(nn.Module):
    """Encoder and decoder around a Gaussian over latents that are ``config.stride`` times slower."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def encode(self, x: Tensor) -> DiagonalGaussian:
        """(b, t, c) -> posterior over (b, ceil(t / stride), z); a rest that fills no latent frame is held."""
        return DiagonalGaussian.from_moments(self.encoder(pad_to(x, self.config.stride)))

    def decode(self, z: Tensor) -> Tensor:
        """(b, t, z) -> (b, t * stride, c)."""
        return self.decoder(z).float()


def pad_to(x: Tensor, multiple: int) -> Tensor:
    """(b, t, c) with the last frame repeated until t is a multiple of ``multiple``."""
    missing = -x.shape[1] % multiple
    return torch.cat([x, x[:, -1:].expand(-1, missing, -1)], dim=1) if missing else x
