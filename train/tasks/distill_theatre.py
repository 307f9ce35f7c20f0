"""Distils a theatre into one that takes a few steps, with guidance inside.

It is distilled as a denoiser is (``train.tasks.distill``), both chains at once. What the student hears of the other
chain is the estimate that a perfect student had there one segment before. Coarse samples, the look that comes later and
the emphasis on beats (``core.theatre.sampling``) shape the teacher's paths. The student learns their outcome and needs
none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Config, on_stage
from core.diffusion.parameterize import to_x0
from core.diffusion.sampler import walk
from core.pipeline.model import schedule_of
from core.protocol import SWITCH
from core.theatre.chains import chains
from core.theatre.energy import energies
from core.theatre.network import Theatre
from core.types import Condition
from train.draw import light_picture
from train.loop import Phase
from train.tasks.decoded import Bodies, decoded_as, decoded_losses
from train.tasks.distill import VALIDATION_SEED, arrival
from train.tasks.paths import GUIDANCE, some_of
from train.tasks.segments import Lesson, Segments, check_steps
from train.tasks.theatre_paths import MADE, TheatrePathsConfig, points, prompt_of
from train.tasks.theatre_report import strip

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class DistillTheatreConfig:
    """Settings of a theatre's distillation.

    steps: of the student. Those of the teacher are a multiple.
    starts: share of the samples that lie where a segment begins, as of ``train.tasks.distill``.
    change: weight of the error in how latents change from frame to frame, relative to how much they change.
    light: weight of the light's losses.
    positions, velocity, feet: weights of the losses on bodies that the last segment's estimates decode to.
    paths: which of the teacher's paths are drawn. They are kept in the run folder.
    """

    steps: int = 4
    starts: float = 0.7
    change: float = 0.2
    light: float = 1.0
    positions: float = 1.0
    velocity: float = 0.3
    feet: float = 0.3
    paths: TheatrePathsConfig = field(default_factory=TheatrePathsConfig)

    def __post_init__(self) -> None:
        check_steps(self.steps, self.paths.steps)


class DistillTheatrePhase(Phase):
    """Trains a student's denoisers on points of the teacher's paths. All else of the theatre stays as it is.

    theatre: the student, of the configuration ``model``.
    vae: of motion.
    """

    def __init__(self, theatre: Theatre, vae: Autoencoder, model: Config, config: DistillTheatreConfig) -> None:
        theatre.requires_grad_(False).denoisers.requires_grad_(True)
        super().__init__({"theatre": theatre}, vae=vae.requires_grad_(False).eval())
        self.config, self.model, self.stage = config, model, on_stage(model)
        decoded = decoded_as(model.modalities["motion"])
        assert isinstance(decoded, Bodies), "a dance is decoded to bodies"
        self.bodies, self.schedule = decoded, schedule_of(model)
        self.segments = Segments(self.schedule, config.paths.steps, config.steps)

    def forward(self, batch: Batch, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        c, made = self.config, [name for name in MADE if points(name) in batch]
        begin = self.segments.points(len(batch[GUIDANCE]), c.starts, generator).to(batch[GUIDANCE].device)
        losses = {}
        for name, (lesson, estimate) in self.estimates(batch, made, begin).items():
            weight = c.light if name == "light" else 1.0
            found = lesson.losses(estimate, c.change)
            losses |= {name: weight * found.pop("latents")}
            losses |= {f"{name}_{part}": weight * value for part, value in found.items()}
            if name == "motion":
                losses |= decoded_losses(
                    self.borrowed.vae, self.bodies, c, estimate[lesson.last], lesson.target[lesson.last]
                )
        return losses

    def estimates(self, batch: Batch, made: list[str], begin: Tensor) -> dict[str, tuple[Lesson, Tensor]]:
        """By modality what is learned at the points (b,), in some order of the samples, and the student's estimates.

        Samples that hear the other chain are denoised apart from those that do not yet.
        """
        late = self.segments.steps[begin] < SWITCH * self.schedule.steps
        order = late.long().argsort(stable=True)
        early, heard = order.split([int((~late).sum()), int(late.sum())])
        lessons = {name: self.segments.lesson(batch[points(name)][order], begin[order]) for name in made}
        found: dict[str, list[Tensor]] = {name: [] for name in made}
        for rows, hears in ((early, False), (heard, True)):
            if not len(rows):
                continue
            place = slice(len(early), None) if hears else slice(len(early))
            some = {name: values[rows] for name, values in batch.items()}
            others = {name: self.segments.before(some[points(name)], begin[rows]) for name in made} if hears else {}
            for name, condition in self.conditions(some, made, others).items():
                x_t, t = lessons[name].x_t[place], lessons[name].step[place]
                output = self.network("theatre", Theatre).denoisers[name](x_t, t, condition).float()
                found[name].append(to_x0(output, x_t, t, self.schedule, self.stage.prediction(name)))
        return {name: (lessons[name], torch.cat(found[name])) for name in made}

    @torch.no_grad()
    def conditions(self, batch: Batch, made: list[str], others: dict[str, Tensor]) -> dict[str, Condition]:
        """What each chain is told.

        others: the estimates (b, t, z) that it hears, by modality; empty before the switch.
        """
        noise = {name: batch[points(name)][:, 0] for name in made}
        theatre = self.network("theatre", Theatre)
        found = {}
        for name, chain in chains(theatre, self.model, prompt_of(batch, self.energy), noise, self.schedule).items():
            told = chain.tell(others) if others and chain.tell is not None else chain.condition
            found[name] = replace(told, guidance=self.guidance(name, batch))
        return found

    def energy(self, latents: Tensor) -> Tensor:
        """The energy (b, t) of dances (b, t, z)."""
        return energies(latents, self.borrowed.vae, self.model.modalities["motion"])

    def guidance(self, name: str, batch: Batch) -> Tensor:
        """The strength of guidance (b,) that a chain is told."""
        if name == "motion":
            return batch[GUIDANCE]
        return torch.full_like(batch[GUIDANCE], self.stage.sampling[name].guidance)

    @torch.no_grad()
    def walked(self, batch: Batch, steps: int) -> dict[str, Tensor]:
        """By modality, where the student arrives (b, t, z) from the noise with which the paths of a batch start."""
        noise = {name: batch[points(name)][:, 0] for name in MADE if points(name) in batch}
        theatre, guidance = self.network("theatre", Theatre), batch[GUIDANCE][:, None, None]
        made = chains(theatre, self.model, prompt_of(batch, self.energy), noise, self.schedule, guidance)
        *_, drawn = walk(made, self.schedule, steps)
        return drawn


class DistillTheatreTask:
    """Trains a student of a theatre.

    model: the configuration, with the student's denoisers (``train.variants.distilled_theatre``).
    vae: the autoencoder of motion.
    light_vae: that of light.
    theatre: the student.
    paths: by split, the teacher's paths, in one batch for each kind of conditions (``train.tasks.theatre_paths``).
    """

    name = "student of theatre"
    phases: dict[str, Phase]

    def __init__(
        self,
        model: Config,
        config: DistillTheatreConfig,
        vae: Autoencoder,
        light_vae: Autoencoder,
        theatre: Theatre,
        paths: dict[str, list[Batch]],
    ) -> None:
        self.config, self.vae, self.light_vae, self.paths = config, vae, light_vae, paths
        self.phases = {"theatre": DistillTheatrePhase(theatre, vae, model, config)}

    def batch(self, size: int, generator: torch.Generator) -> Batch:
        """Random paths with their conditions, all of one kind."""
        return some_of(self.paths["train"], size, generator)

    def held_out(self, phase: Phase) -> list[Batch]:
        device = next(phase.networks.parameters()).device
        return [{name: values.to(device) for name, values in batch.items()} for batch in self.paths["val"]]

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """The mean losses on held-out paths, and how near the student's own steps come: ``arrival`` by modality."""
        phase = phases["theatre"]
        assert isinstance(phase, DistillTheatrePhase)
        found: dict[str, list[float]] = {}
        for batch in self.held_out(phase):
            generator = torch.Generator(batch[GUIDANCE].device).manual_seed(VALIDATION_SEED)
            values = {name: float(value.detach()) for name, value in phase(batch, generator, 0).items()}
            for name, drawn in phase.walked(batch, self.config.steps).items():
                near = arrival(drawn, batch[points(name)][:, -1])
                values |= {f"{part}_{name}": value for part, value in near.items()}
            for name, value in values.items():
                found.setdefault(name, []).append(value)
        return {name: sum(values) / len(values) for name, values in found.items()}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        """What the teacher makes, above what the student makes from the same noise."""
        phase = phases["theatre"]
        assert isinstance(phase, DistillTheatrePhase)
        shown: dict[str, Tensor] = {}
        last = {name: batch for batch in self.held_out(phase) for name in MADE if points(name) in batch}
        for name, batch in last.items():
            drawn = phase.walked(batch, self.config.steps)[name]
            pair = [values[:1] for values in (batch[points(name)][:, -1], drawn)]
            shown[name] = self.dances(phase, pair) if name == "motion" else self.lights(pair)
        return shown

    def dances(self, phase: DistillTheatrePhase, pair: list[Tensor]) -> Tensor:
        taught, drawn = (self.vae.decode(self.vae.unstandardise(latents)).float() for latents in pair)
        return phase.bodies.picture(taught, drawn)["dance"]

    def lights(self, pair: list[Tensor]) -> Tensor:
        return light_picture([strip(self.light_vae.decode(latents)[0].float().cpu()) for latents in pair])
