"""The second stage of theatre: the unified latent space of music, motion and light (sections 3.3 and 5.1).

A true triple is to be more likely than one whose motion or light is of another moment or clip, and its three vectors
are to be more alike than those of others. Both are learned together with the penalty that keeps the projections
orthogonal and the reward for agreeing where the rhythm is intense. The encoders learn on.

The space of a finished theatre can learn on as well. Its denoisers know the vectors by which the scheduler steers them,
so the scheduler then learns to make the same vectors from the new space.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Config
from core.errors import FootlightError
from core.metrics import theatre as measures
from core.theatre.network import Theatre
from core.theatre.space import MODALITIES, Triple, contrast, correlation, orthogonality, shuffled_contrast
from train.draw import similarity_picture
from train.loop import Phase
from train.tasks.theatre import told_look
from train.tasks.theatre_encoders import Inputs, StageConfig, StageTask


@dataclass(frozen=True)
class SpaceTaskConfig(StageConfig):
    """Weights of the losses.

    likelihood: of telling true triples from shuffled ones by their density.
    contrast: of telling them by their cosines.
    orthogonal: of the penalty on projections.
    correlated: of the reward for agreeing where the rhythm is intense.
    slices: of a batch, that are contrasted at once.
    shuffles: of each kind, of every triple.
    temperature: of the cosines.
    freeze: train the space alone, and not the encoders.
    steering: of keeping the vectors by which the scheduler of a finished theatre steers its denoisers. The scheduler
        learns along; the encoders cannot.
    """

    likelihood: float = 1.0
    contrast: float = 1.0
    orthogonal: float = 0.01
    correlated: float = 1.0
    slices: int = 128
    shuffles: int = 4
    temperature: float = 0.1
    freeze: bool = False
    steering: float = 0.0

    def __post_init__(self) -> None:
        if self.steering and not self.freeze:
            raise FootlightError("steering was asked to stay while encoders learn: freeze them, or give steering 0")


class SpacePhase(Phase):
    """Trains the unified space to find true triples of music, motion and light likelier than shuffled ones.

    finished: the theatre whose steering is kept; None keeps none.
    """

    def __init__(self, theatre: Theatre, inputs: Inputs, config: SpaceTaskConfig, finished: Theatre | None) -> None:
        super().__init__({"theatre": theatre}, inputs=inputs, finished=finished)
        self.config = config

    def encoded(self, batch: dict) -> Triple:
        """Music, motion and light (b, s, width) of a batch as the encoders hear and see them."""
        theatre, inputs = self.network("theatre", Theatre), self.borrowed.inputs
        moves, light = inputs.motion(batch["features"]), inputs.light(batch["light"])
        return theatre.music(batch["rows"]), theatre.motion(moves), theatre.light(light)

    def vectors(self, batch: dict) -> Triple:
        """Music, motion and light (b, s, k) of a batch in the unified space."""
        return in_space(self.network("theatre", Theatre), self.encoded(batch))

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        c, theatre = self.config, self.network("theatre", Theatre)
        encoded, intensity = self.encoded(batch), rhythm_intensity(theatre, batch["rows"])
        vectors = in_space(theatre, encoded)
        some = chosen(vectors, c.slices, generator)
        pairs = torch.stack([contrast(a, b, c.temperature) for a, b in combinations(some, 2)])
        losses = {
            "likelihood": c.likelihood * shuffled_contrast(theatre.space, some, generator, c.shuffles),
            "contrast": c.contrast * pairs.mean(),
            "orthogonal": c.orthogonal * orthogonality(theatre.space),
            "correlated": c.correlated * correlation(vectors, intensity),
        }
        if c.steering:
            losses["steering"] = c.steering * self.steered_elsewhere(batch, encoded, generator)
        return losses

    def steered_elsewhere(self, batch: dict, encoded: Triple, generator: torch.Generator) -> Tensor:
        """How far () scheduling vectors are from those of the finished theatre: the mean squared error.

        It is the mean over what denoisers ask for: where neither motion nor light are known, and where one of them is.
        Half of the samples are told their look, and half of these by its name.
        """
        theatre, finished = self.network("theatre", Theatre), self.borrowed.finished
        chance = torch.rand(2, len(batch["rows"]), generator=generator, device=generator.device)
        told, by_name = (chance < 0.5).to(encoded[0].device)
        look = told_look(finished, {**batch, "look_by_name": by_name}) * told[:, None]
        frames = batch["light"].shape[1]

        def steering(by: Theatre) -> Tensor:
            _, motion, light = in_space(by, encoded)
            cases = ({}, {"motion": motion}, {"light": light})
            return torch.stack([by.steering(encoded[0], batch["accent"], frames, look=look, **one) for one in cases])

        with torch.no_grad():
            wanted = steering(finished)
        return (steering(theatre) - wanted).square().mean()


def in_space(theatre: Theatre, encoded: Triple) -> Triple:
    """Music, motion and light (b, s, k) in a theatre's space, of what its encoders made of them (b, s, width)."""
    music, motion, light = (theatre.space(name, one).float() for name, one in zip(MODALITIES, encoded, strict=True))
    return music, motion, light


def chosen(vectors: Triple, count: int, generator: torch.Generator) -> Triple:
    """The vectors (n, k) of random slices of (b, s, k), the same ones of all three."""
    music, motion, light = (one.flatten(0, 1) for one in vectors)
    order = torch.randperm(len(music), generator=generator, device=generator.device)[:count].to(music.device)
    return music[order], motion[order], light[order]


def rhythm_intensity(theatre: Theatre, rows: Tensor) -> Tensor:
    """How intense the rhythm of each slice is (b, s), in [0, 1]: its strongest event."""
    _, events, _ = theatre.slicing.unpack_music(rows)
    return events.amax(dim=(2, 3))


class SpaceTask(StageTask):
    """Trains the unified space.

    light_vae: normalises light.
    theatre: with trained encoders.
    finished: the theatre whose ``steering`` is kept, with the same encoders; None where none is.

    Raises FootlightError for steering that is to be kept of no theatre.
    """

    def __init__(
        self,
        model: Config,
        config: SpaceTaskConfig,
        light_vae: Autoencoder,
        theatre: Theatre,
        clips: dict[str, list[dict]],
        finished: Theatre | None = None,
    ) -> None:
        super().__init__(model, config, clips)
        self.name = "theatre-space"
        if config.steering and finished is None:
            raise FootlightError("theatre-space was asked to keep a theatre's steering: give a model that has one")
        theatre.requires_grad_(not config.freeze)
        theatre.space.requires_grad_(True)
        theatre.scheduler.requires_grad_(config.steering > 0)
        for part in (theatre.denoisers, theatre.style, *([finished] if finished else ())):
            part.requires_grad_(False)
        self.phases = {"theatre": SpacePhase(theatre, Inputs(model, light_vae), config, finished)}

    def held_out_vectors(self, phases: dict[str, Phase]) -> Triple:
        """The vectors (n, k) of all slices of the held-out clips."""
        phase = phases["theatre"]
        assert isinstance(phase, SpacePhase)
        music, motion, light = phase.vectors(self.held_out(next(phase.networks.parameters()).device))
        return music.flatten(0, 1), motion.flatten(0, 1), light.flatten(0, 1)

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        """CMC on the slices of held-out clips, with chance and the calibrated value; the cosine of each pair; and how
        often a true triple is more likely than one with another motion or another light (.5 is chance).
        """
        vectors = self.held_out_vectors(phases)
        space = phases["theatre"].network("theatre", Theatre).space
        true = space.log_density(*vectors)
        music, motion, light = vectors
        turn = len(music) // 2 + 1
        above = [
            float((true > space.log_density(music, *other)).float().mean())
            for other in ((motion.roll(turn, 0), light), (motion, light.roll(turn, 0)))
        ]
        found = {f"cmc_{name}": value for name, value in measures.cmc(*vectors).items()}
        return {**found, "motion_told": above[0], "light_told": above[1]}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        """The cosines of one held-out clip's slices, by pair of modalities (figure 5)."""
        count = self.config.frames // self.slicing.latents
        vectors = dict(zip(("music", "motion", "light"), self.held_out_vectors(phases), strict=True))
        tables = {
            f"{a} and {b}": measures.similarities(vectors[a][:count], vectors[b][:count])
            for a, b in combinations(vectors, 2)
        }
        return {"similarity": similarity_picture(tables)}
