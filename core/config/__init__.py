"""The configuration of a model as frozen values, with three presets.

``tiny`` is for tests, ``default`` is the embedded model, sized for two CPU cores, and ``paper`` follows MoMu-Diffusion
(NeurIPS 2024), tables 8 and 9.
"""

from core.config.model import Config, both_ways, on_stage, read, with_denoiser, with_styles
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
from core.config.presets import LIGHT, PRESETS, preset, with_theatre
from core.config.theatre import TheatreConfig

__all__ = [
    "AUTOENCODERS",
    "LIGHT",
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
    "on_stage",
    "preset",
    "read",
    "with_denoiser",
    "with_styles",
    "with_theatre",
]
