"""A model folder, loaded; and how its experts are drawn from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from core import checkpoint, progress
from core.autoencoder.identity import Identity
from core.autoencoder.mel_vae import MelVAE, music_autoencoder
from core.autoencoder.motion_vae import MotionVAE, motion_autoencoder
from core.config import Config, DenoiserConfig, SamplingConfig
from core.diffusion.conditioning import ConditionedNetwork
from core.diffusion.guidance import guided
from core.diffusion.networks import denoiser_of
from core.diffusion.parameterize import Denoise, as_denoise
from core.diffusion.sampler import sample
from core.diffusion.schedule import Schedule, linear_sqrt
from core.diffusion.windows import windowed
from core.errors import FootlightError
from core.pipeline.choices import parse_style
from core.types import Condition
from core.vocoder import bigvgan
from core.vocoder.bigvgan import BigVGAN
from core.vocoder.model import Vocoder

T = TypeVar("T")
GRIFFIN_LIM = "griffin-lim"
PRETRAINED = Path(__file__).parents[1] / "pretrained"


@dataclass(frozen=True)
class Model:
    """The networks of one model folder, ready. name: the folder's; card: see ``core.checkpoint``.

    mel_vae: of the music, in whichever representation.  Both autoencoders may be identities.
    denoiser: music -> motion.  scorer: motion -> music.  vocoder: log-mel -> sound.  The last two may be missing.
    """

    config: Config
    mel_vae: MelVAE | Identity
    motion_vae: MotionVAE | Identity
    denoiser: ConditionedNetwork
    device: torch.device
    name: str
    card: dict
    scorer: ConditionedNetwork | None = None
    vocoder: Vocoder | BigVGAN | None = None

    @classmethod
    def load(cls, folder: Path | str | None = None, device: str = "auto") -> Model:
        """Read a model. folder: a model folder, or the name of an embedded one; None is the embedded default.

        Raises FootlightError for an unknown name, a folder of another program, damaged files, an unknown device.
        """
        path, place = find_model(folder), find_device(device)
        saved = checkpoint.load(path)
        config = saved.config

        def network(name: str, module: nn.Module) -> nn.Module:
            return _interruptible(saved.load_into(name, module).eval().requires_grad_(False).to(place))

        return cls(
            config,
            network("mel_vae", music_autoencoder(config.mel_vae)),
            network("motion_vae", motion_autoencoder(config.motion_vae, config.signal.motion_layout)),
            network("denoiser", denoiser_of(config.denoiser)),
            place,
            path.name,
            saved.card,
            None if config.scorer is None else network("scorer", denoiser_of(config.scorer)),
            None if config.vocoder is None else network("vocoder", Vocoder(config.vocoder, config.signal)),
        )

    def voiced_by(self, vocoder: str | None) -> Model:
        """The model with another way from mels to sound: "griffin-lim", a BigVGAN checkpoint file with its config.json
        beside it, or None for its own.

        Raises FootlightError for what is neither, and for a checkpoint of other mels.
        """
        if vocoder is None:
            return self
        if vocoder == GRIFFIN_LIM:
            return replace(self, vocoder=None)
        return replace(self, vocoder=_interruptible(bigvgan.load(vocoder, signal=self.config.signal).to(self.device)))

    def check_scores(self) -> None:
        """Raises FootlightError when this model makes no music."""
        if self.scorer is None:
            raise FootlightError(
                f"the model {self.name} makes dances only: choose another, or train it with `train.fit scorer`"
            )


def find_model(folder: Path | str | None = None) -> Path:
    """The model folder that is meant: see ``Model.load``."""
    if folder is None:
        return PRETRAINED / "default"
    path = Path(folder)
    if path.exists() or path.name != str(folder):
        return path
    embedded = sorted(p.name for p in PRETRAINED.iterdir() if p.is_dir()) if PRETRAINED.is_dir() else []
    if str(folder) not in embedded:
        raise FootlightError(
            f"unknown preset {str(folder)!r}: choose one of {', '.join(embedded) or 'none (none is embedded)'}, "
            "or give a model folder"
        )
    return PRETRAINED / path.name


def find_device(name: str = "auto") -> torch.device:
    """ "auto" is the fastest device there is. Raises FootlightError for one that is not there."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    if not there.get(name.partition(":")[0]):
        here = ", ".join(kind for kind, yes in there.items() if yes)
        raise FootlightError(f"there is no device {name!r} on this computer: choose auto or {here}")
    return torch.device(name)


def native_half(device: torch.device) -> torch.dtype | None:
    """The 16-bit precision that a device multiplies natively and that needs no care with small numbers, or None.

    On CPUs with AVX512-BF16 or AMX the denoiser is three times as fast in it; elsewhere bfloat16 would be emulated.
    """
    if device.type == "cpu":
        return torch.bfloat16 if torch.backends.cpu.get_cpu_capability() == "AVX512" and _multiplies_bf16() else None
    return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None


def _multiplies_bf16() -> bool:
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # private, so it may go: then float32 it is
    return asked is not None and asked()


def style_of(model: Model, style: str | None, strength: float = 1.0) -> Tensor | None:
    """(1, styles) weights of ``core.pipeline.choices.parse_style`` times ``strength``, or None."""
    return None if style is None else strength * parse_style(style, model.config.styles)[None].to(model.device)


def frames_for(model: Model, seconds: float) -> int:
    """Latent frames of so much time; a last half frame more, so that its end lies between two frames of the motion."""
    return math.ceil(seconds * model.config.latent_fps + 0.5)


def schedule_of(config: Config) -> Schedule:
    """The noise schedule of both experts."""
    return linear_sqrt(config.diffusion.steps, config.diffusion.beta_start, config.diffusion.beta_end)


def guided_denoiser(
    model: Model, network: ConditionedNetwork, sampling: SamplingConfig, guidance: float | None = None
) -> Denoise:
    """One of the model's experts with guidance and windows around it, for latents of any length."""
    schedule = schedule_of(model.config)
    denoise = as_denoise(network, schedule, model.config.diffusion.prediction, native_half(model.device))
    scale = sampling.guidance if guidance is None else guidance
    return windowed(guided(denoise, scale), sampling.window, sampling.overlap)


def first_noise(model: Model, network: DenoiserConfig, frames: int, generator: torch.Generator) -> Tensor:
    """(1, frames, z) where an expert starts: the same on every device."""
    return torch.randn(1, frames, network.latent_channels, generator=generator).to(model.device)


def draw(model: Model, condition: Condition, seed: int, steps: int, guidance: float | None = None) -> Iterator[Tensor]:
    """An iterator over motion latents (1, t, z), noisier ones first; the last is clean."""
    return _drawing(model, model.denoiser, model.config.sampling, condition, seed, steps, guidance)


def draw_music(
    model: Model, condition: Condition, seed: int, steps: int, guidance: float | None = None
) -> Iterator[Tensor]:
    """An iterator over music latents (1, t, z), noisier ones first; the last is clean."""
    return _drawing(model, model.scorer, model.config.scoring, condition, seed, steps, guidance)


def _drawing(model: Model, network, sampling: SamplingConfig, condition, seed, steps, guidance) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    timed = condition.rhythm if condition.latents is None else condition.latents
    noise = first_noise(model, network.config, timed.shape[1], generator)
    denoise = guided_denoiser(model, network, sampling, guidance)
    return sample(denoise, noise, schedule_of(model.config), steps, sampling.sampler, generator, condition)


def last_of(samples: Iterator[T], steps: int) -> T:
    """The last of ``steps`` samples, each a part of the present operation."""
    assert steps > 0, "a sampler takes one step at least"
    for step in range(steps):
        with progress.part(step / steps, (step + 1) / steps):
            drawn = next(samples)
    progress.report(1.0)
    return drawn


def _interruptible(network: nn.Module) -> nn.Module:
    """The network, reporting before each of its modules computes: however long a pass takes, it can be cancelled."""
    for module in network.modules():
        module.register_forward_pre_hook(lambda *_: progress.report())
    return network
