"""An autoencoder that normalises its input and latents itself: physical values in, physical values out."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from core.autoencoder.gaussian import DiagonalGaussian
from core.autoencoder.vae import ConvVAE, pad_to
from core.config import VAEConfig
from core.layers.chunked import chunked, covering

CHUNK = 128  # latent frames of a chunk of a long sequence
OVERLAP = 48  # latent frames that neighbouring chunks share
MARGIN = 8  # latent frames at the inner ends of a chunk that are dropped
TOGETHER = 8  # chunks of a long sequence in one batch: twice as fast as one by one, since weights are laid out once
MOMENTUM = 0.01  # of the running statistics of the latents


def deviation(frames: Tensor, groups: Iterable[slice] = ()) -> Tensor:
    """Standard deviations (c,) of frames (n, c), one per group of channels, and one per channel outside of groups.

    A channel that never changes gets 1, so it keeps its scale.
    """
    std = frames.std(dim=0)
    shared = std.clone()
    for place in groups:
        shared[place] = std[place].square().mean().sqrt()
    return torch.where(shared > 1e-5, shared, torch.ones_like(shared))


class NormalisedVAE(ConvVAE):
    """``ConvVAE`` with per-channel statistics as buffers.

    Diffusion works on *standardised* latents, which ``encode_long`` returns and ``decode_long`` takes. ``encode`` and
    ``decode`` use plain latents. ``standardise`` and ``unstandardise`` convert between the two.

    mean: (c,) of the input, set once from the training data by ``set_statistics``.
    std: (c,) of the input, likewise.
    groups: slices of channels that share one deviation; see ``core.autoencoder.networks``.
    latent_mean: (z,) running mean of latents drawn from the posterior. ``encode`` updates it in training mode, as batch
        norm does, unless the encoder is frozen.
    latent_std: (z,) their running standard deviation.
    latent_updates: () number of updates so far.
    """

    mean: Tensor
    std: Tensor
    latent_mean: Tensor
    latent_std: Tensor
    latent_updates: Tensor

    def __init__(self, config: VAEConfig, groups: Iterable[slice] = ()) -> None:
        super().__init__(config)
        self.groups = tuple(groups)
        self.register_buffer("mean", torch.zeros(config.channels))
        self.register_buffer("std", torch.ones(config.channels))
        self.register_buffer("latent_mean", torch.zeros(config.latent_channels))
        self.register_buffer("latent_std", torch.ones(config.latent_channels))
        self.register_buffer("latent_updates", torch.zeros((), dtype=torch.long))

    def set_statistics(self, frames: Tensor) -> None:
        """Set mean (by channel) and deviation (by group) from training frames (n, c).

        A channel that never changes keeps its scale.
        """
        self.mean.copy_(frames.mean(dim=0))
        self.std.copy_(deviation(frames, self.groups))

    def learn_from(self, frames: Tensor) -> None:
        """Set the statistics and initialise the linear path from training frames (n, c), before training."""
        self.set_statistics(frames)
        if self.linear is not None:
            self.linear.start_from(self.normalise(frames))

    def normalise(self, x: Tensor) -> Tensor:
        """Normalise frames (b, t, c) in physical units to zero mean and unit deviation."""
        return (x - self.mean) / self.std

    def standardise(self, z: Tensor) -> Tensor:
        """Standardise latents (b, t, z) of ``encode`` to zero mean and unit deviation."""
        return (z - self.latent_mean) / self.latent_std

    def unstandardise(self, z: Tensor) -> Tensor:
        """Latents (b, t, z) for ``decode`` from standardised ones."""
        return z * self.latent_std + self.latent_mean

    def encode(self, x: Tensor) -> DiagonalGaussian:
        """The posterior over latents (b, ceil(t / stride), z) of frames (b, t, c) in physical units."""
        posterior = super().encode(self.normalise(x))
        if self.training and not self.frozen:
            self._follow(posterior)
        return posterior

    def decode(self, z: Tensor) -> Tensor:
        """Frames (b, t * stride, c) in physical units from latents (b, t, z)."""
        return super().decode(z) * self.std + self.mean

    def detailed(self, coarse: Tensor, z: Tensor) -> Tensor:
        """Frames (b, t * stride, c) in physical units from activations of ``coarse``, changed or not, and latents."""
        return super().detailed(coarse, z) * self.std + self.mean

    @torch.no_grad()
    def encode_long(self, x: Tensor) -> Tensor:
        """Standardised latents (b, ceil(t / stride), z) of frames (b, t, c) of any length, in constant memory."""
        s = self.config.stride

        def one(piece: Tensor) -> Tensor:
            return self.standardise(self.encode(piece).mode())

        return chunked(one, pad_to(x, s), 1 / s, CHUNK * s, OVERLAP * s, MARGIN * s, TOGETHER)

    @torch.no_grad()
    def decode_long(self, z: Tensor) -> Tensor:
        """Frames (b, t * stride, c) from standardised latents (b, t, z) of any length, in constant memory."""

        def one(piece: Tensor) -> Tensor:
            return self.decode(self.unstandardise(piece))

        return chunked(one, z, self.config.stride, CHUNK, OVERLAP, MARGIN, TOGETHER)

    @staticmethod
    def decoded_from(frames: int) -> int:
        """How many latents ``decode_long`` needs to give the first ``frames`` of them as in a longer sequence."""
        return covering(frames, CHUNK, OVERLAP, MARGIN)

    @torch.no_grad()
    def _follow(self, posterior: DiagonalGaussian) -> None:
        self.latent_updates += 1
        share = max(MOMENTUM, 1 / int(self.latent_updates))
        means = posterior.mean.flatten(0, 1)
        # The deviation of draws, not of means: otherwise a channel that the encoder does not use would be scaled up.
        std = (posterior.variance.flatten(0, 1).mean(dim=0) + means.var(dim=0, unbiased=False)).sqrt()
        self.latent_mean.lerp_(means.mean(dim=0), share)
        self.latent_std.lerp_(std.clamp_min(1e-6), share)
