"""The configuration of a model as frozen values, with three presets.

``tiny`` is for tests, ``default`` is the embedded model, sized for two CPU cores, and ``paper`` follows MoMu-Diffusion
(NeurIPS 2024), tables 8 and 9.
"""

from core.config.model import Config, both_ways, read, with_denoiser, with_styles
from core.config.parts import (
    AUTOENCODERS,
    MUSIC,
    DenoiserConfig,
    DiffusionConfig,
    Modality,
    SamplingConfig,
    SignalConfig,
    VAEConfig,
    VocoderConfig,
)
from core.config.presets import PRESETS, preset
from core.config.theatre import TheatreConfig

__all__ = [
    "AUTOENCODERS",
    "MUSIC",
    "PRESETS",
    "Config",
    "DenoiserConfig",
    "DiffusionConfig",
    "Modality",
    "SamplingConfig",
    "SignalConfig",
    "TheatreConfig",
    "VAEConfig",
    "VocoderConfig",
    "both_ways",
    "preset",
    "read",
    "with_denoiser",
    "with_styles",
]
