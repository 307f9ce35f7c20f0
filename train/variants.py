"""Variants of a preset, for baselines and ablations: what the flags of ``train.fit`` make of a configuration.

On the motion's side ``--layout`` is another representation and ``--network unet`` another denoiser of the same size; no
rhythmic contrast is a weight, ``--motion-vae.task.rhythm 0``. On the music's side ``--music waveform`` is
MoMu-Diffusion's ablation of the mel. ``--latents none --music features35 --no-rhythm`` is the model of EDGE (Tseng,
Castellon & Liu, CVPR 2023) with our denoiser, losses and data: diffusion on the motion features themselves, conditioned
only on the 35 hand-made features of the music (core.audio.features35).
"""

from __future__ import annotations

import math
from dataclasses import replace

from core.config import Config, SignalConfig, VAEConfig, both_ways
from core.diffusion.networks import NETWORKS, as_unet
from core.errors import FootlightError
from core.motion.layouts import layout_named


def motion_side(config: Config, layout: str | None = None, network: str | None = None) -> Config:
    """The configuration with another motion representation, another denoiser of the same size, or both.

    layout: a name of ``core.motion.layouts``; the motion autoencoder takes its channels.  network: of
    ``core.diffusion.networks``.  None leaves things as they are. Raises FootlightError for unknown names, and for a
    Transformer made from a U-Net, whose size nobody kept.
    """
    if layout is not None:
        config = replace(
            config,
            signal=replace(config.signal, motion_layout=layout),
            motion_vae=replace(config.motion_vae, channels=layout_named(layout).channels),
        )
    if network is None or network == config.denoiser.kind:
        return config
    if network == "unet":
        return with_scorer(replace(config, denoiser=as_unet(config.denoiser)), config.scorer is not None)
    known = network in NETWORKS
    raise FootlightError(
        f"a {network} was asked for, but this configuration has a {config.denoiser.kind}: start from a preset"
        if known
        else f"unknown denoiser {network!r}: choose one of {', '.join(NETWORKS)}"
    )


def with_scorer(config: Config, wanted: bool) -> Config:
    """The configuration with a second expert of its denoiser's shape, or without one. Only mels can be heard."""
    if wanted and config.signal.music == "mel":
        return both_ways(config)
    return replace(config, scorer=None, vocoder=config.vocoder if config.signal.music == "mel" else None)


def check_motion_side(config: Config, layout: str | None = None, network: str | None = None) -> None:
    """Raises FootlightError when a run that exists has another representation or denoiser than is asked for."""
    for what, asked, has in (
        ("layout", layout, config.signal.motion_layout),
        ("network", network, config.denoiser.kind),
    ):
        if asked is not None and asked != has:
            raise FootlightError(f"this run has {what} {has}, not {asked}: give --out a new folder")


def music_side(config: Config, music: str | None = None, latents: str | None = None, rhythm: bool = True) -> Config:
    """The configuration with another music, without motion latents, or without rhythm conditioning.

    music: one of ``core.config.MUSIC``; None keeps what there is.  latents: "none" puts an identity in the place of the
    motion autoencoder; "vae" and None keep what there is.  rhythm: false tells the denoiser nothing besides the music.
    The rates follow: the music comes at the rate of the latents, windows keep their seconds. Applied twice, it changes
    nothing more. Raises FootlightError for what the configuration cannot become.
    """
    before, signal, motion = config.latent_fps, config.signal, config.motion_vae
    if latents == "vae" and motion.kind == "identity":
        raise FootlightError("this configuration has no motion autoencoder to keep: start from a preset")
    if latents == "none":
        motion = identity(motion.channels)
    fps = signal.motion_fps / motion.stride
    signal, of_music = _music(config, music or signal.music, fps)
    longer = fps / before
    varied = replace(
        config,
        signal=signal,
        motion_vae=motion,
        mel_vae=of_music,
        denoiser=replace(
            config.denoiser,
            latent_channels=motion.latent_channels,
            condition_channels=of_music.latent_channels,
            rhythm_channels=config.denoiser.rhythm_channels if rhythm else 0,
        ),
        sampling=replace(
            config.sampling,
            window=round(config.sampling.window * longer),
            overlap=round(config.sampling.overlap * longer),
        ),
    )
    return varied if varied == config else with_scorer(varied, config.scorer is not None)


def identity(channels: int) -> VAEConfig:
    """No autoencoder: diffusion on the features themselves (core.autoencoder.identity)."""
    return VAEConfig(channels=channels, latent_channels=channels, halvings=0, kind="identity")


def _music(config: Config, music: str, fps: float) -> tuple[SignalConfig, VAEConfig]:
    """Signal and autoencoder that bring the music to ``fps`` frames a second."""
    if music == "features35":
        hop = config.signal.audio_rate / fps
        if hop != round(hop):
            raise FootlightError(
                f"{fps:g} latents a second are no whole number of samples at {config.signal.audio_rate} Hz: "
                "change motion_fps"
            )
        signal = replace(config.signal, music=music, hop_samples=round(hop))
        return signal, identity(signal.music_channels)
    if config.mel_vae.kind == "identity":
        raise FootlightError(
            f"this configuration has no music autoencoder that could hear {music}: start from a preset"
        )
    signal = replace(config.signal, music=music)
    halvings = math.log2(signal.mel_fps / fps)
    if halvings != round(halvings) or not 0 <= halvings < len(config.mel_vae.multipliers):
        raise FootlightError(
            f"{music} at {signal.mel_fps:g} frames a second cannot be brought to {fps:g} by halving at most "
            f"{len(config.mel_vae.multipliers) - 1} times: change motion_fps"
        )
    return signal, replace(config.mel_vae, channels=signal.music_channels, halvings=round(halvings))
