"""The music autoencoder: log-mel (b, t, 80) at 62.5 frames a second <-> latents."""

from core.autoencoder.normalised import NormalisedVAE


class MelVAE(NormalisedVAE):
    """Natural-log mel magnitudes in and out, normalised band by band."""
