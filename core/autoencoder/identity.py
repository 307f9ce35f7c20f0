"""No autoencoder: normalised frames are their own latents.

With it in the place of the motion autoencoder, diffusion runs on the motion features themselves, as in EDGE (Tseng,
Castellon & Liu, CVPR 2023); in the place of the music autoencoder, the denoiser is told hand-made features.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from core.autoencoder.gaussian import DiagonalGaussian
from core.autoencoder.normalised import deviation
from core.config import VAEConfig

CERTAIN = -30.0  # log-variance of a posterior that has no doubt


class Identity(nn.Module):
    """The interface of ``NormalisedVAE`` without networks. Its state is the statistics of the training data alone.

    mean, std: (c,) of the input. Latents are the normalised input, frame by frame, and standard already.
    groups: slices of channels that share one deviation, see ``MotionVAE``.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: VAEConfig, groups: Iterable[slice] = ()) -> None:
        super().__init__()
        assert config.kind == "identity", "a configuration with networks needs them"
        self.config, self.groups = config, tuple(groups)
        self.register_buffer("mean", torch.zeros(config.channels))
        self.register_buffer("std", torch.ones(config.channels))

    def set_statistics(self, frames: Tensor) -> None:
        """Take mean (by channel) and standard deviation (by group) from training frames (n, c)."""
        self.mean.copy_(frames.mean(dim=0))
        self.std.copy_(deviation(frames, self.groups))

    def learn_from(self, frames: Tensor) -> None:
        """All that there is to learn: see ``set_statistics``."""
        self.set_statistics(frames)

    def normalise(self, x: Tensor) -> Tensor:
        """(b, t, c) physical -> zero mean, unit deviation."""
        return (x - self.mean) / self.std

    def standardise(self, z: Tensor) -> Tensor:
        """(b, t, c) latents -> themselves: they are standard already."""
        return z

    def unstandardise(self, z: Tensor) -> Tensor:
        """(b, t, c) standardised latents -> themselves."""
        return z

    def encode(self, x: Tensor) -> DiagonalGaussian:
        """(b, t, c) physical -> a posterior (b, t, c) without doubt."""
        z = self.normalise(x).float()
        return DiagonalGaussian(z, torch.full_like(z, CERTAIN))

    def decode(self, z: Tensor) -> Tensor:
        """(b, t, c) -> (b, t, c) physical."""
        return z.float() * self.std + self.mean

    @torch.no_grad()
    def encode_long(self, x: Tensor) -> Tensor:
        """(b, t, c) physical -> latents (b, t, c); any length at once, for each frame stands alone."""
        return self.encode(x).mode()

    @torch.no_grad()
    def decode_long(self, z: Tensor) -> Tensor:
        """Latents (b, t, c) -> (b, t, c) physical."""
        return self.decode(z)
