"""Distils a denoiser into a student that takes a few steps, with guidance inside.

The teacher, sampled by DDIM with guidance, carries noise along a path to a dance, or to music (``train.tasks.paths``).
Every path is cut into as many segments as the student shall take steps. From each point of a segment, the student
learns the clean estimate with which one DDIM step arrives at the segment's end, as in progressive distillation
(Salimans & Ho 2022) and multistep consistency (Heek et al. 2024), but with the teacher's whole paths instead of the
student's own guesses. A shorter step with the same estimate stays on the same line, so a student may also take more
steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor
from tyro.conf import Suppress

from core.autoencoder.networks import Autoencoder
from core.config import Config
from core.diffusion.networks import denoiser_of
from core.diffusion.parameterize import as_denoise, to_x0
from core.diffusion.sampler import ddim_step, sample
from core.errors import FootlightError
from core.pipeline.model import schedule_of
from core.types import Condition
from train.loop import Phase
from train.tasks.decoded import Bodies, decoded_as, decoded_losses
from train.tasks.diffusion import condition_of
from train.tasks.figures import rms_ratio
from train.tasks.moments import Moments, captured, measures
from train.tasks.paths import CHUNK, COUNTS, POINTS, MusicPathsConfig, PathsConfig, some_of
from train.tasks.requests import Requests
from train.tasks.segments import Segments, check_steps

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
    standing: how much a second of a dance counts in which neither foot goes anywhere, beside one in which they do. A
        teacher stands more than its capture does (``DenoiserTaskConfig``); a student need not learn that.
    moments: weight of the loss on the mean footwork of the student's own dances by style (``train.tasks.moments``).
    own: how many dances of its own the student makes in a step for it.
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
    standing: float = 1.0
    moments: float = 0.0
    own: int = 8
    paths: PathsConfig = field(default_factory=PathsConfig)

    def __post_init__(self) -> None:
        check_steps(self.steps, self.paths.steps)


@dataclass(frozen=True)
class DistillDanceConfig(DistillTaskConfig):
    """Settings of the distillation of a dancer. What music is judged by is no option."""

    mel: Suppress[float] = 0.1
    attack: Suppress[float] = 0.1


@dataclass(frozen=True)
class DistillMusicConfig(DistillTaskConfig):
    """Settings of the distillation of what makes music. What bodies are judged by is no option."""

    positions: Suppress[float] = 1.0
    velocity: Suppress[float] = 0.3
    feet: Suppress[float] = 0.3
    standing: Suppress[float] = 1.0
    moments: Suppress[float] = 0.0
    own: Suppress[int] = 8
    paths: MusicPathsConfig = field(default_factory=MusicPathsConfig)


class DistillPhase(Phase):
    """Trains the student on points of the teacher's paths."""

    name = "denoiser"  # of the network in the training state

    def __init__(
        self,
        vae: Autoencoder,
        model: Config,
        modality: str,
        config: DistillTaskConfig,
        capture: Sequence[dict] = (),
        music: Sequence[dict] = (),
    ) -> None:
        super().__init__({self.name: denoiser_of(model.denoisers[modality])}, vae=vae.requires_grad_(False).eval())
        self.config, self.prediction = config, model.prediction(modality)
        self.decoded, self.schedule = decoded_as(model.modalities[modality]), schedule_of(model)
        self.segments = Segments(self.schedule, config.paths.steps, config.steps)
        self.moments: Moments | None = None
        self.requests: Requests | None = None
        if config.moments and isinstance(self.decoded, Bodies):
            self.decoded.layout.check_moves_a_rig()
            frames = config.paths.frames * model.modalities[modality].autoencoder.stride
            wanted = captured(capture, frames, len(model.styles), self.decoded)
            known = wanted.isfinite().all(dim=1).nonzero()[:, 0]
            if not len(known):
                raise FootlightError("moments: no style has enough capture to compare with; train without them")
            self.moments = Moments(wanted)
            self.requests = Requests(music or capture, known, model.denoisers[modality], config.paths)

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        path = batch[POINTS]  #                                         b n+1 t z
        begin = self.segments.points(len(path), self.config.starts, generator).to(path.device)
        lesson = self.segments.lesson(path, begin)
        output = self.networks[self.name](lesson.x_t, lesson.step, condition_of(batch)).float()
        estimate = to_x0(output, lesson.x_t, lesson.step, self.schedule, self.prediction)
        last, taught = estimate[lesson.last], lesson.target[lesson.last]
        further = decoded_losses(self.borrowed.vae, self.decoded, self.config, last, taught)
        return {**lesson.losses(estimate, self.config.change), **further, **self.footwork(generator)}

    def footwork(self, generator: torch.Generator) -> dict[str, Tensor]:
        """``moments`` of dances that the student makes as users ask for them."""
        if self.requests is None or self.moments is None:
            return {}
        assert isinstance(self.decoded, Bodies)
        vae = self.borrowed.vae
        # Whatever the device of training, requests and noise are drawn here.
        seed = int(torch.randint(2**31, (1,), generator=generator, device=generator.device))
        drawing = torch.Generator().manual_seed(seed)
        asked = self.requests.batch(self.config.own, drawing)
        noise = torch.randn(asked["observed"].shape, generator=drawing).to(vae.std)
        style = asked["style"].argmax(dim=1)
        asked = {name: values.to(noise.device) for name, values in asked.items()}
        decoded = vae.decode(vae.unstandardise(self.dances(noise, condition_of(asked))))
        with torch.autocast(noise.device.type, enabled=False):
            return {"moments": self.config.moments * self.moments(measures(decoded.float(), self.decoded), style)}

    def dances(self, noise: Tensor, condition: Condition) -> Tensor:
        """What the student makes of noise (b, t, z) in its own steps. Only the last one has a gradient."""
        network = self.networks[self.name]
        training = network.training
        denoise = as_denoise(network, self.schedule, self.prediction)
        levels = self.schedule.timesteps(self.config.steps)

        def estimate(x: Tensor, level: int) -> Tensor:
            return denoise(x, torch.full((len(x),), level, device=x.device), condition).float()

        network.eval()  # as it will dance: what is dropped out would shake it
        with torch.no_grad():
            for level, following in pairwise(levels):
                noise = ddim_step(noise, estimate(noise, level), level, following, self.schedule)
        drawn = estimate(noise, levels[-1])
        network.train(training)
        return drawn


def arrival(drawn: Tensor, taught: Tensor) -> dict[str, float]:
    """How near latents (b, t, z) of a student are to the teacher's.

    ``error`` is the mean squared error, over the teacher's variance. ``movement`` is how much they change from frame to
    frame, over how much the teacher's do (rms).
    """
    error = (drawn - taught).square().mean() / taught.var().clamp_min(1e-9)
    return {"error": float(error), "movement": rms_ratio(drawn.diff(dim=1), taught.diff(dim=1))}


class DistillTask:
    """Trains a student of one denoiser.

    model: the configuration, with the student's denoiser (``train.variants.distilled``).
    modality: what it generates.
    vae: the autoencoder of the modality.
    paths: by split, the teacher's paths, in one batch for each kind of conditions (``train.tasks.paths``).
    capture: the clips whose footwork ``moments`` compare with, with their ``features`` and ``style``.
    music: songs to which the student dances for that (``Requests``); none are the music of the capture.
    """

    phases: dict[str, Phase]

    def __init__(
        self,
        model: Config,
        modality: str,
        config: DistillTaskConfig,
        vae: Autoencoder,
        paths: dict[str, list[dict[str, Tensor]]],
        capture: Sequence[dict] = (),
        music: Sequence[dict] = (),
    ) -> None:
        self.name, self.vae, self.config, self.paths = f"student of {modality}", vae, config, paths
        phase = DistillPhase(vae, model, modality, config, capture, music)
        self.phases = {"denoiser": phase}
        if config.standing != 1 and isinstance(phase.decoded, Bodies):
            self.paths = {**paths, "train": [self.counted(some, phase.decoded) for some in paths["train"]]}

    @torch.no_grad()
    def counted(self, paths: dict[str, Tensor], bodies: Bodies) -> dict[str, Tensor]:
        """Paths with their ``COUNTS``: those that lead to a standing dancer count less."""
        counts = []
        for latents in paths[POINTS][:, -1].to(self.vae.std.device).split(CHUNK):
            dances = self.vae.decode(self.vae.unstandardise(latents))
            counts += [bodies.counts(dance, self.config.standing) for dance in dances]
        return {**paths, COUNTS: torch.tensor(counts)}

    def batch(self, size: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Random paths with their conditions, all of one kind."""
        return some_of(self.paths["train"], size, generator)

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
        """The losses on held-out paths, and what a student of ``steps`` steps makes of their noise: see
        ``arrival``.
        """
        batch, drawn = self.held_out(phases)
        losses = phases["denoiser"](batch, torch.Generator(drawn.device).manual_seed(VALIDATION_SEED), 0)
        taught = batch[POINTS][:, -1]
        found = {name: float(value.detach()) for name, value in losses.items()}
        return {**found, **arrival(drawn, taught)}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        """What the teacher makes and what the student makes, from the same noise."""
        batch, drawn = self.held_out(phases)
        phase = phases["denoiser"]
        assert isinstance(phase, DistillPhase)
        decoded = [self.vae.decode(self.vae.unstandardise(x[:1])).float() for x in (batch[POINTS][:, -1], drawn)]
        return phase.decoded.picture(*decoded)
