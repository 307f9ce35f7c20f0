"""What a request leaves to a model, and whether the model can do it: steps, styles and the noise of a seed."""

from __future__ import annotations

import hashlib
import math
import random

import torch
from torch import Tensor

from core.config import Config
from core.errors import FootlightError
from core.protocol import LARGEST_SEED, Sampling


def check_choices(options: Sampling, config: Config) -> None:
    """Raises FootlightError when a model of this configuration cannot take that many steps, or has no such style."""
    if options.steps is not None and options.steps > config.diffusion.steps:
        raise FootlightError(f"steps is {options.steps}; expected 1 to {config.diffusion.steps} with this model")
    if options.style is not None:
        parse_style(options.style, config.styles)


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
    """The style that is asked for, or else one drawn by the shares that styles have in the training capture: a model
    without a style changes it every few seconds. seed: of ``noise_seed``."""
    if asked is not None or not config.style_shares:
        return asked
    return random.Random(seed).choices(config.styles, config.style_shares)[0]
