"""The second stage of theatre: the unified latent space of music, motion and light (sections 3.3 and 5.1).

A true triple is to be more likely than one whose motion or light is of another moment or clip, and its three vectors
are to be more alike than those of others. Both are learned together with the penalty that keeps the projections
orthogonal and the reward for agreeing where the rhythm is intense. The encoders learn on.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Config
from core.metrics import theatre as measures
from core.theatre.network import Theatre
from core.theatre.space import Triple, contrast, correlation, orthogonality, shuffled_contrast
from train.draw import similarity_picture
from train.loop import Phase
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
    """

    likelihood: float = 1.0
    contrast: float = 1.0
    orthogonal: float = 0.01
    correlated: float = 1.0
    slices: int = 128
    shuffles: int = 4
    temperature: float = 0.1
    freeze: bool = False


class SpacePhase(Phase):
    """Trains the unified space to find true triples of music, motion and light likelier than shuffled ones."""

    def __init__(self, theatre: Theatre, inputs: Inputs, config: SpaceTaskConfig) -> None:
        super().__init__({"theatre": theatre}, inputs=inputs)
        self.config = config

    def vectors(self, batch: dict) -> Triple:
        """Music, motion and light (b, s, k) of a batch in the unified space."""
        theatre, inputs = self.network("theatre", Theatre), self.borrowed.inputs
        music, motion, light = theatre.vectors(
            batch["rows"], inputs.motion(batch["features"]), inputs.light(batch["light"])
        )
        return music.float(), motion.float(), light.float()

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        c, space = self.config, self.network("theatre", Theatre).space
        vectors, intensity = self.vectors(batch), rhythm_intensity(self.network("theatre", Theatre), batch["rows"])
        some = chosen(vectors, c.slices, generator)
        pairs = torch.stack([contrast(a, b, c.temperature) for a, b in combinations(some, 2)])
        return {
            "likelihood": c.likelihood * shuffled_contrast(space, some, generator, c.shuffles),
            "contrast": c.contrast * pairs.mean(),
            "orthogonal": c.orthogonal * orthogonality(space),
            "correlated": c.correlated * correlation(vectors, intensity),
        }


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
    """

    def __init__(
        self,
        model: Config,
        config: SpaceTaskConfig,
        light_vae: Autoencoder,
        theatre: Theatre,
        clips: dict[str, list[dict]],
    ) -> None:
        super().__init__(model, config, clips)
        self.name = "theatre-space"
        theatre.requires_grad_(not config.freeze)
        theatre.space.requires_grad_(True)
        for part in (theatre.scheduler, theatre.denoisers, theatre.style):
            part.requires_grad_(False)
        self.phases = {"theatre": SpacePhase(theatre, Inputs(model, light_vae), config)}

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
