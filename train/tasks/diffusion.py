"""What all denoisers share: a network denoises cached latents of one modality, conditioned on context, rhythm and
style.

This task serves any modality. Those of motion and music add losses of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from core.config import Config
from core.diffusion.guidance import guided
from core.diffusion.networks import denoiser_of
from core.diffusion.objective import diffusion_loss, estimate_weights, step_weights
from core.diffusion.parameterize import as_denoise
from core.diffusion.sampler import sample
from core.diffusion.schedule import linear_sqrt
from core.types import Condition
from train.data.crops import stacked
from train.loop import Phase
from train.tasks.conditioned import CONTEXT, HELD_OUT, ConditionedTask, CropsConfig, context_of

HELD_OUT_SEEDS = 4
SKETCH_STEPS = 12  # of the samples that validation looks at
POSES = 4  # single frames that are given, at most


def condition_of(batch: dict[str, Tensor]) -> Condition:
    """The condition of a batch."""
    return Condition(
        context=context_of(batch),
        rhythm=batch.get("rhythm"),
        style=batch.get("style"),
        observed=batch["observed"],
        observed_mask=batch["observed_mask"],
        keep=batch["keep"],
        guidance=batch.get("guidance"),
    )


@dataclass(frozen=True)
class DiffusionTaskConfig(CropsConfig):
    """What is dropped from the condition in training, and how much each noise level counts, besides ``CropsConfig``.

    drop: share of samples without any condition, for guidance.
    drop_other: share of batches with rhythm alone, so that an unknown timbre or an unseen body does not matter.
    observe: share of samples in which some frames are given: all but a range, a range, or single poses.
    most_snr: weight the clean estimate's error by the signal-to-noise ratio up to this (``core.diffusion.objective``).
        0 weights the prediction's error equally at all noise levels.
    least_snr: the least of these weights. At 0, what is given and how loud the song is count little, because they show
        most where there is most noise.
    change: weight of the error in how latents change from frame to frame, where most of a step or an accent is, at the
        same noise levels as the rest. Relative to how much they change in the capture.
    """

    drop: float = 0.15
    drop_other: float = 0.5
    observe: float = 0.2
    most_snr: float = 0.0
    least_snr: float = 0.0
    change: float = 0.0


class DiffusionPhase(Phase):
    """Trains a denoiser.

    name: of the network in the training state.
    modality: the one that it generates.
    config: weights of the losses.
    weight: (z,) weight of each latent channel's error, or None.
    """

    weight: Tensor | None
    level_weights: Tensor | None
    change_weights: Tensor

    def __init__(
        self,
        name: str,
        modality: str,
        model: Config,
        config: DiffusionTaskConfig,
        weight: Tensor | None = None,
        **borrowed: nn.Module,
    ) -> None:
        super().__init__({name: denoiser_of(model.denoisers[modality])}, **borrowed)
        self.name, self.change = name, config.change
        self.schedule = linear_sqrt(model.diffusion.steps, model.diffusion.beta_start, model.diffusion.beta_end)
        self.prediction = model.prediction(modality)
        self.register_buffer("weight", weight, persistent=False)
        if config.most_snr:
            most, least = config.most_snr, config.least_snr
            levels, changes = (step_weights(self.schedule, p, most, least) for p in (self.prediction, "x0"))
        else:
            levels, changes = None, estimate_weights(self.schedule, self.prediction)
        self.register_buffer("level_weights", levels, persistent=False)
        self.register_buffer("change_weights", changes, persistent=False)

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        parts, estimate, noise_step = diffusion_loss(
            self.networks[self.name],
            batch["latents"],  #                                      b t z
            condition_of(batch),
            self.schedule,
            self.prediction,
            generator,
            valid=batch["valid"],
            channels=self.weight,
            weights=self.level_weights,
        )
        if self.change:
            parts["change"] = self.change * self.change_error(estimate, noise_step, batch)
        parts["latents"] = parts.pop("diffusion")
        return {**parts, **self.further(estimate, noise_step, batch)}

    def change_error(self, estimate: Tensor, noise_step: Tensor, batch: dict) -> Tensor:
        """The mean squared error of the estimate's changes from frame to frame, over that of a still estimate.

        Noise levels are weighted as in the loss on latents.
        """
        clean, valid = batch["latents"], batch["valid"][:, 1:, None]
        weight = valid * self.change_weights.to(estimate)[noise_step.to(estimate.device)][:, None, None]
        error = (weight * (estimate - clean).diff(dim=1).square()).sum()
        still = (valid * clean.diff(dim=1).square()).sum()
        return error / still.clamp_min(1e-6)

    def further(self, estimate: Tensor, noise_step: Tensor, batch: dict) -> dict[str, Tensor]:
        """Further losses on the clean estimate (b, t, z)."""
        return {}


class DiffusionTask(ConditionedTask):
    """Trains the denoiser of one modality.

    modality: a name in the configuration.
    clips: see ``ConditionedTask``. Those for a network without rhythm channels need no ``rhythm``.

    Raises FootlightError when no clip is long enough, and for weights of unknown styles.
    """

    part = "denoiser"  # the name of the phase and of its network in the training state

    def __init__(self, model: Config, modality: str, config: DiffusionTaskConfig, clips: dict[str, list[dict]]) -> None:
        self.modality, self.config = modality, config
        self.network, self.sampling = model.denoisers[modality], model.sampling[modality]
        super().__init__(f"denoiser of {modality}", model, config, clips, context=bool(self.network.context))

    @property
    def phases(self) -> dict[str, Phase]:
        """What is trained, by name."""
        return {self.part: self._phase}

    @cached_property
    def _phase(self) -> Phase:
        return self.phase()

    def phase(self) -> Phase:
        """The network with its losses."""
        return DiffusionPhase(self.part, self.modality, self.model, self.config)

    def batch(self, size: int, generator: torch.Generator) -> dict:
        """Random crops with all conditions, some of them dropped."""
        c = self.config
        # Without rhythm no condition would be left.
        rhythm_alone = bool(float(torch.rand(1, generator=generator)) < c.drop_other and self.network.rhythm_channels)
        clips, crops, anonymous = self.drawn(size, generator, rhythm_alone)
        if rhythm_alone:  # which is all that songs without a motion have
            crops = [{name: crop[name] for name in crop if not name.startswith(CONTEXT)} for crop in crops]
        batch = stacked(crops)
        if self.network.styles:
            batch["style"] = self.styles(clips, anonymous, self.network.styles, generator)
        batch["keep"] = torch.rand(size, generator=generator) >= c.drop * anonymous
        given = self.given(size, generator) & batch["valid"][..., None]
        return {**batch, "observed_mask": given.float(), "observed": self.observed(batch, given)}

    def frames_given(self, size: int, generator: torch.Generator) -> Tensor:
        """Which frames (b, t) would be given: all but a range, a range, or up to ``POSES`` single ones."""
        frames = self.config.frames
        edge = (torch.rand(size, 2, generator=generator).sort(dim=1).values * frames)[:, :, None]
        clock = torch.arange(frames)
        inside = (clock >= edge[:, 0]) & (clock < edge[:, 1])
        count = torch.randint(1, POSES + 1, (size, 1), generator=generator)
        single = torch.rand(size, frames, generator=generator).argsort(dim=1).argsort(dim=1) < count
        kind = torch.rand(size, 1, generator=generator)
        return torch.where(kind < 0.4, inside, torch.where(kind < 0.8, ~inside, single))

    def given(self, size: int, generator: torch.Generator) -> Tensor:
        """What is given (b, t, parts) of a batch."""
        some = torch.rand(size, 1, generator=generator) < self.config.observe
        return (self.frames_given(size, generator) & some)[..., None].expand(-1, -1, self.network.observed_parts)

    def observed(self, batch: dict, given: Tensor) -> Tensor:
        """The latents (b, t, z) that show what is given (b, t, parts), zero where nothing is."""
        return batch["latents"] * given.any(dim=-1, keepdim=True)

    def held_out(self, device: torch.device) -> dict:
        """The beginnings of the held-out clips as one batch. Only the style of some is dropped."""
        batch = self.beginnings(HELD_OUT)
        size = len(batch["valid"])
        batch["keep"] = torch.ones(size, dtype=torch.bool)
        batch["observed"] = torch.zeros_like(batch["latents"])
        batch["observed_mask"] = torch.zeros(size, self.config.frames, self.network.observed_parts)
        if self.network.styles:
            batch["style"] = torch.zeros(size, self.network.styles)
        return {name: value.to(device) for name, value in batch.items()}

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """The mean losses on the held-out clips."""
        (phase,) = phases.values()
        device = next(phase.networks.parameters()).device
        batch, sums = self.held_out(device), {}
        for seed in range(HELD_OUT_SEEDS):
            losses = phase(batch, torch.Generator(device=device).manual_seed(seed), 0)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + float(value) / HELD_OUT_SEEDS
        return sums

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        """None. Every modality looks different."""
        return {}

    def sketch(self, phase: Phase, guidance: float, count: int = 2, given: Tensor | None = None) -> tuple[dict, Tensor]:
        """Samples for ``count`` held-out conditions: their batch, and standardised latents (count, t, z).

        given: (t, parts) bool, what of the held-out motion is given.
        """
        device = next(phase.networks.parameters()).device
        batch = {name: value[:count] for name, value in self.held_out(device).items()}
        if given is not None:
            told = (given.to(device) & batch["valid"][..., None]).float()
            batch |= {"observed_mask": told, "observed": self.observed(batch, told > 0)}
        condition = condition_of(batch)
        assert isinstance(phase, DiffusionPhase)
        denoise = as_denoise(phase.networks[phase.name], phase.schedule, phase.prediction)
        noise = torch.randn(batch["latents"].shape, generator=torch.Generator().manual_seed(0)).to(device)
        *_, latents = sample(
            guided(denoise, guidance), noise, phase.schedule, SKETCH_STEPS, "ddim", condition=condition
        )
        return batch, latents
