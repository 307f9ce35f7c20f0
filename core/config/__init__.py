"""The configuration of a model as frozen values, with three presets.

``tiny`` is for tests, ``default`` is the embedded model, sized for two CPU cores, and ``paper`` follows MoMu-Diffusion
(NeurIPS 2024), tables 8 and 9.
"""

from core.config.model import Config, both_ways, on_stage, read, taught, with_denoiser, with_styles, with_teachers
from core.config.parts import (
    AUTOENCODERS,
    MUSIC,
    DenoiserConfig,
    DiffusionConfig,
    Modality,
    SamplingConfig,
    SignalConfig,
    TeacherConfig,
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
    "TeacherConfig",
    "TheatreConfig",
    "VAEConfig",
    "VocoderConfig",
    "both_ways",
    "on_stage",
    "preset",
    "read",
    "taught",
    "with_denoiser",
    "with_styles",
    "with_teachers",
    "with_theatre",
]
