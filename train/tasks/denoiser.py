"""The denoiser of music -> motion on cached latents, with losses on the body that its estimate decodes to."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.autoencoder.motion_vae import MotionVAE
from core.config import Config
from core.motion.features import positions_from_features
from core.motion.layouts import layout_named
from train.draw import motion_picture
from train.loop import Phase
from train.tasks.diffusion import DiffusionPhase, DiffusionTask, DiffusionTaskConfig
from train.tasks.motion_vae import body_losses


@dataclass(frozen=True)
class DenoiserTaskConfig(DiffusionTaskConfig):
    """Further, to ``ExpertTaskConfig``:

    body_share: share of a batch, the least noisy, whose estimate is decoded for the body losses (0: none).
    """

    body_share: float = 0.25
    positions: float = 1.0
    velocity: float = 0.3
    feet: float = 0.3


class DenoiserPhase(DiffusionPhase):
    def __init__(self, vae: MotionVAE, model: Config, config: DenoiserTaskConfig) -> None:
        super().__init__("denoiser", model.denoiser, model, vae=vae.requires_grad_(False).eval())
        self.signal, self.config = model.signal, config

    def further(self, estimate: Tensor, noise_step: Tensor, batch: dict) -> dict[str, Tensor]:
        c = self.config
        count = round(c.body_share * len(estimate))
        if not count:
            return {}
        # A guess made from nearly pure noise has no feet to speak of: judge the bodies of the least noisy ones.
        chosen = noise_step.argsort()[:count]
        clean = self.schedule.alphas_cumprod.to(estimate.device)[noise_step[chosen]]
        weight = (clean * batch["valid"][chosen].all(dim=1)).mean()
        vae = self.borrowed.vae
        decoded = vae.decode(vae.unstandardise(estimate[chosen]))
        with torch.autocast(estimate.device.type, enabled=False):
            truth = batch["features"][chosen]
            body = body_losses(decoded.float(), truth, self.signal.motion_fps, self.signal.motion_layout)
        return {name: getattr(c, name) * weight * value for name, value in body.items()}


class DenoiserTask(DiffusionTask):
    """clips: see ``ExpertTask``; also ``told`` (t, c), latents of the music, ``rhythm`` (t, r), and ``features`` of the
    layout (t * stride, c)."""

    name = "denoiser"

    def __init__(self, model: Config, config: DenoiserTaskConfig, vae: MotionVAE, clips: dict[str, list[dict]]) -> None:
        super().__init__(model, model.denoiser, config, clips)
        self.vae = vae
        self.phases: dict[str, Phase] = {"denoiser": DenoiserPhase(vae, model, config)}

    def crop(self, clip: dict, start: int, generator: torch.Generator | None) -> dict[str, Tensor]:
        parts = {name: clip[name] for name in ("latents", "context", "rhythm", "features")}
        return self.padded(parts, start, {"features": self.model.motion_vae.stride})

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        batch, latents = self.sketch(phases["denoiser"], self.model.sampling.guidance)
        decoded = self.vae.decode(self.vae.unstandardise(latents)).float()
        fps, layout = self.model.signal.motion_fps, layout_named(self.model.signal.motion_layout)
        bodies = [positions_from_features(x, fps, layout=layout)[0].cpu() for x in (batch["features"], decoded)]
        return {"dance": motion_picture(bodies, fps, layout=layout)}
