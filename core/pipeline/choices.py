"""Options of a request that depend on the model: steps, styles, and the noise of a seed."""

from __future__ import annotations

import hashlib
import math
import random

import torch
from torch import Tensor

from core.config import Config, SamplingConfig
from core.errors import FootlightError
from core.protocol import LARGEST_SEED, Sampling, named


def check_choices(options: Sampling, config: Config) -> None:
    """Raises FootlightError if a model of this configuration has fewer steps, or lacks the style."""
    if options.steps is not None and options.steps > config.diffusion.steps:
        raise FootlightError(f"steps is {options.steps}; expected 1 to {config.diffusion.steps} with this model")
    if options.style is not None:
        parse_style(options.style, config.styles)


def steps_for(config: Config, modality: str, asked: int | None) -> int:
    """The requested denoising steps or, unless given, the model's own for a modality."""
    return config.sampling[modality].steps if asked is None else asked


def parse_style(text: str, known: tuple[str, ...]) -> Tensor:
    """Weights (styles,) of a mixture of styles.

    Weights that add up to more than 1 are scaled down to 1. The rest to 1 is the model's default style.

    text: ``NAME[:WEIGHT],...``, however the names are written; an omitted weight is 1.
    known: names of the model's styles.

    Raises FootlightError for unknown names, and for weights that are negative or not finite.
    """
    weights = torch.zeros(len(known))
    for part in text.split(","):
        name, _, share = (word.strip() for word in part.partition(":"))
        meant = named(name, known)
        if meant is None:
            choice = ", ".join(known) or "none: this model has no styles"
            raise FootlightError(f"unknown style {name!r}: choose one of {choice}")
        try:
            weight = float(share) if share else 1.0
        except ValueError:
            weight = math.nan
        if not 0 <= weight < math.inf:
            raise FootlightError(f"the weight of {name} is {share!r}; expected a number, 0 or more, as in {name}:0.5")
        weights[known.index(meant)] += weight
    return weights / weights.sum().clamp_min(1)


def moves_for(config: Config, style: str | None, sampling: SamplingConfig, asked: str | None = None) -> str:
    """How a dance repeats its moves (``core.pipeline.returning.moves``): as requested or, unless that is said, as its
    style does, of several the heaviest.

    config: of the model.
    style: as in ``parse_style``; None for no style.
    sampling: of the dance.
    asked: the requested pattern.
    """
    if asked is not None:
        return asked
    weights = torch.zeros(1) if style is None else parse_style(style, config.styles)
    if not bool(weights.any()):
        return sampling.moves
    return sampling.style_moves.get(config.styles[int(weights.argmax())], sampling.moves)


def noise_seed(seed: int, heard: bytes = b"") -> int:
    """A seed of noise that depends on a request's seed and on the song.

    The noise determines the moves of a dance more than the music does. If all songs shared the noise of a seed, they
    would share their moves.

    seed: of the request.
    heard: the samples of the song; empty if there is none.
    """
    digest = hashlib.blake2b(heard, key=seed.to_bytes(8, "little"), digest_size=8).digest()
    return int.from_bytes(digest, "little") & LARGEST_SEED


def style_for(config: Config, asked: str | None, seed: int) -> str | None:
    """The requested style or, without one, a style drawn in the proportions of the training data.

    Without a style, a model changes it every few seconds.

    config: of the model.
    asked: the requested style.
    seed: as ``noise_seed`` returns it.
    """
    if asked is not None or not config.style_shares:
        return asked
    return random.Random(seed).choices(config.styles, config.style_shares)[0]
