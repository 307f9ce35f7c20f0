"""What users ask a model for, drawn at random: a part of a song, a style, how strongly, and guidance."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from core.config import DenoiserConfig
from train.data.crops import anywhere, continued, stacked
from train.tasks.conditioned import CONTEXT
from train.tasks.paths import GUIDANCE, PathsConfig, evenly


class Requests:
    """Draws requests for dances of which nothing is given.

    music: clips with ``context.NAME`` (t, z') for each context modality, and ``rhythm`` (t, r) for a network that hears
        it. Each is drawn as often as it is long.
    styles: (n,) the indices of the styles that are asked for, all equally often.
    network: of the model that is asked.
    config: how long they are, and between which bounds strength and guidance lie.
    """

    def __init__(self, music: Sequence[dict], styles: Tensor, network: DenoiserConfig, config: PathsConfig) -> None:
        self.music = [
            {name: part for name, part in clip.items() if name == "rhythm" or name.startswith(CONTEXT)}
            for clip in music
        ]
        self.lengths = torch.tensor([float(_frames(clip)) for clip in self.music])
        self.styles, self.network, self.config = styles, network, config

    def batch(self, size: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Conditions as batches of training have them, see ``condition_of``."""
        frames, network = self.config.frames, self.network
        chosen = torch.multinomial(self.lengths, size, replacement=True, generator=generator)
        crops = [self.crop(self.music[index], generator) for index in chosen.tolist()]
        style = self.styles[torch.randint(len(self.styles), (size,), generator=generator)]
        strength = evenly(self.config.strength, size, generator)
        return {
            **stacked(crops),
            "style": strength[:, None] * functional.one_hot(style, network.styles),
            GUIDANCE: evenly(self.config.guidance, size, generator),
            "keep": torch.ones(size, dtype=torch.bool),
            "observed": torch.zeros(size, frames, network.latent_channels),
            "observed_mask": torch.zeros(size, frames, network.observed_parts),
        }

    def crop(self, clip: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """A part of a clip anywhere in it. Where the clip is too short, its last frame goes on."""
        frames = self.config.frames
        start = anywhere(_frames(clip), frames, generator)
        return {name: continued(part[start : start + frames].float(), frames) for name, part in clip.items()}


def _frames(clip: dict[str, Tensor]) -> int:
    return min(map(len, clip.values()))
