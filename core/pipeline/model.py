"""A loaded model, and the sampling of its modalities."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from core import checkpoint, progress
from core.autoencoder.identity import Identity
from core.autoencoder.networks import autoencoder_of
from core.autoencoder.normalised import NormalisedVAE
from core.checkpoint import PRETRAINED, Checkpoint, OnDemand
from core.config import Config, SamplingConfig, taught
from core.diffusion.conditioning import ConditionedNetwork
from core.diffusion.guidance import guided, guided_inside
from core.diffusion.networks import denoiser_of
from core.diffusion.parameterize import Denoise, as_denoise
from core.diffusion.remembering import Memory, remembering
from core.diffusion.sampler import sample
from core.diffusion.schedule import Schedule, linear_sqrt
from core.diffusion.windows import windowed
from core.errors import FootlightError
from core.pipeline.choices import parse_style
from core.theatre.network import Theatre
from core.types import Condition
from core.vocoder import bigvgan_files
from core.vocoder.bigvgan import BigVGAN
from core.vocoder.model import Vocoder

T = TypeVar("T")
Network = TypeVar("Network", bound=nn.Module)
GRIFFIN_LIM = "griffin-lim"


@dataclass(frozen=True)
class Model:
    """The networks of a model folder, ready to use.

    config: the configuration.
    autoencoders: modality -> its autoencoder, which may be an identity.
    denoisers: modality -> the denoiser that generates it.
    device: where the networks are.
    name: of the folder.
    card: as in ``core.checkpoint``.
    vocoder: from log-mel to sound; None is Griffin-Lim.
    saved: the folder, from which networks are read that not every request needs; None if there are none.
    """

    config: Config
    autoencoders: dict[str, NormalisedVAE | Identity]
    denoisers: Mapping[str, ConditionedNetwork]
    device: torch.device
    name: str
    card: dict
    vocoder: Vocoder | BigVGAN | None = None
    saved: Checkpoint | None = None

    @classmethod
    def load(cls, folder: Path | str | None = None, device: str = "auto") -> Model:
        """Load a model. Its denoisers, its theatre and its teachers are loaded when they are asked for.

        folder: a model folder, or the name of an embedded model; None is the embedded default.
        device: "auto", "cpu", "cuda" or "mps".

        Raises FootlightError for an unknown name, a folder of another program, damaged files, or an unknown device.
        """
        path, place = find_model(folder), find_device(device)
        saved = checkpoint.load(path)
        config = saved.config

        def network(name: str, make: Callable[[], Network]) -> Network:
            return _ready(saved, name, make, place)

        return cls(
            config,
            {
                name: network(f"autoencoder.{name}", partial(autoencoder_of, modality))
                for name, modality in config.modalities.items()
            },
            OnDemand(
                {
                    name: cache(partial(network, f"denoiser.{name}", partial(denoiser_of, denoiser)))
                    for name, denoiser in config.denoisers.items()
                }
            ),
            place,
            path.name,
            saved.card,
            None if config.vocoder is None else network("vocoder", partial(Vocoder, config.vocoder, config.signal)),
            saved,
        )

    @cached_property
    def theatre(self) -> Theatre | None:
        """What makes dance and stage light together; None for a model without it."""
        if self.config.theatre is None or self.saved is None:
            return None
        return _ready(self.saved, "theatre", partial(Theatre, self.config), self.device)

    def at(self, quality: str) -> Model:
        """The model for a quality of ``core.protocol.QUALITIES``.

        "fine" has the teachers in the place of what was distilled from them. A model without any is as fine as it gets.
        """
        return self._taught if quality == "fine" and self.config.teachers else self

    @cached_property
    def _taught(self) -> Model:
        assert self.saved is not None
        own = {name: partial(self.denoisers.__getitem__, name) for name in self.denoisers}
        teachers = {
            name: cache(
                partial(_ready, self.saved, f"teacher.{name}", partial(denoiser_of, teacher.denoiser), self.device)
            )
            for name, teacher in self.config.teachers.items()
        }
        return replace(self, config=taught(self.config), denoisers=OnDemand({**own, **teachers}))

    def voiced_by(self, vocoder: str | None) -> Model:
        """The model with another vocoder.

        vocoder: "griffin-lim", a BigVGAN checkpoint with its config.json beside it, or None for the model's own.

        Raises FootlightError for a checkpoint that cannot be loaded, or that was trained on other mels.
        """
        if vocoder is None:
            return self
        if vocoder == GRIFFIN_LIM:
            return replace(self, vocoder=None)
        network = bigvgan_files.load(vocoder, self.config.signal)
        return replace(self, vocoder=_interruptible(network.to(self.device)))

    def check_scores(self) -> None:
        """Raises FootlightError if this model does not generate music."""
        if "music" not in self.denoisers:
            raise FootlightError(
                f"the model {self.name} makes dances only: choose another, or train it with `train.fit scorer`"
            )

    def check_lights(self) -> Theatre:
        """The theatre's networks. Raises FootlightError if this model has none."""
        if self.theatre is None:
            raise FootlightError(
                f"the model {self.name} has no theatre: choose another, or train it with `python -m train.fit theatre`"
                "; `core light` lights songs by rules"
            )
        return self.theatre


def find_model(folder: Path | str | None = None) -> Path:
    """The model folder of a path or an embedded name, as ``Model.load`` takes it.

    Raises FootlightError for an unknown name.
    """
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
    """The device of that name; "auto" is the fastest available one. Raises FootlightError if it is not available."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    if not there.get(name.partition(":")[0]):
        here = ", ".join(kind for kind, yes in there.items() if yes)
        raise FootlightError(f"there is no device {name!r} on this computer: choose auto or {here}")
    return torch.device(name)


def native_half(device: torch.device) -> torch.dtype | None:
    """The 16-bit type that a device multiplies natively and that has the range of float32 (bfloat16), or None.

    On CPUs with AVX512-BF16 or AMX, the denoiser is three times as fast with it. On others it would be emulated.
    """
    if device.type == "cpu":
        return torch.bfloat16 if torch.backends.cpu.get_cpu_capability() == "AVX512" and _multiplies_bf16() else None
    return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None


@contextmanager
def halved(device: torch.device) -> Iterator[None]:
    """Networks multiply in the type of ``native_half`` here. It is for what rounding by 0.4 % does not change."""
    half = native_half(device)
    with torch.autocast(device.type, dtype=half, enabled=half is not None):
        yield


def _multiplies_bf16() -> bool:
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # private, so it may disappear: then use float32
    return asked is not None and asked()


def style_of(model: Model, style: str | None, sampling: SamplingConfig | None = None) -> Tensor | None:
    """Style weights (1, styles) as in ``core.pipeline.choices.parse_style``; None for no style.

    sampling: whose strengths of styles they are multiplied by; None leaves them as they are.
    """
    if style is None:
        return None
    weights = parse_style(style, model.config.styles)
    if sampling is not None:
        own = [sampling.style_strengths.get(name, 1.0) for name in model.config.styles]
        weights = sampling.style_strength * torch.tensor(own) * weights
    return weights[None].to(model.device)


def frames_for(model: Model, seconds: float) -> int:
    """Latent frames that cover ``seconds``, plus half a frame, so that the end is between two frames of the motion."""
    return math.ceil(seconds * model.config.latent_fps + 0.5)


def schedule_of(config: Config) -> Schedule:
    """The noise schedule that all denoisers share."""
    return linear_sqrt(config.diffusion.steps, config.diffusion.beta_start, config.diffusion.beta_end)


def guided_denoiser(
    model: Model, modality: str, guidance: float | None = None, memory: Memory | None = None
) -> Denoise:
    """The denoiser of a modality with guidance and windows, for latents of any length.

    model: the model.
    modality: the one that it generates.
    guidance: strength; None is the model's own.
    memory: of windows that were denoised before, and it keeps the others.
    """
    sampling, compute = model.config.sampling[modality], native_half(model.device)
    prediction = model.config.prediction(modality)
    denoise = as_denoise(model.denoisers[modality], schedule_of(model.config), prediction, compute)
    scale = sampling.guidance if guidance is None else guidance
    guide = guided_inside if model.config.denoisers[modality].guided else guided
    one = guide(denoise, scale) if memory is None else remembering(guide(denoise, scale), memory)
    return windowed(one, sampling.window, sampling.overlap)


def first_noise(model: Model, modality: str, frames: int, generator: torch.Generator) -> Tensor:
    """Noise (1, frames, z) from which a modality is sampled. It is the same on every device."""
    channels = model.config.modalities[modality].autoencoder.latent_channels
    return torch.randn(1, frames, channels, generator=generator).to(model.device)


def draw(
    model: Model,
    modality: str,
    condition: Condition,
    frames: int,
    seed: int,
    steps: int,
    guidance: float | None = None,
    only: int | None = None,
    memory: Memory | None = None,
    again: Tensor | None = None,
) -> Iterator[Tensor]:
    """Sample a modality: yields latents (1, frames, z) after each step, of which the last are clean.

    model: the model.
    modality: the one to generate.
    condition: what it is conditioned on.
    frames: latent frames.
    seed: of the noise.
    steps: denoising steps.
    guidance: strength; None is the model's own.
    only: so many frames at the beginning are sampled; None for all.
    memory: as of ``guided_denoiser``.
    again: (frames,) the frame whose noise each frame gets; None is its own.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = first_noise(model, modality, frames, generator)
    if again is not None:
        noise = noise[:, again.to(noise.device)]
    if only is not None:
        noise, condition = noise[:, :only], condition.window(0, only)
    denoise, sampler = guided_denoiser(model, modality, guidance, memory), model.config.sampling[modality].sampler
    return sample(denoise, noise, schedule_of(model.config), steps, sampler, generator, condition)


def last_of(samples: Iterator[T], steps: int) -> T:
    """The last of ``steps`` samples. Each reports progress as a part of the current operation."""
    for step in range(steps):
        with progress.part(step / steps, (step + 1) / steps):
            drawn = next(samples)
        if step == steps - 1:
            progress.report(1.0)
            return drawn
    raise AssertionError("a sampler takes one step at least")


def _ready(saved: Checkpoint, name: str, make: Callable[[], Network], device: torch.device) -> Network:
    """A network of a model folder, for use on a device."""
    return _interruptible(saved.network(name, make).eval().requires_grad_(False).to(device))


def _interruptible(network: Network) -> Network:
    """Make a network report before each of its modules runs, so that even a long pass can be cancelled."""
    for module in network.modules():
        module.register_forward_pre_hook(lambda *_: progress.report())
    return network
