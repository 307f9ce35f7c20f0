"""The autoencoder that a modality's configuration asks for: frames of its representation (b, t, c) <-> latents."""

from __future__ import annotations

from core.autoencoder.identity import Identity
from core.autoencoder.normalised import NormalisedVAE
from core.config import MUSIC, Modality
from core.errors import FootlightError
from core.motion.layouts import layout_named


def autoencoder_of(modality: Modality) -> NormalisedVAE | Identity:
    """The network with fresh weights.

    The channels of one slice of a layout share their deviation: a joint that hardly turns must not be magnified to the
    size of one that swings (as HumanML3D does, Guo et al. 2022). Frames of music are normalised channel by channel.
    Raises FootlightError for an unknown representation, and for a layout of another width.
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
