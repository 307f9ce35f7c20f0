"""The configuration of a model as frozen values, with three presets.

``tiny`` is for tests, ``default`` is the embedded model, sized for two CPU cores, and ``paper`` follows MoMu-Diffusion
(NeurIPS 2024), tables 8 and 9.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field

from core import format1, records
from core.errors import FootlightError

MUSIC = ("mel", "waveform", "features35")
AUTOENCODERS = ("conv", "identity")


@dataclass(frozen=True)
class SignalConfig:
    """The representation of sound, before any network. Rates are in Hz, lengths in samples."""

    audio_rate: int = 16_000
    n_fft: int = 1024  # of the mel
    hop_samples: int = 256  # from one frame of the music to the next
    mel_bands: int = 80
    mel_fmax: float = 8000.0

    @property
    def mel_fps(self) -> float:
        """Frames per second of the music, in any representation."""
        return self.audio_rate / self.hop_samples

    @property
    def spectrogram(self) -> tuple[int, int, int, int, float]:
        """Everything on which a log-mel depends. Signals with equal values give equal log-mels of the same sound."""
        return self.audio_rate, self.n_fft, self.hop_samples, self.mel_bands, self.mel_fmax

    def channels(self, representation: str) -> int:
        """Channels of a frame of music. Raises FootlightError for a representation that is not in ``MUSIC``."""
        widths = {"mel": self.mel_bands, "waveform": self.hop_samples, "features35": 35}
        if representation not in widths:
            raise FootlightError(
                f"unknown representation of music {representation!r}: choose one of {', '.join(MUSIC)}"
            )
        return widths[representation]


@dataclass(frozen=True)
class VAEConfig:
    """The 1-D convolutional autoencoder that all modalities share (paper table 8)."""

    channels: int  # of the input, i.e. of a frame of the modality's representation
    width: int = 384
    multipliers: tuple[int, ...] = (1, 2, 4)
    blocks: int = 2
    kernel: int = 5
    latent_channels: int = 20
    halvings: int = 1  # transitions between levels that halve time, the deepest ones
    heads: int = 8
    linear: bool = False  # a linear path beside the networks, initialised with the principal components of the data
    kind: str = "conv"  # or "identity": no network, latents are the normalised input (core.autoencoder.identity)

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
class Modality:
    """A modality of a model: its representation, and the autoencoder that brings it to the frame rate of all latents.

    representation: what a frame contains: one of ``MUSIC``, or the name of a ``Layout`` (``core.motion.layouts``).
    fps: frames per second.
    autoencoder: its architecture.
    """

    representation: str
    fps: float
    autoencoder: VAEConfig

    @property
    def latent_fps(self) -> float:
        """Latent frames per second."""
        return self.fps / self.autoencoder.stride


@dataclass(frozen=True)
class DenoiserConfig:
    """The concatenating Transformer (paper table 9), or the U-Net with which it is compared.

    ``core.diffusion.unet`` says what the numbers mean for a U-Net; ``core.diffusion.networks.as_unet`` makes one of
    equal size.
    """

    kind: str = "transformer"  # or "unet"
    latent_channels: int = 20
    context: dict[str, int] = field(default_factory=dict)  # modalities it is conditioned on: name -> latent channels
    rhythm_channels: int = 10  # 0: no rhythm conditioning
    loudness_power: float = 1.0  # of the rhythm's loudness; 11 spreads loud passages (core.rhythm.features)
    styles: int = 0
    observed: bool = True  # observed latents and their mask are additional input channels
    observed_parts: int = 1  # channels of that mask: one for all, or one for each of core.motion.body_parts
    width: int = 576
    blocks: int = 4
    attentions: int = 2  # self-attentions per block
    heads: int = 8
    ff_kernel: int = 9
    ff_multiplier: int = 4
    input_kernel: int = 5
    condition_width: int = 1024
    positions: str = "learned"  # or "rotary"; frame t of the contexts and of the latents share one position
    max_frames: int = 1024
    dropout: float = 0.0
    multipliers: tuple[int, ...] = (1, 2, 4)  # of the U-Net's width, level by level
    skip: bool = False  # the noisy latents also reach the output directly, as much as suits the noise level
    context_entry: str = "concatenated"  # as tokens of its own, or "added" to those of the noisy latents
    guided: bool = False  # the strength of guidance is a condition: one pass gives the guided estimate
    prediction: str | None = None  # "epsilon" | "x0" | "v", where it differs from that of the diffusion


@dataclass(frozen=True)
class VocoderConfig:
    """The vocoder, from log-mels to sound: convolutions at frame rate, a short-time spectrum, and its inverse."""

    width: int = 256
    blocks: int = 5
    kernel: int = 7
    expansion: int = 3  # of the width, inside a block
    rounds: int = 16  # of Griffin-Lim at the end, which make neighbouring frames consistent


@dataclass(frozen=True)
class DiffusionConfig:
    """The noise schedule and what the network predicts."""

    steps: int = 1000
    beta_start: float = 0.00085
    beta_end: float = 0.012
    prediction: str = "epsilon"  # "epsilon" | "x0" | "v"; a denoiser may have its own


@dataclass(frozen=True)
class SamplingConfig:
    """How a modality is sampled. Lengths are in latent frames; guidance is that of eq. 7."""

    sampler: str = "ddim"  # "ddpm" | "ddim" | "dpmpp"
    steps: int = 50
    guidance: float = 2.5
    style_strength: float = 1.0  # factor of the style's weights; 1 is as in training; duets always use 1
    window: int = 128
    overlap: int = 64


@dataclass(frozen=True)
class Config:
    """A model: the signal, its modalities, and a denoiser for each modality that it generates.

    A modality without a denoiser serves only as context of others.

    signal: the representation of sound.
    modalities: by name; "motion" and "music", and any others.
    denoisers: by the name of the modality that they generate.
    sampling: by the same names; it may also have entries for denoisers that are not trained yet.
    diffusion: the noise schedule, which all denoisers share.
    styles: names of the styles.
    style_shares: fraction of each style in the capture; a dance without a requested style draws one by them.
    vocoder: its architecture; None for a model without one.

    Raises FootlightError when the parts do not fit each other.
    """

    signal: SignalConfig
    modalities: dict[str, Modality]
    denoisers: dict[str, DenoiserConfig]
    sampling: dict[str, SamplingConfig]
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    styles: tuple[str, ...] = ()
    style_shares: tuple[float, ...] = ()
    vocoder: VocoderConfig | None = None

    def prediction(self, modality: str) -> str:
        """What the denoiser of a modality predicts."""
        return self.denoisers[modality].prediction or self.diffusion.prediction

    @property
    def latent_fps(self) -> float:
        """Frames per second of all latents."""
        return next(iter(self.modalities.values())).latent_fps

    def __post_init__(self) -> None:
        rates = {name: modality.latent_fps for name, modality in self.modalities.items()}
        if not rates or max(rates.values()) - min(rates.values()) > 1e-9:
            given = ", ".join(f"{name} gives {rate:g}" for name, rate in rates.items()) or "there is no modality"
            raise FootlightError(
                f"all latents need one frame rate, but {given} a second: change the fps, hop_samples or the halvings"
            )
        if self.style_shares and (len(self.style_shares) != len(self.styles) or not _are_shares(self.style_shares)):
            raise FootlightError(
                f"{len(self.styles)} styles have the shares {self.style_shares}: give one for each, 0 or more, and not "
                "all 0; or none at all"
            )
        self._check_music()
        for name, denoiser in self.denoisers.items():
            self._check_denoiser(name, denoiser)

    def _check_music(self) -> None:
        if "music" not in self.modalities:
            return
        music = self.modalities["music"]
        channels = self.signal.channels(music.representation)
        if music.autoencoder.channels != channels:
            raise FootlightError(
                f"the music is {music.representation} with {channels} channels, but its autoencoder takes "
                f"{music.autoencoder.channels}: set modalities.music.autoencoder.channels"
            )
        if abs(music.fps - self.signal.mel_fps) > 1e-9:
            raise FootlightError(
                f"the music has {music.fps:g} frames a second, but hop_samples {self.signal.hop_samples} at "
                f"{self.signal.audio_rate} Hz makes {self.signal.mel_fps:g}: set modalities.music.fps"
            )

    def _check_denoiser(self, name: str, denoiser: DenoiserConfig) -> None:
        if name not in self.sampling:
            raise FootlightError(f"the denoiser of {name} has no sampling: add sampling.{name}")
        if name in denoiser.context:
            raise FootlightError(f"the denoiser of {name} has {name} as its context: only others can be")
        for heard, channels in {**denoiser.context, name: denoiser.latent_channels}.items():
            known = self.modalities.get(heard)
            if known is None or known.autoencoder.latent_channels != channels:
                has = "is none" if known is None else f"has {known.autoencoder.latent_channels}"
                raise FootlightError(
                    f"the denoiser of {name} takes {channels} latent channels of {heard}, which {has}: "
                    "change the denoiser or the modality"
                )


def _are_shares(values: tuple[float, ...]) -> bool:
    return all(0 <= value < math.inf for value in values) and sum(values) > 0


def with_denoiser(config: Config, name: str, context: tuple[str, ...], like: str = "motion") -> Config:
    """The configuration with one more denoiser.

    config: to which it is added.
    name: the modality that it generates.
    context: the modalities on which it is conditioned.
    like: the modality whose denoiser has the same architecture.
    """

    def channels(modality: str) -> int:
        return config.modalities[modality].autoencoder.latent_channels

    made = dataclasses.replace(
        config.denoisers[like],
        latent_channels=channels(name),
        context={heard: channels(heard) for heard in context},
        loudness_power=1.0,
        observed_parts=1,
        context_entry="concatenated",
        guided=False,
    )
    return dataclasses.replace(config, denoisers={**config.denoisers, name: made})


def with_styles(config: Config, styles: tuple[str, ...], shares: tuple[float, ...] = ()) -> Config:
    """The configuration with these styles, on which every denoiser is conditioned.

    config: to which they are added.
    styles: their names.
    shares: as in ``Config``.
    """
    denoisers = {name: dataclasses.replace(denoiser, styles=len(styles)) for name, denoiser in config.denoisers.items()}
    return dataclasses.replace(config, styles=styles, style_shares=shares, denoisers=denoisers)


def both_ways(config: Config) -> Config:
    """The configuration with a denoiser of music, conditioned on motion, with the architecture of that of motion."""
    return with_denoiser(config, "music", ("motion",))


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
            "motion": SamplingConfig(steps=12, guidance=4.0, style_strength=1.6, window=96, overlap=24),
            "music": SamplingConfig(steps=25, guidance=5.0, window=192, overlap=48),
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


def read(values: dict) -> Config:
    """A configuration from JSON values of format 2 or 1.

    Raises FootlightError, which names the field, for a field that is unknown, missing or of another type.
    """
    return records.from_json(Config, format1.upgraded(values) if format1.is_old(values) else values, "config")
