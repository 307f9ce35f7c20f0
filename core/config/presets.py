"""The presets: ``tiny`` for tests, ``default`` for two CPU cores, ``paper`` after MoMu-Diffusion's tables 8 and 9."""

from __future__ import annotations

import dataclasses

from core.config.model import Config, both_ways
from core.config.parts import (
    DenoiserConfig,
    DiffusionConfig,
    Modality,
    SamplingConfig,
    SignalConfig,
    VAEConfig,
    VocoderConfig,
)
from core.config.theatre import TheatreConfig
from core.errors import FootlightError
from core.show.channels import CHANNELS


def _paper() -> Config:
    config = Config(
        signal=SignalConfig(),
        modalities={
            "motion": Modality("smpl22-6d", 62.5, VAEConfig(channels=140)),
            "music": Modality("mel", 62.5, VAEConfig(channels=80)),
        },
        denoisers={"motion": DenoiserConfig(context={"music": 20}, rhythm_channels=0, observed=False)},
        sampling={"motion": SamplingConfig(), "music": SamplingConfig()},
    )
    return both_ways(config)


def _default() -> Config:
    motion = VAEConfig(channels=140, width=96, multipliers=(1, 2, 2), latent_channels=32, halvings=1, heads=4)
    music = VAEConfig(
        channels=80, width=64, multipliers=(1, 2, 3), latent_channels=64, halvings=2, heads=4, linear=True
    )
    denoiser = DenoiserConfig(
        latent_channels=32,
        context={"music": 64},
        width=256,
        blocks=5,
        attentions=1,
        heads=4,
        ff_kernel=3,
        ff_multiplier=2,
        condition_width=128,
        positions="rotary",
        dropout=0.1,
        loudness_power=11.0,
        observed_parts=5,
        skip=True,
    )
    config = Config(
        signal=SignalConfig(),
        modalities={"motion": Modality("smpl22-6d", 31.25, motion), "music": Modality("mel", 62.5, music)},
        denoisers={"motion": denoiser},
        sampling={
            "motion": SamplingConfig(steps=12, guidance=4.0, style_strength=1.2, window=96, overlap=24),
            "music": SamplingConfig(sampler="dpmpp", steps=8, guidance=5.0, window=192, overlap=48),
        },
        diffusion=DiffusionConfig(prediction="x0"),
        vocoder=VocoderConfig(),
    )
    return both_ways(config)


def _tiny() -> Config:
    vae = VAEConfig(
        channels=140, width=8, multipliers=(1, 2), blocks=1, kernel=3, latent_channels=6, halvings=0, heads=2
    )
    denoiser = DenoiserConfig(
        latent_channels=6,
        context={"music": 6},
        width=32,
        blocks=2,
        attentions=1,
        heads=2,
        ff_kernel=3,
        ff_multiplier=2,
        condition_width=16,
        positions="rotary",
    )
    config = Config(
        signal=SignalConfig(),
        modalities={
            "motion": Modality("smpl22-6d", 31.25, vae),
            "music": Modality("mel", 62.5, dataclasses.replace(vae, channels=80, halvings=1, linear=True)),
        },
        denoisers={"motion": denoiser},
        sampling={name: SamplingConfig(steps=4, window=48, overlap=16) for name in ("motion", "music")},
        diffusion=DiffusionConfig(prediction="x0"),
        vocoder=VocoderConfig(width=24, blocks=2, expansion=2, rounds=2),
    )
    return both_ways(config)


PRESETS = {"tiny": _tiny, "default": _default, "paper": _paper}


def preset(name: str) -> Config:
    """The named configuration. Raises FootlightError for an unknown name."""
    if name not in PRESETS:
        raise FootlightError(f"unknown preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]()


LIGHT = "stage-66"  # the representation of light (``core.motion.layouts``)

THEATRE_STEPS = 6  # of DPM-Solver++, at most: no worse than twelve of DDIM
LIGHT_WINDOW = 2  # times a dance's: where two windows meet, the scene may change
LOOK_GUIDANCE = 1.5

THEATRES = {
    "tiny": TheatreConfig(
        width=16, blocks=1, encoder_heads=2, slice_frames=8, timbre=12, filters=2, graph_width=4, graph_layers=2,
        style=6, picture_filters=2, space=8, steering=16,
    ),
    "default": TheatreConfig(),
    "paper": TheatreConfig(
        width=512, blocks=6, encoder_heads=8, slice_frames=8, filters=32, graph_width=64, graph_layers=4, style=128,
        picture_filters=32, space=256, steering=512,
    ),
}  # fmt: skip
"""The theatre of each preset, without looks and denoisers."""


def with_theatre(config: Config, looks: tuple[str, ...], size: str | TheatreConfig = "default") -> Config:
    """The configuration with stage light as a modality, and the networks that make it together with a dance.

    The dancer of the theatre has the architecture of the one of music alone, so that it can start from its weights. The
    light's denoiser is half as wide, and music and motion are added to its tokens.

    config: to which they are added.
    looks: names of the categories of looks.
    size: the preset whose theatre it is, or a theatre of the same size.
    """
    theatre = dataclasses.replace(THEATRES[size] if isinstance(size, str) else size, looks=looks)
    steered = {"steering_channels": theatre.steering, "look_channels": theatre.style, "rhythm_channels": 10}
    motion = dataclasses.replace(config.denoisers["motion"], observed=True, guided=False, **steered)
    light = dataclasses.replace(
        motion,
        latent_channels=CHANNELS,
        context={**motion.context, "motion": motion.latent_channels},
        context_entry="added",
        loudness_power=1.0,
        observed_parts=1,
        cue_channels=7,  # of core.light.cues
        width=motion.width // 2,
        blocks=min(motion.blocks, 3),
    )
    usual = config.sampling["motion"]
    sampling = dataclasses.replace(usual, sampler="dpmpp", steps=min(usual.steps, THEATRE_STEPS))
    lit = dataclasses.replace(
        sampling,
        guidance=2.0,
        style_strength=1.0,
        window=LIGHT_WINDOW * sampling.window,
        overlap=LIGHT_WINDOW * sampling.overlap,
    )
    theatre = dataclasses.replace(
        theatre,
        look_guidance=LOOK_GUIDANCE,
        denoisers={"motion": motion, "light": light},
        sampling={"motion": sampling, "light": lit},
    )
    channels = VAEConfig(channels=CHANNELS, latent_channels=CHANNELS, halvings=0, kind="identity")
    modalities = {**config.modalities, "light": Modality(LIGHT, config.latent_fps, channels)}
    return dataclasses.replace(config, modalities=modalities, theatre=theatre)
