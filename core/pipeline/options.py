"""What a person may choose about a dance, a score or a duet, what makes no sense, and what is drawn otherwise."""

from __future__ import annotations

import hashlib
import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor

from core.config import Config
from core.diffusion.sampler import SWITCH
from core.errors import FootlightError
from core.formats.motion import check_fps

LARGEST_SEED = 2**63 - 1
SHORTEST_DUET, LONGEST_DUET = 5.0, 240.0  # seconds


@dataclass(frozen=True)
class DanceOptions:
    """How to dance. seed: which of all dances.  fps: of the result.

    steps, guidance: of the sampling; None is what the model was tuned for.  beat_snap: 0-1, how far hits are carried
    onto beats afterwards.  style: see ``parse_style``; None draws one of the model's, by the seed.
    """

    seed: int = 0
    fps: float = 30.0
    steps: int | None = None
    guidance: float | None = None
    beat_snap: float = 0.25
    style: str | None = None

    def check(self, config: Config) -> None:
        """Raises FootlightError when a value makes no sense for a model of this configuration."""
        _check_drawing(self, config)
        check_fps(self.fps)
        _check_snap(self.beat_snap)


@dataclass(frozen=True)
class ScoreOptions:
    """How to make music. seed: which of all musics.  steps, guidance: as in ``DanceOptions``.  style: see
    ``parse_style``; None for the model's own choice."""

    seed: int = 0
    steps: int | None = None
    guidance: float | None = None
    style: str | None = None

    def check(self, config: Config) -> None:
        """Raises FootlightError when a value makes no sense for a model of this configuration."""
        _check_drawing(self, config)


@dataclass(frozen=True)
class DuetOptions:
    """How to invent a dance and its music together. seconds: how long both are.  switch: Tc as a share of the steps,
    see ``core.diffusion.sampler``.  The others as in ``DanceOptions``; guidance and style go to both, a style
    that is drawn to the dance alone."""

    seconds: float = 30.0
    seed: int = 0
    fps: float = 30.0
    steps: int | None = None
    guidance: float | None = None
    switch: float = SWITCH
    style: str | None = None
    beat_snap: float = 0.25

    def check(self, config: Config) -> None:
        """Raises FootlightError when a value makes no sense for a model of this configuration."""
        if not SHORTEST_DUET <= self.seconds <= LONGEST_DUET:
            raise FootlightError(
                f"a duet of {self.seconds:g} s was asked for; expected {SHORTEST_DUET:g} to {LONGEST_DUET:g} seconds"
            )
        if not 0 <= self.switch <= 1:
            raise FootlightError(f"the switch is {self.switch:g}; expected a share of the steps, 0 to 1")
        _check_drawing(self, config)
        check_fps(self.fps)
        _check_snap(self.beat_snap)


def parse_style(text: str, known: tuple[str, ...]) -> Tensor:
    """(styles,) weights of ``NAME[:WEIGHT],...``; a weight left out is 1. Weights that add up to more than 1 are scaled
    down to it; what is short of 1 is left to the model's own choice.

    Raises FootlightError for unknown names and for weights that are no shares.
    """
    weights = torch.zeros(len(known))
    for part in text.split(","):
        name, _, share = (word.strip() for word in part.partition(":"))
        if name not in known:
            choice = ", ".join(known) or "none: this model has no styles"
            raise FootlightError(f"unknown style {name!r}: choose one of {choice}")
        try:
            weight = float(share) if share else 1.0
        except ValueError:
            weight = math.nan
        if not 0 <= weight < math.inf:
            raise FootlightError(f"the weight of {name} is {share!r}; expected a number, 0 or more, as in {name}:0.5")
        weights[known.index(name)] += weight
    return weights / weights.sum().clamp_min(1)


def noise_seed(seed: int, heard: bytes = b"") -> int:
    """A seed that differs with all it is given. The noise decides a dance's moves more than the music does, so that a
    hundred songs danced with one seed would share their moves if they shared their noise."""
    digest = hashlib.blake2b(heard, key=seed.to_bytes(8, "little"), digest_size=8).digest()
    return int.from_bytes(digest, "little") & LARGEST_SEED


def style_for(config: Config, asked: str | None, seed: int) -> str | None:
    """The style that is asked for, or else one drawn by the shares that styles have in the training capture: who is
    told none changes it every few seconds. seed: of ``mixed``."""
    if asked is not None or not config.style_shares:
        return asked
    return random.Random(seed).choices(config.styles, config.style_shares)[0]


def _check_drawing(asked: DanceOptions | ScoreOptions | DuetOptions, config: Config) -> None:
    if not 0 <= asked.seed <= LARGEST_SEED:
        raise FootlightError(f"the seed is {asked.seed}; expected a whole number from 0 to 2^63 - 1")
    if asked.steps is not None and not 1 <= asked.steps <= config.diffusion.steps:
        raise FootlightError(f"steps is {asked.steps}; expected 1 to {config.diffusion.steps}")
    if asked.guidance is not None and not 0 <= asked.guidance <= 20:
        raise FootlightError(f"guidance is {asked.guidance:g}; expected 0 to 20 (1 is none, 3 is usual)")
    if asked.style is not None:
        parse_style(asked.style, config.styles)


def _check_snap(beat_snap: float) -> None:
    if not 0 <= beat_snap <= 1:
        raise FootlightError(f"beat snap is {beat_snap:g}; expected 0 (off) to 1 (onto the beat)")
