"""The motion autoencoder: features of a motion layout (b, t, c) <-> latents."""

from __future__ import annotations

import torch
from torch import Tensor

from core.autoencoder.normalised import NormalisedVAE
from core.config import VAEConfig
from core.motion.layouts import layout_named
from core.types import FootlightError


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
        super().set_statistics(frames)
        std = frames.std(dim=0)
        for place in self.layout.slices.values():
            shared = std[place].square().mean().sqrt()
            self.std[place] = torch.where(shared > 1e-5, shared, torch.ones_like(shared))
