"""The identity in place of an autoencoder: normalised frames are the latents.

In place of the motion autoencoder, diffusion runs on the motion features themselves, as in EDGE (Tseng, Castellon &
Liu, CVPR 2023). In place of the music autoencoder, the denoiser is conditioned on hand-made features.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from core.autoencoder.gaussian import DiagonalGaussian
from core.autoencoder.normalised import deviation
from core.config import VAEConfig

CERTAIN = -30.0  # log-variance of a posterior without uncertainty


class Identity(nn.Module):
    """The interface of ``NormalisedVAE`` without networks. Its only state is the statistics of the training data.

    Latents are the normalised input, frame by frame, so they are already standardised.

    mean: (c,) of the input.
    std: (c,) of the input.
    groups: slices of channels that share one deviation; see ``core.autoencoder.networks``.
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
        """Set the mean (per channel) and the standard deviation (per group) from training frames (n, c)."""
        self.mean.copy_(frames.mean(dim=0))
        self.std.copy_(deviation(frames, self.groups))

    def learn_from(self, frames: Tensor) -> None:
        """Set the statistics from training frames (n, c). There is nothing else to learn."""
        self.set_statistics(frames)

    def normalise(self, x: Tensor) -> Tensor:
        """Normalise frames (b, t, c) in physical units to zero mean and unit deviation."""
        return (x - self.mean) / self.std

    def standardise(self, z: Tensor) -> Tensor:
        """Latents (b, t, c) unchanged: they are already standardised."""
        return z

    def unstandardise(self, z: Tensor) -> Tensor:
        """Standardised latents (b, t, c) unchanged."""
        return z

    def encode(self, x: Tensor) -> DiagonalGaussian:
        """A posterior over latents (b, t, c) without uncertainty, for frames (b, t, c) in physical units."""
        z = self.normalise(x).float()
        return DiagonalGaussian(z, torch.full_like(z, CERTAIN))

    def decode(self, z: Tensor) -> Tensor:
        """Frames (b, t, c) in physical units from latents (b, t, c)."""
        return z.float() * self.std + self.mean

    def coarse(self, z: Tensor) -> Tensor:
        """Latents (b, t, c) unchanged: there is nothing between them and the frames."""
        return z

    def detailed(self, coarse: Tensor, z: Tensor) -> Tensor:
        """Frames (b, t, c) in physical units from what ``coarse`` returned."""
        return self.decode(coarse)

    @torch.no_grad()
    def encode_long(self, x: Tensor) -> Tensor:
        """Latents (b, t, c) of frames (b, t, c) of any length. Frames are independent, so no chunks are needed."""
        return self.encode(x).mode()

    @torch.no_grad()
    def decode_long(self, z: Tensor) -> Tensor:
        """Frames (b, t, c) in physical units from latents (b, t, c) of any length."""
        return self.decode(z)

    @staticmethod
    def decoded_from(frames: int) -> int:
        """How many latents ``decode_long`` needs to give the first ``frames`` of them: frames are independent."""
        return frames
