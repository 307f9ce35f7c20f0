"""The music autoencoder, between log-mels (b, t, 80) at 62.5 frames per second and latents."""

from core.autoencoder.identity import Identity
from core.autoencoder.normalised import NormalisedVAE
from core.config import VAEConfig


class MelVAE(NormalisedVAE):
    """An autoencoder of log-mels, normalised per band.

    It also takes frames of the raw waveform if the configuration says so; see ``core.audio.representation``.
    """


def music_autoencoder(config: VAEConfig) -> MelVAE | Identity:
    """The music autoencoder that the configuration describes: ``MelVAE`` or ``Identity``."""
    return Identity(config) if config.kind == "identity" else MelVAE(config)
