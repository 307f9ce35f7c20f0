"""What the autoencoders of all modalities share: frames in, the same frames out (MoMu-Diffusion, eq. 10).

This task serves any modality whose frames are features of a ``Layout``. Motion and music add losses of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.autoencoder.gaussian import noise_like
from core.autoencoder.networks import autoencoder_of
from core.autoencoder.normalised import NormalisedVAE
from core.config import Config
from train.data.splits import croppable
from train.loop import Phase


@dataclass(frozen=True)
class AutoencoderTaskConfig:
    """Crops and weights. A weight multiplies the loss of the same name.

    frames: length of a training crop, in frames of the modality.
    decoder_only: keep the encoder, and with it the latents that a denoiser was trained on.
    noise: of the latents that are decoded, in their standard deviations; each crop gets a share of it. A denoiser's
        latents are not exact either, and what is small and quick in them is more often its error than movement.
    """

    frames: int = 128
    kl: float = 1e-5
    reconstruction: float = 1.0
    decoder_only: bool = False
    noise: float = 0.0


class AutoencoderPhase(Phase):
    """Trains an autoencoder, with further networks if there are any.

    part: the name of the autoencoder in the training state.
    further: other networks that are trained with it.
    """

    def __init__(
        self, part: str, vae: NormalisedVAE, config: AutoencoderTaskConfig, further: dict[str, nn.Module] | None = None
    ) -> None:
        super().__init__({part: vae, **(further or {})})
        if config.decoder_only:
            vae.freeze_encoder()
        self.part, self.config = part, config

    @property
    def vae(self) -> NormalisedVAE:
        return self.network(self.part, NormalisedVAE)

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        c, features, vae = self.config, batch["features"], self.vae  # b t c
        posterior = vae.encode(features)
        latents = posterior.sample(generator)  #                      b t' z
        decoded = vae.decode(self.disturbed(latents, generator))
        further = self.further(decoded, latents, batch, generator)
        error = vae.normalise(decoded.float()) - vae.normalise(features)
        return {
            "reconstruction": c.reconstruction * error.square().mean(),
            "kl": c.kl * posterior.kl().mean(),
            **further,
        }

    def disturbed(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        """The latents (b, t', z) as they are decoded."""
        if not self.config.noise:
            return latents
        level = self.config.noise * torch.rand(len(latents), 1, 1, generator=generator).to(latents)
        return latents + level * self.vae.latent_std * noise_like(latents, generator)

    def further(self, decoded: Tensor, latents: Tensor, batch: dict, generator: torch.Generator) -> dict[str, Tensor]:
        """Further losses on decoded frames (b, t, c) and latents (b, t', z)."""
        return {}


class AutoencoderTask:
    """Trains the autoencoder of one modality.

    modality: a name in the configuration.
    clips: by split, dicts with ``features`` (t, c) and parts at the rate of the latents (t', ...).
    part: see ``AutoencoderPhase``.

    Creating one raises FootlightError if all clips are shorter than a crop.
    """

    phases: dict[str, Phase]

    def __init__(
        self,
        model: Config,
        modality: str,
        config: AutoencoderTaskConfig,
        clips: dict[str, list[dict]],
        part: str = "autoencoder",
    ) -> None:
        self.model, self.modality, self.config, self.part = model, model.modalities[modality], config, part
        self.name = f"autoencoder of {modality}"
        long = croppable(clips, "clips", lambda clip: len(clip["features"]), config.frames, self.modality.fps)
        self.train, self.val = long["train"], long["val"]
        self.lengths = torch.tensor([float(len(clip["features"])) for clip in self.train])
        vae = autoencoder_of(self.modality)
        assert isinstance(vae, NormalisedVAE), "without networks there is nothing to train"
        vae.learn_from(torch.cat([clip["features"] for clip in self.train]))
        self.phases = {part: self.phase(vae)}

    def phase(self, vae: NormalisedVAE) -> AutoencoderPhase:
        """What is trained."""
        return AutoencoderPhase(self.part, vae, self.config)

    def batch(self, size: int, generator: torch.Generator) -> dict:
        """Random crops of every part of the clips: ``features`` (b, frames, c), and the rest at the rate of the
        latents.
        """
        chosen = torch.multinomial(self.lengths, size, replacement=True, generator=generator)
        stride, parts = self.modality.autoencoder.stride, {name: [] for name in self.train[0]}
        frames = self.config.frames // stride
        for index in chosen.tolist():
            clip = self.train[index]
            strides = {name: stride if name == "features" else 1 for name in clip}
            room = min(len(clip[name]) // strides[name] for name in clip) - frames
            start = int(torch.randint(room + 1, (1,), generator=generator))
            for name, values in clip.items():
                parts[name].append(values[start * strides[name] : (start + frames) * strides[name]])
        return {name: torch.stack(values).float() for name, values in parts.items()}

    def held_out(self, phases: dict[str, Phase], count: int) -> tuple[NormalisedVAE, Tensor]:
        """The trained autoencoder, and the beginnings of ``count`` held-out clips (b, t, c) on its device."""
        (phase,) = phases.values()
        vae = phase.network(self.part, NormalisedVAE)
        some = torch.stack([clip["features"][: self.config.frames].float() for clip in self.val[:count]])
        return vae, some.to(vae.std.device)

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """The mean square error of held-out frames in standard deviations, and the deviation of their latents."""
        vae, features = self.held_out(phases, 24)
        latents = vae.encode(features).mode()
        error = vae.normalise(vae.decode(latents).float()) - vae.normalise(features)
        return {"reconstruction": float(error.square().mean()), "latent_std": float(latents.std())}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        """None. Every modality looks different."""
        return {}
