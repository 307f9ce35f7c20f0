"""The denoiser of motion from music, on cached latents, with losses on the body that its estimate decodes to."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Config
from core.motion.body_parts import part_of_channels, shown
from core.motion.features import positions_from_features
from core.motion.layouts import layout_named
from train.draw import motion_picture
from train.loop import Phase
from train.tasks.decoded import Bodies
from train.tasks.diffusion import DiffusionPhase, DiffusionTask, DiffusionTaskConfig
from train.tasks.figures import rms_ratio
from train.tasks.motion_vae import as_the_heading_sees, body_losses

SAMPLED = 16  # held-out clips whose dances are sampled in validation


@dataclass(frozen=True)
class DenoiserTaskConfig(DiffusionTaskConfig):
    """Settings of the motion denoiser, besides those of ``DiffusionTaskConfig``.

    body_share: the share of a batch, the least noisy, whose estimate is decoded for the body losses. 0 is none.
    positions, velocity, feet: weights of the body losses.
    standing: how much a second counts in which neither foot goes anywhere, beside one in which they do. Guidance makes
        a style that often stands stand more than its capture does; 0.25 makes up for it.
    observe_parts: share of samples in which parts of the body are given, in half of them only within a range around
        which everything is. Only for a network that tells parts apart.
    """

    body_share: float = 0.25
    observe_parts: float = 0.15
    positions: float = 1.0
    velocity: float = 0.3
    feet: float = 0.3
    standing: float = 1.0


class DenoiserPhase(DiffusionPhase):
    """Trains the denoiser of motion. The least noisy estimates are decoded, and their bodies have losses as well."""

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
        motion = model.modalities["motion"]
        self.layout, self.stride = layout_named(motion.representation), motion.autoencoder.stride
        super().__init__(model, "motion", config, clips)
        self.name = "denoiser"

    def phase(self) -> Phase:
        return DenoiserPhase(self.vae, self.model, self.losses)

    def counts(self, clip: dict) -> float:
        if self.losses.standing == 1:
            return super().counts(clip)
        bodies = Bodies(self.model.modalities["motion"].fps, self.layout)
        return super().counts(clip) * bodies.counts(clip["features"], self.losses.standing)

    def crop(self, clip: dict, start: int, generator: torch.Generator | None) -> dict[str, Tensor]:
        body = self.padded({name: clip[name] for name in ("latents", "features")}, start, {"features": self.stride})
        return {**super().crop(clip, start, generator), **body}

    def given(self, size: int, generator: torch.Generator) -> Tensor:
        """Also parts of the body, if the network tells them apart: some of them, but never all."""
        given = super().given(size, generator)
        if self.network.observed_parts == 1:
            return given
        parts = torch.rand(size, 1, self.network.observed_parts, generator=generator)
        parts = (parts < 0.5) & (parts < parts.amax(dim=-1, keepdim=True))
        around = self.frames_given(size, generator) & (torch.rand(size, 1, generator=generator) < 0.5)
        chosen = torch.rand(size, 1, 1, generator=generator) < self.losses.observe_parts
        return torch.where(chosen, parts | around[..., None], given)

    def observed(self, batch: dict, given: Tensor) -> Tensor:
        """Where only parts of the body are given, all others are at their mean."""
        latents = super().observed(batch, given)
        partly = (given.any(dim=-1) & ~given.all(dim=-1)).any(dim=1)
        if partly.any():
            every = given[partly].repeat_interleave(self.stride, dim=1).to(self.vae.mean.device)
            seen = shown(batch["features"][partly].to(self.vae.mean), every, self.vae.mean, self.layout)
            told = self.vae.encode_long(seen).to(latents)
            latents[partly] = told * given[partly].any(dim=-1, keepdim=True)
        return latents

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """Also ``movement``, how much sampled latents change from frame to frame, over how much the capture's do; and
        ``kept``.
        """
        batch, sampled = self.sketch(phases["denoiser"], 1.0, count=SAMPLED)
        valid = batch["valid"][:, 1:, None]
        movement = {"movement": rms_ratio(*(valid * latents.diff(dim=1) for latents in (sampled, batch["latents"])))}
        return {**super().validate(phases), **movement, **self.kept(phases["denoiser"])}

    def kept(self, phase: Phase) -> dict[str, float]:
        """How far samples are from the motion that they were given, mean over joints, in centimetres.

        The first half of each held-out clip is given, and one part of the body in the second: ``kept_frames_cm`` and
        ``kept_parts_cm``. ``made_cm`` is the distance of the joints that were not given, for comparison. Empty for a
        network that does not tell parts apart.
        """
        parts, frames = self.network.observed_parts, self.config.frames
        if parts == 1:
            return {}
        half, errors = frames // 2, []
        for index in range(parts):
            given = torch.zeros(frames, parts, dtype=torch.bool)
            given[:half], given[:, index] = True, True
            batch, sampled = self.sketch(phase, 1.0, count=SAMPLED // 4, given=given)
            whole = batch["valid"].all(dim=1)
            made, truth = self.vae.decode(self.vae.unstandardise(sampled))[whole].float(), batch["features"][whole]
            same = (part_of_channels(self.layout) == index).to(truth.device)
            # What was not given is taken from the truth, so that only the given channels count, and the reverse.
            alone = torch.where(same, made, truth), torch.where(same, truth, made)
            errors.append([self.apart(motion, truth) for motion in (made, *alone)])
        first, inside = slice(0, half * self.stride), slice(half * self.stride, None)
        whole, same, free = (torch.cat(some) for some in zip(*errors, strict=True))
        found = {"kept_frames_cm": whole[:, first], "kept_parts_cm": same[:, inside], "made_cm": free[:, inside]}
        return {name: 100 * float(value.mean()) for name, value in found.items()}

    def apart(self, made: Tensor, truth: Tensor) -> Tensor:
        """The mean distance (b, t) of the joints of two feature sequences (b, t, c), each in its own heading."""
        fps = self.model.modalities["motion"].fps
        places = [as_the_heading_sees(features, fps, self.layout)[0] for features in (made, truth)]
        return (places[0] - places[1]).norm(dim=-1).mean(dim=-1)

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        batch, latents = self.sketch(phases["denoiser"], self.sampling.guidance)
        decoded = self.vae.decode(self.vae.unstandardise(latents)).float()
        fps, layout = self.model.modalities["motion"].fps, self.layout
        bodies = [positions_from_features(x, fps, layout=layout)[0].cpu() for x in (batch["features"], decoded)]
        return {"dance": motion_picture(bodies, layout=layout)}
