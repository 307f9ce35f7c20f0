"""Every number that shapes a model, as frozen values with three presets.

``tiny`` is for tests, ``default`` is the embedded model sized for two CPU cores, ``paper`` follows
MoMu-Diffusion (NeurIPS 2024), tables 8 and 9.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field

from core.errors import FootlightError

MUSIC = ("mel", "waveform", "features35")
AUTOENCODERS = ("conv", "identity")


@dataclass(frozen=True)
class SignalConfig:
    """What audio and motion look like before any network. Rates in Hz, times in samples."""

    audio_rate: int = 16_000
    music: str = "mel"  # one of MUSIC, see core.audio.representation
    n_fft: int = 1024  # of the mel
    hop_samples: int = 256  # from one frame of the music to the next
    mel_bands: int = 80
    mel_fmax: float = 8000.0
    motion_fps: float = 31.25
    motion_layout: str = "smpl22-6d"  # a name in core.motion.layouts.LAYOUTS

    def __post_init__(self) -> None:
        if self.music not in MUSIC:
            raise FootlightError(f"unknown representation of music {self.music!r}: choose one of {', '.join(MUSIC)}")

    @property
    def mel_fps(self) -> float:
        """Frames a second of the music, whichever way it is represented."""
        return self.audio_rate / self.hop_samples

    @property
    def spectrogram(self) -> tuple[int, int, int, int, float]:
        """All that a log-mel depends on: equal ones of one sound are the same."""
        return self.audio_rate, self.n_fft, self.hop_samples, self.mel_bands, self.mel_fmax

    @property
    def music_channels(self) -> int:
        """Width of a frame of the music."""
        return {"mel": self.mel_bands, "waveform": self.hop_samples, "features35": 35}[self.music]


@dataclass(frozen=True)
class VAEConfig:
    """The 1-D convolutional autoencoder that both modalities share (paper table 8)."""

    channels: int  # of its input: mel bands, or the width of the motion layout
    width: int = 384
    multipliers: tuple[int, ...] = (1, 2, 4)
    blocks: int = 2
    kernel: int = 5
    latent_channels: int = 20
    halvings: int = 1  # how many of the transitions between levels halve time; the deepest ones do
    heads: int = 8
    linear: bool = False  # a linear path beside the networks, which starts as the principal components of the data
    kind: str = "conv"  # or "identity": no network, the normalised input is the latents (core.autoencoder.identity)

    @property
    def stride(self) -> int:
        """Input frames per latent frame."""
        return 2**self.halvings

    def __post_init__(self) -> None:
        if self.kind not in AUTOENCODERS:
            raise FootlightError(f"unknown kind of autoencoder {self.kind!r}: choose one of {', '.join(AUTOENCODERS)}")
        if self.kind == "identity" and (self.halvings or self.latent_channels != self.channels):
            raise FootlightError(
                f"an identity has as many latent channels as channels and no halvings, but {self.channels} channels, "
                f"{self.latent_channels} latent channels and {self.halvings} halvings are given"
            )


@dataclass(frozen=True)
class DenoiserConfig:
    """The concatenating Transformer (paper table 9), or the U-Net it is compared with: see ``core.diffusion.unet`` for
    what the numbers mean there, and ``core.diffusion.networks.as_unet`` for one of equal size."""

    kind: str = "transformer"  # or "unet"
    latent_channels: int = 20
    condition_channels: int = 20  # latents of the other modality
    rhythm_channels: int = 10  # 0: no rhythm conditioning
    styles: int = 0
    observed: bool = True  # takes observed latents and their mask as further input channels
    width: int = 576
    blocks: int = 4
    attentions: int = 2  # self-attentions a block
    heads: int = 8
    ff_kernel: int = 9
    ff_multiplier: int = 4
    input_kernel: int = 5
    condition_width: int = 1024
    positions: str = "learned"  # or "rotary": frame t of the condition and of the latents share one position
    max_frames: int = 1024
    dropout: float = 0.0
    multipliers: tuple[int, ...] = (1, 2, 4)  # of the U-Net's width, level by level


@dataclass(frozen=True)
class VocoderConfig:
    """The network that turns log-mels into sound: convolutions at frame rate, a short-time spectrum, its inverse."""

    width: int = 256
    blocks: int = 5
    kernel: int = 7
    expansion: int = 3  # of the width, inside a block
    rounds: int = 16  # of Griffin-Lim at the end, which make neighbouring frames agree


@dataclass(frozen=True)
class DiffusionConfig:
    """The noise schedule and what the network predicts."""

    steps: int = 1000
    beta_start: float = 0.00085
    beta_end: float = 0.012
    prediction: str = "epsilon"  # "epsilon" | "x0" | "v"


@dataclass(frozen=True)
class SamplingConfig:
    """How a dance or a music is drawn. Lengths in latent frames; guidance as in eq. 7."""

    sampler: str = "ddim"  # "ddpm" | "ddim" | "dpmpp"
    steps: int = 50
    guidance: float = 2.5
    guidance_ramp: float = 0.0  # 0: constant; 1: from no guidance at pure noise to full at clean
    style_strength: float = 1.0  # of the style that a dance or a score is told; 1 as in training, and as in duets
    window: int = 128
    overlap: int = 64


@dataclass(frozen=True)
class Config:
    """One model: signals, two autoencoders, an expert each way, and how they are sampled.

    ``denoiser`` and ``sampling`` make motion from music, ``scorer`` and ``scoring`` music from motion. A model need not
    score, nor make sound.
    """

    signal: SignalConfig = field(default_factory=SignalConfig)
    motion_vae: VAEConfig = field(default_factory=lambda: VAEConfig(channels=140))
    mel_vae: VAEConfig = field(default_factory=lambda: VAEConfig(channels=80))  # of the music, mel or not
    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    styles: tuple[str, ...] = ()
    style_shares: tuple[float, ...] = ()  # of the capture; a dance that is asked for no style draws one by them
    scorer: DenoiserConfig | None = None
    scoring: SamplingConfig = field(default_factory=SamplingConfig)
    vocoder: VocoderConfig | None = None

    @property
    def latent_fps(self) -> float:
        """Frames per second of both latents."""
        return self.signal.mel_fps / self.mel_vae.stride

    def __post_init__(self) -> None:
        motion = self.signal.motion_fps / self.motion_vae.stride
        if abs(motion - self.latent_fps) > 1e-9:
            raise FootlightError(
                f"both latents need one frame rate, but motion gives {motion:g} a second and {self.signal.music} "
                f"{self.latent_fps:g}: change motion_fps, hop_samples or the halvings"
            )
        if self.style_shares and (len(self.style_shares) != len(self.styles) or not _are_shares(self.style_shares)):
            raise FootlightError(
                f"{len(self.styles)} styles have the shares {self.style_shares}: give one for each, 0 or more, and not "
                "all 0; or none at all"
            )
        if self.mel_vae.channels != self.signal.music_channels:
            raise FootlightError(
                f"the music is {self.signal.music} with {self.signal.music_channels} channels, but its autoencoder "
                f"takes {self.mel_vae.channels}: set mel_vae.channels"
            )


def _are_shares(values: tuple[float, ...]) -> bool:
    return all(0 <= value < math.inf for value in values) and sum(values) > 0


def both_ways(config: Config) -> Config:
    """The configuration with a second expert of the denoiser's shape, which makes music from motion."""
    there = config.denoiser
    back = dataclasses.replace(
        there, latent_channels=there.condition_channels, condition_channels=there.latent_channels
    )
    return dataclasses.replace(config, scorer=back)


def _paper() -> Config:
    config = Config(
        signal=SignalConfig(motion_fps=62.5),
        denoiser=DenoiserConfig(rhythm_channels=0, observed=False),
    )
    return both_ways(config)


def _default() -> Config:
    config = Config(
        motion_vae=VAEConfig(channels=140, width=96, multipliers=(1, 2, 2), latent_channels=32, halvings=1, heads=4),
        mel_vae=VAEConfig(
            channels=80, width=64, multipliers=(1, 2, 3), latent_channels=64, halvings=2, heads=4, linear=True
        ),
        denoiser=DenoiserConfig(
            latent_channels=32,
            condition_channels=64,
            width=256,
            blocks=5,
            attentions=1,
            heads=4,
            ff_kernel=3,
            ff_multiplier=2,
            condition_width=128,
            positions="rotary",
            dropout=0.1,
        ),
        diffusion=DiffusionConfig(prediction="x0"),
        sampling=SamplingConfig(steps=12, guidance=3.0, style_strength=1.6, window=96, overlap=24),
        scoring=SamplingConfig(steps=25, guidance=5.0, window=192, overlap=48),
        vocoder=VocoderConfig(),
    )
    return both_ways(config)


def _tiny() -> Config:
    vae = dict(width=8, multipliers=(1, 2), blocks=1, kernel=3, latent_channels=6, heads=2)
    config = Config(
        motion_vae=VAEConfig(channels=140, halvings=0, **vae),
        mel_vae=VAEConfig(channels=80, halvings=1, linear=True, **vae),
        denoiser=DenoiserConfig(
            latent_channels=6,
            condition_channels=6,
            width=32,
            blocks=2,
            attentions=1,
            heads=2,
            ff_kernel=3,
            ff_multiplier=2,
            condition_width=16,
            positions="rotary",
        ),
        diffusion=DiffusionConfig(prediction="x0"),
        sampling=SamplingConfig(steps=4, window=48, overlap=16),
        scoring=SamplingConfig(steps=4, window=48, overlap=16),
        vocoder=VocoderConfig(width=24, blocks=2, expansion=2, rounds=2),
    )
    return both_ways(config)


PRESETS = {"tiny": _tiny, "default": _default, "paper": _paper}


def preset(name: str) -> Config:
    """The named configuration. Raises FootlightError for an unknown name."""
    if name not in PRESETS:
        raise FootlightError(f"unknown preset {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]()
