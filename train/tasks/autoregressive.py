"""A dancer that goes frame by frame, as a baseline: the causal network on cached latents, by teacher forcing."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Config
from core.motion.features import positions_from_features
from core.motion.layouts import layout_named
from core.types import Condition
from train.data.crops import stacked
from train.draw import motion_picture
from train.loop import Phase
from train.tasks.causal_network import CausalConfig, CausalNetwork, Mixture, delayed, sample
from train.tasks.conditioned import HELD_OUT, ConditionedTask, CropsConfig, context_of
from train.tasks.figures import rms_ratio

NAME = "autoregressive"


@dataclass(frozen=True)
class AutoregressiveTaskConfig(CropsConfig):
    """Settings of the autoregressive dancer, besides those of ``CropsConfig``.

    network: its architecture.
    noise: deviation of the noise on past frames, at most; each crop has another. The dancer then does not rely on a
        past that is more exact than its own, from which it would drift away, nor only repeats it.
    """

    frames: int = 128
    network: CausalConfig = field(default_factory=CausalConfig)
    noise: float = 0.5


def condition_of(batch: dict[str, Tensor]) -> Condition:
    """The condition of a batch."""
    return Condition(context=context_of(batch), rhythm=batch.get("rhythm"), style=batch["style"])


class AutoregressivePhase(Phase):
    """Trains the causal network by teacher forcing: the past that it hears has noise, of up to ``noise`` deviations."""

    def __init__(self, model: Config, config: AutoregressiveTaskConfig) -> None:
        super().__init__({NAME: CausalNetwork(model, config.network)})
        self.noise = config.noise

    @property
    def causal(self) -> CausalNetwork:
        return self.network(NAME, CausalNetwork)

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """The negative log likelihood of a latent channel, in nats."""
        latents, valid = batch["latents"], batch["valid"]  #           b t z, b t
        level = self.noise * torch.rand(len(latents), 1, 1, generator=generator, device=generator.device)
        noise = level * torch.randn(latents.shape, generator=generator, device=generator.device)
        mixture = self.told(batch, latents + noise.to(latents))
        density = (mixture.log_density(latents) * valid).sum() / (valid.sum() * latents.shape[-1])
        return {"likelihood": -density}

    def told(self, batch: dict, past: Tensor) -> Mixture:
        """The distribution of every frame of a batch, given the frames before it in ``past`` (b, t, z)."""
        return self.causal(delayed(past), self.causal.hear(condition_of(batch), batch["accent"]))[0]


class AutoregressiveTask(ConditionedTask):
    """Trains the autoregressive dancer.

    vae: of motion.
    clips: see ``ConditionedTask``; also ``accent``, an index in ``core.protocol.ACCENTS``.
    """

    def __init__(
        self, model: Config, config: AutoregressiveTaskConfig, vae: Autoencoder, clips: dict[str, list[dict]]
    ) -> None:
        super().__init__(NAME, model, config, clips)
        self.vae = vae.requires_grad_(False).eval()
        self.phases: dict[str, Phase] = {NAME: AutoregressivePhase(model, config)}

    def crop(self, clip: dict, start: int, generator: torch.Generator | None) -> dict[str, Tensor]:
        return {**super().crop(clip, start, generator), "accent": torch.tensor(clip["accent"])}

    def batch(self, size: int, generator: torch.Generator) -> dict:
        """Random crops, some of them without their style."""
        clips, crops, anonymous = self.drawn(size, generator)
        return {**stacked(crops), "style": self.styles(clips, anonymous, len(self.model.styles), generator)}

    def held_out(self, phase: AutoregressivePhase, most: int = HELD_OUT) -> dict[str, Tensor]:
        """The beginnings of held-out clips, in the default style."""
        batch, device = self.beginnings(most), next(phase.networks.parameters()).device
        batch["style"] = torch.zeros(len(batch["valid"]), len(self.model.styles))
        return {name: value.to(device) for name, value in batch.items()}

    def sampled(self, phase: AutoregressivePhase, batch: dict[str, Tensor]) -> Tensor:
        """A dance (b, t, z) for each condition of a batch."""
        heard = phase.causal.hear(condition_of(batch), batch["accent"])
        return sample(phase.causal, heard, torch.Generator().manual_seed(0))

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """The loss on held-out clips, and how dances hold up that are sampled to them.

        ``movement`` is how much latents change from frame to frame over how much the capture's do (rms), and ``spread``
        is so of the latents themselves. ``movement_end`` and ``spread_end`` are of the last quarter of a crop: where a
        dance freezes the one falls, where it drifts away the other grows.
        """
        phase = phases[NAME]
        assert isinstance(phase, AutoregressivePhase)
        batch = self.held_out(phase)
        losses = phase(batch, torch.Generator(batch["latents"].device).manual_seed(0), 0)
        made, real = self.sampled(phase, batch), batch["latents"]
        figures, quarter = {name: float(value) for name, value in losses.items()}, self.crops.frames // 4
        for end, first in (("", 0), ("_end", -quarter)):
            valid = batch["valid"][:, first:, None]
            figures[f"spread{end}"] = rms_ratio(made[:, first:] * valid, real[:, first:] * valid)
            changes = [x[:, first:].diff(dim=1) * valid[:, 1:] for x in (made, real)]
            figures[f"movement{end}"] = rms_ratio(*changes)
        return figures

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        phase = phases[NAME]
        assert isinstance(phase, AutoregressivePhase)
        batch, body = self.held_out(phase, most=1), self.model.modalities["motion"]
        layout = layout_named(body.representation)
        decoded = [self.vae.decode(self.vae.unstandardise(x)) for x in (batch["latents"], self.sampled(phase, batch))]
        bodies = [positions_from_features(x.float(), body.fps, layout=layout)[0].cpu() for x in decoded]
        return {"dance": motion_picture(bodies, layout=layout)}
