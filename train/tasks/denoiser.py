"""The denoiser of music -> motion on cached latents, with losses on the body that its estimate decodes to."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.autoencoder.motion_vae import MotionVAE
from core.config import Config
from core.diffusion.conditioning import ConditionedNetwork
from core.diffusion.guidance import guided
from core.diffusion.networks import denoiser_of
from core.diffusion.objective import diffusion_loss
from core.diffusion.parameterize import as_denoise
from core.diffusion.sampler import sample
from core.diffusion.schedule import linear_sqrt
from core.motion.features import positions_from_features
from core.motion.layouts import layout_named
from core.types import Condition
from train.draw import motion_picture
from train.loop import Phase
from train.tasks.motion_vae import body_losses


@dataclass(frozen=True)
class DenoiserTaskConfig:
    """frames: length of a training crop in latent frames; shorter clips are padded down to ``shortest``.

    drop: share of samples trained without any condition (guidance). drop_music: share of batches trained on rhythm
    alone, so that an unheard timbre does not matter. drop_style: share of samples with the default style.
    observe: share of samples where part of the latents is given (editing a range).
    balance: 0 draws every minute of capture alike, 1 every style alike; between them, rare styles are drawn more often.
    What is trained without its style follows the capture's own shares all the same: nobody asked for the rare ones.
    body_share: share of a batch, the least noisy, whose estimate is decoded for the body losses (0: none).
    """

    frames: int = 96
    shortest: int = 48
    drop: float = 0.15
    drop_music: float = 0.5
    drop_style: float = 0.4
    observe: float = 0.2
    balance: float = 0.5
    body_share: float = 0.25
    positions: float = 1.0
    velocity: float = 0.3
    feet: float = 0.3


class DenoiserPhase(Phase):
    def __init__(self, denoiser: ConditionedNetwork, vae: MotionVAE, model: Config, config: DenoiserTaskConfig) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({"denoiser": denoiser})
        self.vae = [vae.requires_grad_(False).eval()]
        self.schedule = linear_sqrt(model.diffusion.steps, model.diffusion.beta_start, model.diffusion.beta_end)
        self.model, self.config = model, config

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        c = self.config
        condition = Condition(
            latents=batch.get("music"),
            rhythm=batch["rhythm"],
            style=batch.get("style"),
            observed=batch["observed"],
            observed_mask=batch["observed_mask"],
            keep=batch["keep"],
        )
        parts, estimate, noise_step = diffusion_loss(
            self.networks["denoiser"],
            batch["latents"],  #                                      b t z
            condition,
            self.schedule,
            self.model.diffusion.prediction,
            generator,
            valid=batch["valid"],
        )
        losses = {"latents": parts["diffusion"]}
        count = round(c.body_share * len(estimate))
        if count:
            # A guess made from nearly pure noise has no feet to speak of: judge the bodies of the least noisy ones.
            chosen = noise_step.argsort()[:count]
            clean = self.schedule.alphas_cumprod.to(estimate.device)[noise_step[chosen]]
            chosen_all_valid = batch["valid"][chosen].all(dim=1)
            weight = (clean * chosen_all_valid).mean()
            vae = self.vae[0]
            decoded = vae.decode(vae.unstandardise(estimate[chosen]))
            with torch.autocast(estimate.device.type, enabled=False):
                signal = self.model.signal
                body = body_losses(decoded.float(), batch["features"][chosen], signal.motion_fps, signal.motion_layout)
            for name, value in body.items():
                losses[name] = getattr(c, name) * weight * value
        return losses


class DenoiserTask:
    """clips: by split, dicts with ``latents`` (t, z), ``music`` (t, c), ``rhythm`` (t, r), ``features`` of
    the layout (t * stride, c), all standardised where they are latents, and ``style`` (int, index into the model's
    styles)."""

    name = "denoiser"

    def __init__(self, model: Config, config: DenoiserTaskConfig, vae: MotionVAE, clips: dict[str, list[dict]]) -> None:
        self.model, self.config = model, config
        self.stride = model.motion_vae.stride
        self.train = [clip for clip in clips["train"] if len(clip["latents"]) >= config.shortest]
        self.val = [clip for clip in clips["val"] if len(clip["latents"]) >= config.shortest]
        self.weights, self.anonymous = self._weights()
        self.phases: dict[str, Phase] = {"denoiser": DenoiserPhase(denoiser_of(model.denoiser), vae, model, config)}
        self.vae = vae

    def _weights(self) -> tuple[Tensor, Tensor]:
        """How often each clip is drawn, and how often it is trained without its style, relative to the most common."""
        lengths = torch.tensor([float(len(clip["latents"])) for clip in self.train])
        styles = torch.tensor([clip["style"] for clip in self.train])
        share = torch.stack([lengths[styles == style].sum() for style in styles])
        rarer = (share / share.max()) ** self.config.balance
        return lengths / rarer, rarer

    def _crop(self, clip: dict, start: int) -> dict[str, Tensor]:
        frames, stride = self.config.frames, self.stride
        length = min(frames, len(clip["latents"]) - start)
        crop = {
            "latents": clip["latents"][start : start + length],
            "music": clip["music"][start : start + length],
            "rhythm": clip["rhythm"][start : start + length],
            "features": clip["features"][start * stride : (start + length) * stride],
        }
        if length < frames:
            pad = {name: (frames - length) * (stride if name == "features" else 1) for name in crop}
            crop = {name: torch.cat([v, v[-1:].expand(pad[name], -1)]) for name, v in crop.items()}
        crop["valid"] = torch.arange(frames) < length
        return {name: v if v.dtype == torch.bool else v.float() for name, v in crop.items()}

    def batch(self, size: int, generator: torch.Generator) -> dict:
        c = self.config

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator)

        chosen = torch.multinomial(self.weights, size, replacement=True, generator=generator).tolist()
        crops = []
        for index in chosen:
            room = max(0, len(self.train[index]["latents"]) - c.frames)
            crops.append(self._crop(self.train[index], int(uniform(1) * (room + 1))))
        batch = {name: torch.stack([crop[name] for crop in crops]) for name in crops[0]}
        # Without rhythm there would be nothing left to dance to.
        if float(uniform(1)) < c.drop_music and self.model.denoiser.rhythm_channels:
            del batch["music"]
        if self.model.denoiser.styles:
            style = torch.tensor([self.train[index]["style"] for index in chosen])
            one_hot = nn.functional.one_hot(style.clamp_min(0), self.model.denoiser.styles).float()
            kept = (uniform(size) >= c.drop_style * self.anonymous[chosen]) & (style >= 0)
            batch["style"] = one_hot * kept[:, None]
        batch["keep"] = uniform(size) >= c.drop * self.anonymous[chosen]
        # Observed ranges: a stretch at either end or in the middle.
        edge = (uniform(size, 2).sort(dim=1).values * c.frames)[:, :, None]
        clock = torch.arange(c.frames)[None, None, :]
        inside = ((clock >= edge[:, :1]) & (clock < edge[:, 1:])).squeeze(1)
        inside = torch.where((uniform(size) < 0.5)[:, None], inside, ~inside)
        mask = (inside & (uniform(size) < c.observe)[:, None] & batch["valid"]).float()[..., None]
        batch["observed_mask"], batch["observed"] = mask, mask * batch["latents"]
        return batch

    def _held_out(self, device: torch.device) -> dict:
        crops = [self._crop(clip, 0) for clip in self.val[:32]]
        batch = {name: torch.stack([crop[name] for crop in crops]) for name in crops[0]}
        size = len(crops)
        batch["keep"] = torch.ones(size, dtype=torch.bool)
        batch["observed"] = torch.zeros_like(batch["latents"])
        batch["observed_mask"] = torch.zeros_like(batch["latents"][..., :1])
        if self.model.denoiser.styles:
            batch["style"] = torch.zeros(size, self.model.denoiser.styles)
        return {name: value.to(device) for name, value in batch.items()}

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        phase = phases["denoiser"]
        device = next(phase.networks.parameters()).device
        batch, sums = self._held_out(device), {}
        for seed in range(4):
            losses = phase(batch, torch.Generator(device=device).manual_seed(seed), 0)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + float(value) / 4
        return sums

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        phase = phases["denoiser"]
        device = next(phase.networks.parameters()).device
        batch = {name: value[:2] for name, value in self._held_out(device).items()}
        condition = Condition(
            batch["music"], batch["rhythm"], observed=batch["observed"], observed_mask=batch["observed_mask"]
        )
        denoise = as_denoise(phase.networks["denoiser"], phase.schedule, self.model.diffusion.prediction)
        noise = torch.randn(batch["latents"].shape, generator=torch.Generator().manual_seed(0)).to(device)
        *_, latents = sample(guided(denoise, 2.5), noise, phase.schedule, 12, "ddim", condition=condition)
        decoded = self.vae.decode(self.vae.unstandardise(latents)).float()
        fps, layout = self.model.signal.motion_fps, layout_named(self.model.signal.motion_layout)
        bodies = [positions_from_features(x, fps, layout=layout)[0].cpu() for x in (batch["features"], decoded)]
        return {"dance": motion_picture(bodies, fps, layout=layout)}
