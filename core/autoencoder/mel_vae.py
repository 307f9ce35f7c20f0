"""The music autoencoder: log-mel (b, t, 80) at 62.5 frames a second <-> latents."""

from core.autoencoder.identity import Identity
from core.autoencoder.normalised import NormalisedVAE
from core.config import VAEConfig


class MelVAE(NormalisedVAE):
    """Natural-log mel magnitudes in and out, normalised band by band.

    The same class takes frames of the bare waveform where the configuration says so; see ``core.audio.representation``.
    """


def music_autoencoder(config: VAEConfig) -> MelVAE | Identity:
    """What the configuration asks for between frames of the music and latents."""
    return Identity(config) if config.kind == "identity" else MelVAE(config)
