"""Distils a theatre into one that takes a few steps, with guidance inside.

It is distilled as a denoiser is (``train.tasks.distill``), both chains at once or one of them. What the student hears
of the other chain is the estimate that a perfect student had there: the dancer hears that of one segment before, and
the light, which follows the dancer, that of the same. Coarse samples, the look that comes later and the emphasis on
beats (``core.theatre.sampling``) shape the teacher's paths. The student learns their outcome and needs none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor, nn

from core.autoencoder.networks import Autoencoder
from core.config import Config, on_stage
from core.diffusion.parameterize import to_x0
from core.diffusion.sampler import walk
from core.errors import FootlightError
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
    learn: which of ``MADE`` become students. What does not stays as it is, with steps of its own.
    light: weight of the light's losses.
    positions, velocity, feet: weights of the losses on bodies that the last segment's estimates decode to.
    paths: which of the teacher's paths are drawn. They are kept in the run folder.
    """

    steps: int = 4
    learn: tuple[Literal["motion", "light"], ...] = ("motion", "light")
    starts: float = 0.7
    change: float = 0.2
    light: float = 1.0
    positions: float = 1.0
    velocity: float = 0.3
    feet: float = 0.3
    paths: TheatrePathsConfig = field(default_factory=TheatrePathsConfig)

    def __post_init__(self) -> None:
        check_steps(self.steps, self.paths.steps)
        if not self.learn:
            raise FootlightError("nothing is to be learned: choose among motion and light")

    @property
    def drawn(self) -> TheatrePathsConfig:
        """Which paths are drawn: all of them hold something that is learned."""
        paths = self.paths if "light" in self.learn else replace(self.paths, motion_given=0.0)
        return paths if "motion" in self.learn else replace(paths, light_given=0.0)


class DistillTheatrePhase(Phase):
    """Trains a student's denoisers on points of the teacher's paths. All else of the theatre stays as it is.

    Raises FootlightError where what stays takes steps that the teacher's are no multiple of.

    theatre: the student, of the configuration ``model``.
    vae: of motion.
    """

    def __init__(self, theatre: Theatre, vae: Autoencoder, model: Config, config: DistillTheatreConfig) -> None:
        theatre.requires_grad_(False)
        for name in config.learn:
            theatre.denoisers[name].requires_grad_(True)
        super().__init__({"theatre": theatre}, vae=vae.requires_grad_(False).eval())
        self.config, self.model, self.stage = config, model, on_stage(model)
        decoded = decoded_as(model.modalities["motion"])
        assert isinstance(decoded, Bodies), "a dance is decoded to bodies"
        self.bodies, self.schedule = decoded, schedule_of(model)
        self.walks = {name: config.steps if name in config.learn else self.stage.sampling[name].steps for name in MADE}
        for steps in self.walks.values():
            check_steps(steps, config.paths.steps)
        self.segments = nn.ModuleDict(
            {name: Segments(self.schedule, config.paths.steps, steps) for name, steps in self.walks.items()}
        )

    def segments_of(self, name: str) -> Segments:
        """The segments of a modality's paths."""
        found = self.segments[name]
        assert isinstance(found, Segments)
        return found

    def forward(self, batch: Batch, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        c, made = self.config, [name for name in self.config.learn if points(name) in batch]
        begin = self.segments_of(made[0]).points(len(batch[GUIDANCE]), c.starts, generator).to(batch[GUIDANCE].device)
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
        late = self.segments_of(made[0]).steps[begin] < SWITCH * self.schedule.steps
        order = late.long().argsort(stable=True)
        early, heard = order.split([int((~late).sum()), int(late.sum())])
        lessons = {name: self.segments_of(name).lesson(batch[points(name)][order], begin[order]) for name in made}
        found: dict[str, list[Tensor]] = {name: [] for name in made}
        for rows, hears in ((early, False), (heard, True)):
            if not len(rows):
                continue
            place = slice(len(early), None) if hears else slice(len(early))
            some = {name: values[rows] for name, values in batch.items()}
            others = self.others(some, begin[rows]) if hears else {}
            for name, condition in self.conditions(some, made, others).items():
                x_t, t = lessons[name].x_t[place], lessons[name].step[place]
                output = self.network("theatre", Theatre).denoisers[name](x_t, t, condition).float()
                found[name].append(to_x0(output, x_t, t, self.schedule, self.stage.prediction(name)))
        return {name: (lessons[name], torch.cat(found[name])) for name in made}

    def others(self, batch: Batch, begin: Tensor) -> dict[str, Tensor]:
        """By modality, the estimate (b, t, z) that the other chain hears at points (b,) of the paths.

        Where the dance begins a segment it hears the light's segment before; the light hears that of the dance itself.
        """
        motion, light = (self.segments_of(name) for name in MADE)
        start, found = begin - begin % motion.stride, {}
        if points("motion") in batch:
            found["motion"] = motion.lesson(batch[points("motion")], start).target
        if points("light") in batch:
            before = (start - light.stride).clamp_min(0)
            found["light"] = light.lesson(batch[points("light")], before).target
        return found

    @torch.no_grad()
    def conditions(self, batch: Batch, made: list[str], others: dict[str, Tensor]) -> dict[str, Condition]:
        """What each chain is told.

        made: the chains that are asked for.
        others: the estimates (b, t, z) that they hear, by modality; empty before the switch.
        """
        walked = chains(
            self.network("theatre", Theatre),
            self.model,
            prompt_of(batch, self.energy),
            {name: batch[points(name)][:, 0] for name in MADE if points(name) in batch},
            self.schedule,
        )
        found = {}
        for name in made:
            told = walked[name].tell
            condition = walked[name].condition if told is None or not others else told(others)
            found[name] = replace(condition, guidance=self.guidance(name, batch))
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
    def walked(self, batch: Batch) -> dict[str, Tensor]:
        """By modality, where the student arrives (b, t, z) from the noise with which the paths of a batch start."""
        noise = {name: batch[points(name)][:, 0] for name in MADE if points(name) in batch}
        theatre, guidance = self.network("theatre", Theatre), batch[GUIDANCE][:, None, None]
        made = chains(theatre, self.model, prompt_of(batch, self.energy), noise, self.schedule, guidance)
        *_, drawn = walk(made, self.schedule, self.walks)
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
            for name, drawn in phase.walked(batch).items():
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
            drawn = phase.walked(batch)[name]
            pair = [values[:1] for values in (batch[points(name)][:, -1], drawn)]
            shown[name] = self.dances(phase, pair) if name == "motion" else self.lights(pair)
        return shown

    def dances(self, phase: DistillTheatrePhase, pair: list[Tensor]) -> Tensor:
        taught, drawn = (self.vae.decode(self.vae.unstandardise(latents)).float() for latents in pair)
        return phase.bodies.picture(taught, drawn)["dance"]

    def lights(self, pair: list[Tensor]) -> Tensor:
        return light_picture([strip(self.light_vae.decode(latents)[0].float().cpu()) for latents in pair])
