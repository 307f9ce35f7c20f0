"""The chains that make dance and stage light side by side: who hears whom, and what is given and kept.

    music            -> motion and light    two chains; from the switch on, each hears the other's estimate
    music and motion -> light               one chain, which hears the motion from the start
    music and light  -> motion              one chain, steered by the light
    music and a look -> motion              two chains of which the light is not wanted

Parts of the light (frames, roles) and of the motion (frames, parts of the body) can be given as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.config import Config, on_stage
from core.diffusion.guidance import guided_inside
from core.diffusion.inpaint import pinned
from core.diffusion.parameterize import Denoise, as_denoise
from core.diffusion.sampler import Chain
from core.diffusion.schedule import Schedule
from core.diffusion.windows import windowed
from core.light.cues import with_energy
from core.rhythm.features import LOUDNESS, with_loudness
from core.theatre.network import Theatre
from core.theatre.sampling import by_look_and_energy, coarse_to_fine, emphasised
from core.types import Condition


@dataclass(frozen=True)
class Given:
    """What is known of one modality.

    latents: (b, t, c), of any value where nothing is given.
    mask: (b, t, c) bool, true where it is given; None is everywhere.
    vectors: (b, s, k) of the whole in the unified space; None where only some of it is given.
    held: makes a denoiser's estimates what is given, where latents alone cannot say it; None pins the latents.
    """

    latents: Tensor
    mask: Tensor | None = None
    vectors: Tensor | None = None
    held: Callable[[Denoise], Denoise] | None = None

    @property
    def whole(self) -> bool:
        return self.mask is None


@dataclass(frozen=True)
class Prompt:
    """What a performance is made from.

    condition: music latents by name, rhythm and the dance's style.
    music: (b, s, width) vectors of the music encoder.
    accent: (b,) index in ``core.protocol.ACCENTS``.
    look: (b, style) the style vector of the look; None is any.
    given: by modality, what is known of "motion" and "light".
    cues: (b, t, k) of the song's sections, which the light is told if it takes any (``core.light.cues``).
    energy: the energy (b, t) of a dance with latents (b, t, z), for the light; None tells it none.
    """

    condition: Condition
    music: Tensor
    accent: Tensor
    look: Tensor | None
    given: Mapping[str, Given]
    cues: Tensor | None = None
    energy: Callable[[Tensor], Tensor] | None = None

    def vectors(self, modality: str) -> Tensor | None:
        """Vectors (b, s, k) of a modality, where all of it is given."""
        return self.given[modality].vectors if modality in self.given else None


def chains(
    theatre: Theatre,
    config: Config,
    prompt: Prompt,
    noise: Mapping[str, Tensor],
    schedule: Schedule,
    guidance: float | Tensor | None = None,
    compute: torch.dtype | None = None,
) -> dict[str, Chain]:
    """The chains of all modalities that have noise and are not wholly given.

    theatre: the networks.
    config: of the model.
    prompt: what it is made from.
    noise: (b, t, c) by modality.
    schedule: the noise schedule.
    guidance: of the motion, or of each sample's (b, 1, 1); None is the model's own.
    compute: as of ``core.diffusion.parameterize.as_denoise``.
    """
    stage = on_stage(config)
    made = [name for name in noise if name not in prompt.given or not prompt.given[name].whole]
    frames = noise[made[0]].shape[1] if made else 0

    def steering(**vectors: Tensor | None) -> Tensor:
        look = prompt.look if stage.denoisers["light"].look_channels else None
        return theatre.steering_long(frames, prompt.music, prompt.accent, look=look, **vectors)

    def tell_motion(estimates: Mapping[str, Tensor]) -> Condition:
        light = theatre.space("light", theatre.encoded("light", estimates["light"]))
        return replace(start["motion"], steering=steering(light=light))

    def tell_light(estimates: Mapping[str, Tensor]) -> Condition:
        return _watching(start["light"], estimates["motion"], prompt, config)

    start = {name: _condition(name, config, prompt, steering) for name in made}
    tells = {"motion": tell_motion, "light": tell_light}
    other = {"motion": "light", "light": "motion"}
    return {
        name: Chain(
            _denoise(name, theatre, config, prompt, schedule, guidance if name == "motion" else None, compute),
            noise[name],
            start[name],
            tells[name] if other[name] in made else None,
            sampler=stage.sampling[name].sampler,
            follows=name == "light",
        )
        for name in made
    }


def _condition(name: str, config: Config, prompt: Prompt, steering: Callable[..., Tensor]) -> Condition:
    """What a chain is told before it hears the other."""
    stage, known = on_stage(config), prompt.condition
    context = {heard: known.context[heard] for heard in stage.denoisers[name].context if heard in known.context}
    vectors = {other: prompt.vectors(other) for other in ("motion", "light") if other != name}
    condition = replace(known, context=context, steering=steering(**vectors), look=prompt.look)
    if stage.denoisers[name].cue_channels:
        condition = replace(condition, cues=prompt.cues)
    if name == "light" and "motion" in prompt.given and prompt.given["motion"].whole:
        condition = _watching(condition, prompt.given["motion"].latents, prompt, config)
    given = prompt.given.get(name)
    told = name == "light" and stage.denoisers[name].observed  # the dancer is not trained with masks
    if told and given is not None and given.mask is not None:
        mask = given.mask.all(dim=-1, keepdim=True).to(given.latents)
        condition = replace(condition, observed=given.latents * mask, observed_mask=mask)
    return condition


def _watching(condition: Condition, motion: Tensor, prompt: Prompt, config: Config) -> Condition:
    """What the light is told when it hears a dance (b, t, z): also of its energy, in cues or as if it were loudness.

    A light that was not trained with cues knows no energy. But where music is quiet it is dim, so it is told that the
    music is quieter where the dancer rests (``TheatreConfig.answer``).
    """
    assert config.theatre is not None
    told = replace(condition, context={**condition.context, "motion": motion})
    share, rhythm = config.theatre.answer, condition.rhythm
    if prompt.energy is None or (condition.cues is None and not share):
        return told
    energy = prompt.energy(motion)
    if condition.cues is not None:
        told = replace(told, cues=with_energy(condition.cues, energy))
    if share and rhythm is not None:
        told = replace(told, rhythm=with_loudness(rhythm, rhythm[..., LOUDNESS] * (1 - share * (1 - energy))))
    return told


def _denoise(
    name: str,
    theatre: Theatre,
    config: Config,
    prompt: Prompt,
    schedule: Schedule,
    guidance: float | Tensor | None,
    compute: torch.dtype | None,
) -> Denoise:
    """A modality's denoiser with guidance, windows, coarse samples first, and what is given."""
    stage, shape = on_stage(config), config.theatre
    assert shape is not None
    sampling, network = stage.sampling[name], theatre.denoisers[name]
    scale = sampling.guidance if guidance is None else guidance
    denoise = as_denoise(network, schedule, stage.prediction(name), compute)
    if stage.denoisers[name].guided:
        denoise = guided_inside(denoise, scale)
    else:
        denoise = by_look_and_energy(denoise, shape.look_guidance) if name == "light" else denoise
        denoise = emphasised(denoise, scale, shape.emphasis)
    denoise = windowed(denoise, sampling.window, sampling.overlap)
    if name == "motion":
        denoise = coarse_to_fine(denoise, schedule.steps, shape.coarse, shape.slice_frames)
    given = prompt.given.get(name)
    if given is None or given.mask is None:
        return denoise
    return pinned(denoise, given.latents, given.mask) if given.held is None else given.held(denoise)
