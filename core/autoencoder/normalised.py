"""An autoencoder that knows the statistics of its own input and latents: physical values in, physical values out."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from core.autoencoder.gaussian import DiagonalGaussian
from core.autoencoder.vae import ConvVAE, pad_to
from core.config import VAEConfig
from core.layers.chunked import chunked

CHUNK, OVERLAP, MARGIN = 128, 48, 8  # latent frames: pieces of a long sequence, what neighbours share, what is unused
MOMENTUM = 0.01  # of the running statistics of the latents


def deviation(frames: Tensor, groups: Iterable[slice] = ()) -> Tensor:
    """(c,) standard deviations of frames (n, c), one for each group of channels and for each channel in none.

    What never changes keeps its scale.
    """
    std = frames.std(dim=0)
    shared = std.clone()
    for place in groups:
        shared[place] = std[place].square().mean().sqrt()
    return torch.where(shared > 1e-5, shared, torch.ones_like(shared))


class NormalisedVAE(ConvVAE):
    """``ConvVAE`` with per-channel statistics as buffers.

    mean, std: (c,) of the input, set once from the training data by ``set_statistics``.
    latent_mean, latent_std: (z,) of the posterior's draws, followed by ``encode`` in training mode as batch norm
    follows its inputs, unless the encoder is frozen. Diffusion works on *standardised* latents: what ``encode_long``
    gives and ``decode_long`` takes.
    ``encode`` and ``decode`` know plain latents; ``standardise`` and ``unstandardise`` go between.
    """

    mean: Tensor
    std: Tensor
    latent_mean: Tensor
    latent_std: Tensor
    latent_updates: Tensor

    def __init__(self, config: VAEConfig) -> None:
        super().__init__(config)
        self.register_buffer("mean", torch.zeros(config.channels))
        self.register_buffer("std", torch.ones(config.channels))
        self.register_buffer("latent_mean", torch.zeros(config.latent_channels))
        self.register_buffer("latent_std", torch.ones(config.latent_channels))
        self.register_buffer("latent_updates", torch.zeros((), dtype=torch.long))

    def set_statistics(self, frames: Tensor) -> None:
        """Take mean and deviation from training frames (n, c); a channel that never changes keeps its scale."""
        self.mean.copy_(frames.mean(dim=0))
        self.std.copy_(deviation(frames))

    def learn_from(self, frames: Tensor) -> None:
        """Before training: take statistics and the start of the linear path from training frames (n, c)."""
        self.set_statistics(frames)
        if self.linear is not None:
            self.linear.start_from(self.normalise(frames))

    def normalise(self, x: Tensor) -> Tensor:
        """(b, t, c) physical -> zero mean, unit deviation."""
        return (x - self.mean) / self.std

    def standardise(self, z: Tensor) -> Tensor:
        """(b, t, z) latents of ``encode`` -> zero mean, unit deviation."""
        return (z - self.latent_mean) / self.latent_std

    def unstandardise(self, z: Tensor) -> Tensor:
        """(b, t, z) standardised latents -> latents for ``decode``."""
        return z * self.latent_std + self.latent_mean

    def encode(self, x: Tensor) -> DiagonalGaussian:
        """(b, t, c) physical -> posterior over (b, ceil(t / stride), z)."""
        posterior = super().encode(self.normalise(x))
        if self.training and not self.frozen:
            self._follow(posterior)
        return posterior

    def decode(self, z: Tensor) -> Tensor:
        """(b, t, z) -> (b, t * stride, c) physical."""
        return super().decode(z) * self.std + self.mean

    @torch.no_grad()
    def encode_long(self, x: Tensor) -> Tensor:
        """(b, t, c) physical of any length -> standardised latents (b, ceil(t / stride), z), with flat memory."""
        s = self.config.stride

        def one(piece: Tensor) -> Tensor:
            return self.standardise(self.encode(piece).mode())

        return chunked(one, pad_to(x, s), 1 / s, CHUNK * s, OVERLAP * s, MARGIN * s)

    @torch.no_grad()
    def decode_long(self, z: Tensor) -> Tensor:
        """Standardised latents (b, t, z) of any length -> (b, t * stride, c) physical, with flat memory."""

        def one(piece: Tensor) -> Tensor:
            return self.decode(self.unstandardise(piece))

        return chunked(one, z, self.config.stride, CHUNK, OVERLAP, MARGIN)

    @torch.no_grad()
    def _follow(self, posterior: DiagonalGaussian) -> None:
        self.latent_updates += 1
        share = max(MOMENTUM, 1 / int(self.latent_updates))
        means = posterior.mean.flatten(0, 1)
        # Of the draws, not of the means: a channel the encoder does not use stays quiet instead of being blown up.
        std = (posterior.variance.flatten(0, 1).mean(dim=0) + means.var(dim=0, unbiased=False)).sqrt()
        self.latent_mean.lerp_(means.mean(dim=0), share)
        self.latent_std.lerp_(std.clamp_min(1e-6), share)
