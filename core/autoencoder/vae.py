"""The 1-D convolutional variational autoencoder of both modalities (MoMu-Diffusion, table 8).

It has levels of growing width; the deepest transitions between levels halve time. Blocks are residual, with GroupNorm
and SiLU. Self-attention follows every block of the deepest level, which also serves as the middle. The paper gives
213 M parameters for its hyper-parameters but no base width; with 384, this shape has 212 M. (Image autoencoders have a
separate middle, two more blocks at full width on either side, which would add half as many again.)

With ``config.linear``, a linear map of non-overlapping patches runs in parallel to each network, and the networks learn
the residual. The map starts as the principal components of the data (``start_from``), so training starts from the best
linear code. A network of this size alone needs hours on a CPU to get there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.autoencoder.gaussian import DiagonalGaussian
from core.config import VAEConfig
from core.layers.blocks import (
    ResidualBlock,
    SelfAttention,
    conv,
    downsample,
    from_picture,
    group_norm,
    to_picture,
    upsample,
)


def _halves(config: VAEConfig) -> list[bool]:
    """For each transition between neighbouring levels, shallow to deep: whether it halves time."""
    transitions = len(config.multipliers) - 1
    assert 0 <= config.halvings <= transitions, "every halving needs a transition between two levels"
    return [i >= transitions - config.halvings for i in range(transitions)]


class Encoder(nn.Module):
    """Maps a sequence (b, t, c) to moments (b, t / stride, 2z)."""

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
    """Maps latents (b, t, z) to a sequence (b, t * stride, c).

    As is usual, it has one block more per level than the encoder.

    last: the layer with which the last level begins, which is a small part of the whole network.
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        widths = [config.width * m for m in config.multipliers][::-1]
        halves = _halves(config)[::-1]
        layers: list[nn.Module] = [conv(config.latent_channels, widths[0], config.kernel)]
        before = widths[0]
        for level, width in enumerate(widths):
            self.last = len(layers)
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
        return self.fine(self.coarse(z))

    def coarse(self, z: Tensor) -> Tensor:
        """The activations (b, t * stride, width) that enter the last level, from latents (b, t, z)."""
        return from_picture(self.layers[: self.last](to_picture(z)))

    def fine(self, coarse: Tensor) -> Tensor:
        """A sequence (b, t * stride, c) from the activations of ``coarse``."""
        return from_picture(self.layers[self.last :](to_picture(coarse)))


class LinearPath(nn.Module):
    """A linear map from patches of ``stride`` frames of (b, t, c) to latents (b, t / stride, z), and one back."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.stride = config.stride
        self.into = nn.Linear(config.stride * config.channels, config.latent_channels)
        self.out = nn.Linear(config.latent_channels, config.stride * config.channels)

    def encode(self, x: Tensor) -> Tensor:
        return self.into(x.unflatten(1, (-1, self.stride)).flatten(2))

    def decode(self, z: Tensor) -> Tensor:
        return self.out(z).unflatten(2, (self.stride, -1)).flatten(1, 2)

    @torch.no_grad()
    def start_from(self, frames: Tensor) -> None:
        """Initialise with the principal components of frames (n, c), randomly rotated, of unit variance on average.

        Because of the rotation, every latent channel carries a similar share of the signal. The components are not
        whitened, so diffusion generates the large movements of the data before the small ones.
        """
        patches = frames[: len(frames) // self.stride * self.stride].float().reshape(-1, self.into.in_features)
        mean, width = patches.mean(dim=0), self.into.out_features
        variance, basis = torch.linalg.eigh(torch.cov(patches.T))  # ascending
        basis, scale = basis[:, -width:], variance[-width:].clamp_min(1e-12).mean().sqrt()
        generator = torch.Generator().manual_seed(0)
        turn = torch.linalg.qr(torch.randn(width, width, generator=generator)).Q
        self.into.weight.copy_((basis @ turn).T / scale)
        self.into.bias.copy_(-self.into.weight @ mean)
        self.out.weight.copy_(basis @ turn * scale)
        self.out.bias.copy_(mean)


QUIET = -6.0  # initial log-variance of an encoder with a linear path


class ConvVAE(nn.Module):
    """Encoder and decoder with a Gaussian over latents at 1 / ``config.stride`` of the frame rate."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.linear = LinearPath(config) if config.linear else None
        if self.linear is not None:
            for last in (self.encoder.layers[-1], self.decoder.layers[-1]):
                nn.init.zeros_(last.get_parameter("weight"))
                nn.init.zeros_(last.get_parameter("bias"))
            nn.init.constant_(self.encoder.layers[-1].get_parameter("bias")[config.latent_channels :], QUIET)

    def freeze_encoder(self) -> None:
        """Train only the decoder from now on, so that latents, and models trained on them, stay valid."""
        self.encoder.requires_grad_(False)
        if self.linear is not None:
            self.linear.into.requires_grad_(False)

    @property
    def frozen(self) -> bool:
        """Whether the encoder is frozen, so that latents do not change."""
        return not any(p.requires_grad for p in self.encoder.parameters())

    def encode(self, x: Tensor) -> DiagonalGaussian:
        """The posterior over latents (b, ceil(t / stride), z) of (b, t, c). The last frame is repeated as padding."""
        x = pad_to(x, self.config.stride)
        moments = self.encoder(x).float()  #                          b t' 2z
        if self.linear is not None:
            moments = moments + functional.pad(self.linear.encode(x).float(), (0, self.config.latent_channels))
        return DiagonalGaussian.from_moments(moments)

    def decode(self, z: Tensor) -> Tensor:
        """A sequence (b, t * stride, c) from latents (b, t, z)."""
        return self._with_linear(self.decoder(z), z)

    def coarse(self, z: Tensor) -> Tensor:
        """The activations (b, t * stride, width) of latents (b, t, z) that enter the decoder's last level."""
        return self.decoder.coarse(z)

    def detailed(self, coarse: Tensor, z: Tensor) -> Tensor:
        """A sequence (b, t * stride, c) from activations of ``coarse``, changed or not, and their latents."""
        return self._with_linear(self.decoder.fine(coarse), z)

    def _with_linear(self, decoded: Tensor, z: Tensor) -> Tensor:
        """What the decoder made (b, t * stride, c) of latents (b, t, z), with what the linear path adds to it."""
        return decoded.float() if self.linear is None else decoded.float() + self.linear.decode(z).float()


def pad_to(x: Tensor, multiple: int) -> Tensor:
    """Repeat the last frame of (b, t, c) until t is a multiple of ``multiple``."""
    missing = -x.shape[1] % multiple
    return torch.cat([x, x[:, -1:].expand(-1, missing, -1)], dim=1) if missing else x
