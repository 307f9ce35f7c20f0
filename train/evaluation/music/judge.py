"""Whether sets of scores sound like training music: FAD-latent in one autoencoder, and how much they vary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import SignalConfig
from core.errors import FootlightError
from core.metrics import audio, diversity
from train.evaluation.cache import Music
from train.evaluation.music.composers import Piece
from train.evaluation.music.scenes import TrainingMusic


@dataclass(frozen=True, eq=False)
class Judge:
    """The autoencoder in whose latents distances are measured, with its signal, and the music to measure from."""

    vae: Autoencoder
    signal: SignalConfig
    training: TrainingMusic

    @cached_property
    def reference(self) -> Tensor:
        """Patches (n, 2z) of the training music."""
        return audio.latent_patches(self.training.mels, self.vae, self.signal)

    def of_pieces(self, pieces: list[Piece]) -> dict:
        """``of_sets`` with one set for each seed.

        Real music has one piece for each scene, so its set has the same size.
        """
        return self.of_sets([[p.music for p in pieces if p.seed == seed] for seed in sorted({p.seed for p in pieces})])

    def of_sets(self, sets: Iterable[list[Music]]) -> dict:
        """The means over the sets, ``{"fad_latent", "patches", "patches_real", "variety"}``.

        Variety is the distance between the mean latents of two scores. Returns ``{"left_out": why}`` when there is too
        little music, or when it has another representation.
        """
        found = []
        try:
            for pieces in sets:
                patches = [audio.latent_patches([music.sound], self.vae, self.signal) for music in pieces]
                row = audio.fad_latent(torch.cat(patches), self.reference)
                means = [p.mean(dim=0) for p in patches if len(p)]
                if len(means) > 1:
                    row["variety"] = diversity.mean_pairwise(torch.stack(means))
                found.append(row)
        except FootlightError as error:
            return {"left_out": str(error)}
        shared = set.intersection(*(set(row) for row in found))
        return {name: sum(row[name] for row in found) / len(found) for name in found[0] if name in shared}
