"""The denoiser of motion from music, on cached latents, with losses on the body that its estimate decodes to."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Config
from core.motion.features import positions_from_features
from core.motion.layouts import layout_named
from train.draw import motion_picture
from train.loop import Phase
from train.tasks.diffusion import DiffusionPhase, DiffusionTask, DiffusionTaskConfig
from train.tasks.motion_vae import body_losses

SAMPLED = 16  # held-out clips whose dances are sampled in validation


@dataclass(frozen=True)
class DenoiserTaskConfig(DiffusionTaskConfig):
    """Settings of the motion denoiser, besides those of ``DiffusionTaskConfig``.

    body_share: the share of a batch, the least noisy, whose estimate is decoded for the body losses. 0 is none.
    positions, velocity, feet: weights of the body losses.
    """

    body_share: float = 0.25
    positions: float = 1.0
    velocity: float = 0.3
    feet: float = 0.3


class DenoiserPhase(DiffusionPhase):
    def __init__(self, vae: Autoencoder, model: Config, config: DenoiserTaskConfig) -> None:
        super().__init__("denoiser", "motion", model, config, vae=vae.requires_grad_(False).eval())
        self.motion, self.config = model.modalities["motion"], config

    def further(self, estimate: Tensor, noise_step: Tensor, batch: dict) -> dict[str, Tensor]:
        c = self.config
        count = round(c.body_share * len(estimate))
        if not count:
            return {}
        # An estimate from nearly pure noise has no feet to speak of, so only the least noisy bodies get losses.
        chosen = noise_step.argsort()[:count]
        clean = self.schedule.alphas_cumprod.to(estimate.device)[noise_step[chosen]]
        weight = (clean * batch["valid"][chosen].all(dim=1)).mean()
        vae = self.borrowed.vae
        decoded = vae.decode(vae.unstandardise(estimate[chosen]))
        with torch.autocast(estimate.device.type, enabled=False):
            truth = batch["features"][chosen]
            body = body_losses(decoded.float(), truth, self.motion.fps, self.motion.representation)
        return {name: getattr(c, name) * weight * value for name, value in body.items()}


class DenoiserTask(DiffusionTask):
    """Trains the denoiser of motion. Its context is "music".

    clips: see ``DiffusionTask``; also ``features`` of the layout (t * stride, c).
    """

    def __init__(
        self, model: Config, config: DenoiserTaskConfig, vae: Autoencoder, clips: dict[str, list[dict]]
    ) -> None:
        self.vae, self.losses = vae, config
        super().__init__(model, "motion", config, clips)
        self.name = "denoiser"

    def phase(self) -> DenoiserPhase:
        return DenoiserPhase(self.vae, self.model, self.losses)

    def crop(self, clip: dict, start: int, generator: torch.Generator | None) -> dict[str, Tensor]:
        stride = self.model.modalities["motion"].autoencoder.stride
        body = self.padded({name: clip[name] for name in ("latents", "features")}, start, {"features": stride})
        return {**super().crop(clip, start, generator), **body}

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """Also ``movement``: how much sampled latents change from frame to frame, over how much the capture's do."""
        batch, sampled = self.sketch(phases["denoiser"], 1.0, count=SAMPLED)
        valid = batch["valid"][:, 1:, None]
        size = [float((valid * latents.diff(dim=1).square()).sum()) for latents in (sampled, batch["latents"])]
        return {**super().validate(phases), "movement": (size[0] / max(size[1], 1e-9)) ** 0.5}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        batch, latents = self.sketch(phases["denoiser"], self.sampling.guidance)
        decoded = self.vae.decode(self.vae.unstandardise(latents)).float()
        motion = self.model.modalities["motion"]
        fps, layout = motion.fps, layout_named(motion.representation)
        bodies = [positions_from_features(x, fps, layout=layout)[0].cpu() for x in (batch["features"], decoded)]
        return {"dance": motion_picture(bodies, fps, layout=layout)}
