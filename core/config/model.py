"""A model's configuration as one value, and functions from configuration to configuration."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field

from core import format1, records
from core.config.parts import (
    DenoiserConfig,
    DiffusionConfig,
    Modality,
    SamplingConfig,
    SignalConfig,
    TeacherConfig,
    VocoderConfig,
)
from core.config.theatre import TheatreConfig
from core.errors import FootlightError


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
    theatre: the networks that make dance and stage light together; None for a model without them.
    teachers: those of ``denoisers`` that were distilled have their teacher here, by the same name, for who has time.

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
    theatre: TheatreConfig | None = None
    teachers: dict[str, TeacherConfig] = field(default_factory=dict)

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
            if name not in self.sampling:
                raise FootlightError(f"the denoiser of {name} has no sampling: add sampling.{name}")
            self._check_denoiser(name, denoiser)
        for name, denoiser in (self.theatre.denoisers if self.theatre else {}).items():
            self._check_denoiser(name, denoiser)
        for name, teacher in self.teachers.items():
            self._check_denoiser(name, teacher.denoiser)

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


def with_denoiser(config: Config, name: str, context: tuple[str, ...]) -> Config:
    """The configuration with one more denoiser, whose architecture is that of motion's.

    config: to which it is added.
    name: the modality that it generates.
    context: the modalities on which it is conditioned.
    """

    def channels(modality: str) -> int:
        return config.modalities[modality].autoencoder.latent_channels

    made = dataclasses.replace(
        config.denoisers["motion"],
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


def on_stage(config: Config) -> Config:
    """The configuration whose denoisers are those of its theatre."""
    assert config.theatre is not None
    theatre = config.theatre
    return dataclasses.replace(config, denoisers=theatre.denoisers, sampling={**config.sampling, **theatre.sampling})


def taught(config: Config) -> Config:
    """The configuration with its teachers in the place of what was distilled from them."""
    denoisers = {name: teacher.denoiser for name, teacher in config.teachers.items()}
    sampling = {name: teacher.sampling for name, teacher in config.teachers.items()}
    return dataclasses.replace(
        config,
        denoisers={**config.denoisers, **denoisers},
        sampling={**config.sampling, **sampling},
        teachers={},
    )


def with_teachers(config: Config, teacher: Config) -> Config:
    """The configuration with the denoisers of ``teacher`` that differ from its own as their teachers.

    config: of a model that was distilled.
    teacher: of the model that it was distilled from.
    """
    teachers = {
        name: TeacherConfig(denoiser, teacher.sampling[name])
        for name, denoiser in teacher.denoisers.items()
        if name in config.denoisers and denoiser != config.denoisers[name]
    }
    return dataclasses.replace(config, teachers={**config.teachers, **teachers})


def both_ways(config: Config) -> Config:
    """The configuration with a denoiser of music, conditioned on motion, with the architecture of that of motion."""
    return with_denoiser(config, "music", ("motion",))


def read(values: dict) -> Config:
    """A configuration from JSON values of format 2 or 1.

    Raises FootlightError, which names the field, for a field that is unknown, missing or of another type.
    """
    return records.from_json(Config, format1.upgraded(values) if format1.is_old(values) else values, "config")
