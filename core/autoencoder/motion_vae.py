"""The motion autoencoder: features of a motion layout (b, t, c) <-> latents."""

from __future__ import annotations

from torch import Tensor

from core.autoencoder.identity import Identity
from core.autoencoder.normalised import NormalisedVAE, deviation
from core.config import VAEConfig
from core.errors import FootlightError
from core.motion.layouts import layout_named


class MotionVAE(NormalisedVAE):
    """Features of ``layout`` in and out.

    The channels of one slice of the layout share their deviation: a joint that hardly turns must not be magnified to
    the size of one that swings (as HumanML3D does, Guo et al. 2022).
    """

    def __init__(self, config: VAEConfig, layout: str = "smpl22-6d") -> None:
        super().__init__(config)
        self.layout = layout_named(layout)
        if self.layout.channels != config.channels:
            raise FootlightError(
                f"the motion autoencoder has {config.channels} channels, but layout {layout} has "
                f"{self.layout.channels}: set both together"
            )

    def set_statistics(self, frames: Tensor) -> None:
        """Take mean (by channel) and standard deviation (by slice) from training frames (n, c)."""
        self.mean.copy_(frames.mean(dim=0))
        self.std.copy_(deviation(frames, self.layout.slices.values()))


def motion_autoencoder(config: VAEConfig, layout: str = "smpl22-6d") -> MotionVAE | Identity:
    """What the configuration asks for between motion features and latents."""
    if config.kind == "identity":
        return Identity(config, layout_named(layout).slices.values())
    return MotionVAE(config, layout)
