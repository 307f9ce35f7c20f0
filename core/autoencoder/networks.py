"""Autoencoders by modality, between frames (b, t, c) of its representation and latents."""

from __future__ import annotations

from core.autoencoder.identity import Identity
from core.autoencoder.normalised import NormalisedVAE
from core.config import MUSIC, Modality
from core.errors import FootlightError
from core.motion.layouts import layout_named

Autoencoder = NormalisedVAE | Identity


def autoencoder_of(modality: Modality) -> Autoencoder:
    """The autoencoder that a modality's configuration describes, with initial weights.

    The channels of a slice of a motion layout share one deviation, as in HumanML3D (Guo et al. 2022). Otherwise a joint
    that hardly turns would be scaled up to one that swings. Frames of music are normalised per channel.

    Raises FootlightError for an unknown representation, and for a layout of another number of channels.
    """
    config, name, groups = modality.autoencoder, modality.representation, ()
    if name not in MUSIC:
        layout = layout_named(name)
        if layout.channels != config.channels:
            raise FootlightError(
                f"the autoencoder has {config.channels} channels, but layout {name} has {layout.channels}: "
                "set both together"
            )
        groups = tuple(layout.slices.values())
    return Identity(config, groups) if config.kind == "identity" else NormalisedVAE(config, groups)
