"""Distils a denoiser into a student that takes a few steps, with guidance inside.

The teacher, sampled by DDIM with guidance, carries noise along a path to a dance, or to music (``train.tasks.paths``).
Every path is cut into as many segments as the student shall take steps. From each point of a segment, the student
learns the clean estimate with which one DDIM step arrives at the segment's end, as in progressive distillation
(Salimans & Ho 2022) and multistep consistency (Heek et al. 2024), but with the teacher's whole paths instead of the
student's own guesses. A shorter step with the same estimate stays on the same line, so a student may also take more
steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Config
from core.diffusion.networks import denoiser_of
from core.diffusion.objective import random_steps
from core.diffusion.parameterize import as_denoise, to_x0
from core.diffusion.sampler import sample
from core.diffusion.schedule import CLEAN, Schedule
from core.errors import FootlightError
from core.pipeline.model import schedule_of
from train.loop import Phase
from train.tasks.decoded import decoded_as
from train.tasks.diffusion import condition_of
from train.tasks.paths import POINTS, PathsConfig

VALIDATION_SEED = 0


@dataclass(frozen=True)
class DistillTaskConfig:
    """Settings of distillation.

    steps: of the student. Those of the teacher are a multiple.
    starts: share of the samples that lie where a segment begins. These are the points at which a student of ``steps``
        steps is used; the others serve more steps.
    change: weight of the error in how latents change from frame to frame, relative to how much they change.
    positions, velocity, feet: weights of the losses on bodies that the last segment's estimates decode to, if they are
        of motion.
    mel, attack: weights of the losses on mels that they decode to, if they are of music.
    paths: which of the teacher's paths are drawn. They are kept in the run folder.
    """

    steps: int = 4
    starts: float = 0.7
    change: float = 0.2
    positions: float = 1.0
    velocity: float = 0.3
    feet: float = 0.3
    mel: float = 0.1
    attack: float = 0.1
    paths: PathsConfig = field(default_factory=PathsConfig)

    def __post_init__(self) -> None:
        if self.paths.steps % self.steps:
            raise FootlightError(
                f"a student of {self.steps} steps cannot keep to the path of a teacher of {self.paths.steps}: "
                "give the teacher a multiple"
            )


def line(t: int, end: int, schedule: Schedule) -> tuple[float, float]:
    """(a, b) of a DDIM step: x at step ``end`` is a x0 + b x_t, with x_t at step ``t`` and the clean estimate x0."""
    now, then = schedule.alpha_bar(t), schedule.alpha_bar(end)
    kept = ((1 - then) / (1 - now)) ** 0.5
    return then**0.5 - kept * now**0.5, kept


class DistillPhase(Phase):
    """Trains the student on points of the teacher's paths."""

    name = "denoiser"  # of the network in the training state

    steps: Tensor
    ends: Tensor
    lines: Tensor

    def __init__(self, vae: Autoencoder, model: Config, modality: str, config: DistillTaskConfig) -> None:
        super().__init__({self.name: denoiser_of(model.denoisers[modality])}, vae=vae.requires_grad_(False).eval())
        self.config, self.prediction = config, model.prediction(modality)
        self.decoded, self.schedule = decoded_as(model.modalities[modality]), schedule_of(model)
        self.stride = config.paths.steps // config.steps
        steps = [*self.schedule.timesteps(config.paths.steps), CLEAN]
        ends = [(i // self.stride + 1) * self.stride for i in range(config.paths.steps)]
        lines = [line(steps[i], steps[end], self.schedule) for i, end in enumerate(ends)]
        for name, values in (("steps", steps[:-1]), ("ends", ends), ("lines", lines)):
            self.register_buffer(name, torch.tensor(values), persistent=False)

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        path = batch[POINTS]  #                                         b n+1 t z
        rows, begin = torch.arange(len(path), device=path.device), self.points(len(path), generator).to(path.device)
        x_t, end, t = path[rows, begin], self.ends[begin], self.steps[begin]
        arrives, stays = self.lines[begin].unbind(dim=1)
        arrives, stays = arrives[:, None, None], stays[:, None, None]
        target = (path[rows, end] - stays * x_t) / arrives
        output = self.networks[self.name](x_t, t, condition_of(batch)).float()
        estimate = to_x0(output, x_t, t, self.schedule, self.prediction)
        # An error matters as much as it moves the step's end, and more where many steps follow that carry it on.
        weight = arrives / self.lines[:: self.stride, 0].mean()
        parts = {"latents": (weight * (estimate - target).square()).mean()}
        if self.config.change:
            still = (weight * target.diff(dim=1).square()).mean()
            change = (weight * (estimate - target).diff(dim=1).square()).mean()
            parts["change"] = self.config.change * change / still
        last = end == self.config.paths.steps
        return {**parts, **self.further(estimate[last], target[last])}

    def points(self, size: int, generator: torch.Generator) -> Tensor:
        """Indices (b,) of points of a path, spread evenly over its segments."""
        points = random_steps(size, self.config.paths.steps, generator)
        starts = torch.rand(size, generator=generator, device=generator.device) < self.config.starts
        return torch.where(starts, points - points % self.stride, points)

    def further(self, estimate: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Losses on the bodies or mels that clean estimates (b, t, z) decode to."""
        if not len(estimate):
            return {}
        vae = self.borrowed.vae
        with torch.no_grad():
            truth = vae.decode(vae.unstandardise(target))
        decoded = vae.decode(vae.unstandardise(estimate))
        with torch.autocast(estimate.device.type, enabled=False):
            losses = self.decoded.losses(decoded.float(), truth.float())
        return {name: getattr(self.config, name) * value for name, value in losses.items()}


class DistillTask:
    """Trains a student of one denoiser.

    model: the configuration, with the student's denoiser (``train.variants.distilled``).
    modality: what it generates.
    vae: the autoencoder of the modality.
    paths: by split, the teacher's paths, in one batch for each kind of conditions (``train.tasks.paths``).
    """

    phases: dict[str, Phase]

    def __init__(
        self,
        model: Config,
        modality: str,
        config: DistillTaskConfig,
        vae: Autoencoder,
        paths: dict[str, list[dict[str, Tensor]]],
    ) -> None:
        self.name, self.vae, self.config, self.paths = f"student of {modality}", vae, config, paths
        self.phases = {"denoiser": DistillPhase(vae, model, modality, config)}

    def batch(self, size: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Random paths with their conditions, all of one kind."""
        kinds = self.paths["train"]
        shares = torch.tensor([float(len(paths[POINTS])) for paths in kinds])
        paths = kinds[int(torch.multinomial(shares, 1, generator=generator))]
        chosen = torch.randint(len(paths[POINTS]), (size,), generator=generator)
        return {name: values[chosen] for name, values in paths.items()}

    def held_out(self, phases: dict[str, Phase]) -> tuple[dict[str, Tensor], Tensor]:
        """Held-out paths, and where the student arrives (b, t, z) from the noise with which they start."""
        phase = phases["denoiser"]
        assert isinstance(phase, DistillPhase)
        device = next(phase.networks.parameters()).device
        batch = {name: values.to(device) for name, values in self.paths["val"][0].items()}
        denoise = as_denoise(phase.networks[phase.name], phase.schedule, phase.prediction)
        *_, drawn = sample(
            denoise, batch[POINTS][:, 0], phase.schedule, self.config.steps, condition=condition_of(batch)
        )
        return batch, drawn

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """The losses on held-out paths, and what a student of ``steps`` steps makes of their noise.

        ``error`` is the mean squared error of its latents to the teacher's, over their variance. ``movement`` is how
        much its latents change from frame to frame, over how much the teacher's do (rms).
        """
        batch, drawn = self.held_out(phases)
        losses = phases["denoiser"](batch, torch.Generator(drawn.device).manual_seed(VALIDATION_SEED), 0)
        taught = batch[POINTS][:, -1]
        error = (drawn - taught).square().mean() / taught.var().clamp_min(1e-9)
        moved, wanted = (x.diff(dim=1).square().mean().sqrt() for x in (drawn, taught))
        found = {name: float(value.detach()) for name, value in losses.items()}
        return {**found, "error": float(error), "movement": float(moved / wanted.clamp_min(1e-9))}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        """What the teacher makes and what the student makes, from the same noise."""
        batch, drawn = self.held_out(phases)
        phase = phases["denoiser"]
        assert isinstance(phase, DistillPhase)
        decoded = [self.vae.decode(self.vae.unstandardise(x[:1])).float() for x in (batch[POINTS][:, -1], drawn)]
        return phase.decoded.picture(*decoded)
