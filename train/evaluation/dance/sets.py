"""Measures that only sets of dances have: distance to real capture, variety, and distance to the nearest training clip.

The reference of every distance is the training capture before any warp. Held-out capture is measured against it too:
its row shows how near a set of that size can come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from core.errors import FootlightError
from core.metrics import diversity, embedding, frechet
from core.metrics.classifier import Classifier
from core.motion import kinematics
from core.types import Motion
from train.evaluation.dance.material import Capture


@dataclass(frozen=True, eq=False)
class Reference:
    """The training capture that sets are compared with, and the classifier that embeds both."""

    training: list[Capture]
    classifier: Classifier | None = None

    @cached_property
    def features(self) -> tuple[Tensor, Tensor]:
        """Kinetic and geometric features of all windows, computed once for all systems."""
        return frechet.features([placed(clip.motion) for clip in self.training])

    def against(self, motions: list[Motion], seeds: Sequence[Motion] = ()) -> dict:
        """``frechet``, ``embedding`` and ``copying`` of a set of dances, and ``left_out``, the reason for each missing
        one.

        seeds: dances to one song, for the diversity among them.
        """
        found: dict = {}
        left_out: dict[str, str] = {}
        scores: dict[str, Callable[[], dict]] = {
            "frechet": lambda: self.distance(motions),
            "copying": lambda: self.copying(motions),
            "embedding": lambda: self.embedded(motions, seeds),
        }
        for name, score in scores.items():
            try:
                found[name] = score()
            except FootlightError as error:
                left_out[name] = str(error)
        return found | ({"left_out": left_out} if left_out else {})

    def distance(self, motions: list[Motion]) -> dict[str, float]:
        """``core.metrics.frechet.evaluate``, with the reference's features computed once."""
        result: dict[str, float] = {}
        ours = frechet.features([placed(motion) for motion in motions])
        for name, made, real in zip("kg", ours, self.features, strict=True):
            made, real = frechet.z_scored(made, real), frechet.z_scored(real, real)
            result |= {"windows": len(made), "windows_real": len(real)}
            result[f"fid_{name}"] = frechet.frechet_distance(made, real)
            result[f"dist_{name}"] = float(torch.pdist(made).mean())
            result[f"dist_{name}_real"] = float(torch.pdist(real).mean())
        return result

    def copying(self, motions: list[Motion]) -> dict:
        """``core.metrics.diversity.closest``, with the nearest clip by name."""
        found = diversity.closest(motions, [clip.motion for clip in self.training])
        nearest = found["nearest"]
        return found | {"nearest": nearest | {"training": self.training[nearest["training"]].name}}

    def embedded(self, motions: list[Motion], seeds: Sequence[Motion]) -> dict:
        """``core.metrics.embedding.evaluate``. Raises FootlightError without a classifier."""
        if self.classifier is None:
            raise FootlightError("no --classifier was given; train one with `python -m train.fit classifier`")
        real = [clip.motion for clip in self.training]
        return embedding.evaluate(motions, real, self.classifier, list(seeds) if len(seeds) > 1 else None)


def placed(motion: Motion) -> tuple[Tensor, float]:
    """Joint positions (t, j, 3) in metres, and their frames a second, as the metrics of sets take them."""
    return kinematics.forward(motion.rotations, motion.root), motion.fps


def variety(motions: list[Motion]) -> dict | None:
    """``core.metrics.diversity.evaluate`` over the length that all have, or None for fewer than two."""
    if len(motions) < 2:
        return None
    shortest = min(motion.frames for motion in motions)
    return diversity.evaluate([motion.cut(0, shortest) for motion in motions])
