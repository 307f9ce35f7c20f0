"""Samples of the theatre for its held-out music, what is measured of them, and how they look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from core.config import Config
from core.diffusion.sampler import walk
from core.light.cues import told_of
from core.metrics import theatre as measures
from core.motion.features import positions_from_features
from core.show.channels import ROLES, SLICES
from core.theatre.chains import Prompt, chains
from core.theatre.network import Theatre
from core.theatre.palettes import palette_of_light, rgb
from core.types import Condition
from train.draw import light_picture, motion_picture
from train.tasks.theatre_losses import mean_speeds

if TYPE_CHECKING:
    from train.tasks.theatre import TheatrePhase

SAMPLED = 8  # held-out clips for which dance and light are sampled
STEPS = 12


def sampled(phase: TheatrePhase, batch: dict, model: Config, count: int) -> tuple[Tensor, Tensor]:
    """Motion features (count, t, c) and light (count, t', c'), made from the music and the look of held-out clips."""
    theatre = phase.network("theatre", Theatre)
    some = {name: value[:count] for name, value in batch.items()}
    look = theatre.style.prototypes[some["look"]]
    told = Condition({"music": some["context.music"]}, some["rhythm"], some.get("style"))
    no, yes = (torch.full((len(look),), value, device=look.device) for value in (False, True))
    cues = told_of(some["cues"], no, yes)
    prompt = Prompt(told, theatre.music(some["rows"]), some["accent"], look, {}, cues, phase.energy)
    generator = torch.Generator().manual_seed(0)
    noise = {
        name: torch.randn(*latents.shape, generator=generator).to(latents.device)
        for name, latents in (("motion", some["latents"]), ("light", some["light"]))
    }
    *_, made = walk(chains(theatre, model, prompt, noise, phase.schedule), phase.schedule, STEPS)
    vae, light_vae = phase.borrowed.vae, phase.borrowed.inputs.light_vae
    return vae.decode(vae.unstandardise(made["motion"])).float(), light_vae.decode(made["light"])


def judged(phase: TheatrePhase, batch: dict, model: Config) -> dict[str, float]:
    """What is found in samples for held-out music.

    ``speed_on_beats`` is the mean joint speed on beats, weighted by their strength, over the mean speed, and
    ``speed_on_beats_source`` that of the capture. ``sci`` is the cosine of the light's style vector and the look's,
    ``sci_chance`` that to the looks of other clips.
    """
    features, light = sampled(phase, batch, model, SAMPLED)
    theatre, fps = phase.network("theatre", Theatre), phase.motion.fps
    strength = batch["strength"][: len(features), 1:]
    found = {}
    for name, some in (("speed_on_beats", features), ("speed_on_beats_source", batch["features"][: len(features)])):
        speed = mean_speeds(positions_from_features(some, fps, layout=phase.layout), fps)
        on_beats = (speed * strength).sum() / strength.sum().clamp_min(1e-6)
        found[name] = float(on_beats / speed.mean().clamp_min(1e-9))
    made = functional.normalize(theatre.style.of_palettes(*palette_of_light(light)), dim=-1)
    sci = measures.sci(made, theatre.style.prototypes[batch["look"][: len(made)]])
    return {**found, "sci": sci["value"], "sci_chance": sci["chance"]}


def pictured(phase: TheatrePhase, batch: dict, model: Config) -> dict[str, Tensor]:
    """A held-out dance above a sampled one, and the light of both."""
    features, light = sampled(phase, batch, model, 1)
    bodies = [
        positions_from_features(some, phase.motion.fps, layout=phase.layout)[0].cpu()
        for some in (batch["features"][:1], features)
    ]
    return {
        "dance": motion_picture(bodies, layout=phase.layout),
        "light": light_picture([strip(some[0].float().cpu()) for some in (batch["light"], light)]),
    }


def strip(light: Tensor) -> Tensor:
    """The colours (roles, t, 3) of a show (t, c): each role's, times its level."""
    rows = []
    for role in ROLES:
        saturation, level = (light[:, SLICES[f"{role}_{part}"]][:, 0].clamp(0, 1) for part in ("saturation", "level"))
        rows.append(rgb(light[:, SLICES[f"{role}_hue"]], saturation, level))
    return torch.stack(rows)
