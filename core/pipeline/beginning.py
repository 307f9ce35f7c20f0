"""How much of a long dance is made first, so that its first seconds can be watched while the rest is made."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import on_stage
from core.layers.chunked import covering
from core.pipeline.choices import steps_for
from core.pipeline.model import Model
from core.protocol import DanceOptions

SHOWN = 30.0  # seconds
BEYOND = 6.0  # seconds after them that are finished as well, because feet and drift depend on what comes next
MOST = 2 / 3  # of a dance, above which its beginning is not made first
MOST_LIT = 1 / 3  # of a dance with its light, whose beginning is made a second time with the whole


@dataclass(frozen=True)
class Beginning:
    """The beginning of a dance.

    sampled: latents that are sampled.
    decoded: those of them that are decoded and finished. They are the ones that the whole dance has.
    seconds: how much is shown.
    """

    sampled: int
    decoded: int
    seconds: float


def beginning_of(model: Model, frames: int, options: DanceOptions) -> Beginning | None:
    """What is made first of a dance of so many latent frames; None where that would be most of it.

    A clean latent depends on all those of the windows that it is in, and these on their neighbours in the step before.
    So with every step the beginning that is sampled exceeds the one that is settled by a window's share.
    """
    config = model.at(options.quality).config
    sampling = config.sampling["motion"]
    if sampling.sampler == "ddpm":  # it draws noise for the whole sequence in every step
        return None
    shown = round((SHOWN + BEYOND) * config.latent_fps)
    decoded = sampled = model.autoencoders["motion"].decoded_from(shown)
    for _ in range(steps_for(config, "motion", options.steps)):
        sampled = covering(sampled, sampling.window, sampling.overlap)
    return Beginning(sampled, decoded, SHOWN) if sampled <= MOST * frames else None


def lit_beginning_of(model: Model, frames: int) -> Beginning | None:
    """What is made first of a dance with its light; None where that would be much of it.

    Each of the two hears the other, and the light hears how energetic the dancer is beside all of the dance. So what
    depends on what comes later cannot be left out, and the beginning is not the whole's bit for bit. One window more
    than what is decoded brings it near (``docs/theatre.md`` has how near).
    """
    sampling = on_stage(model.config).sampling["motion"]
    if sampling.sampler == "ddpm":
        return None
    decoded = model.autoencoders["motion"].decoded_from(round((SHOWN + BEYOND) * model.config.latent_fps))
    sampled = covering(decoded, sampling.window, sampling.overlap)
    return Beginning(sampled, decoded, SHOWN) if sampled <= MOST_LIT * frames else None
