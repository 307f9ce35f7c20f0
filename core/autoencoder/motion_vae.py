"""The motion autoencoder, between features (b, t, c) of a motion layout and latents."""

from __future__ import annotations

from torch import Tensor

from core.autoencoder.identity import Identity
from core.autoencoder.normalised import NormalisedVAE, deviation
from core.config import VAEConfig
from core.errors import FootlightError
from core.motion.layouts import layout_named


class MotionVAE(NormalisedVAE):
    """An autoencoder of the features of ``layout``.

    The channels of a slice of the layout share one deviation, as in HumanML3D (Guo et al. 2022). Otherwise a joint that
    hardly turns would be scaled up to one that swings.

    Raises FootlightError when the configuration and the layout differ in the number of channels.
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
        """Set the mean (per channel) and the standard deviation (per slice) from training frames (n, c)."""
        self.mean.copy_(frames.mean(dim=0))
        self.std.copy_(deviation(frames, self.layout.slices.values()))


def motion_autoencoder(config: VAEConfig, layout: str = "smpl22-6d") -> MotionVAE | Identity:
    """The motion autoencoder that the configuration describes: ``MotionVAE`` or ``Identity``."""
    if config.kind == "identity":
        return Identity(config, layout_named(layout).slices.values())
    return MotionVAE(config, layout)
