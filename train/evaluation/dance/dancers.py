"""Systems that dance by a trained network: models, and the autoregressive baseline in the run that trained it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch

from core import pipeline, records
from core.errors import FootlightError
from core.files import file_digest
from core.motion import features
from core.pipeline.choices import noise_seed, style_for
from core.pipeline.dance import finish, hear_song
from core.pipeline.model import style_of
from core.protocol import ACCENTS, DanceOptions
from core.types import Motion
from train import run_folder
from train.data.shards import key
from train.evaluation.cache import sources_digest
from train.evaluation.dance.material import Excerpt
from train.evaluation.dance.systems import AUTOREGRESSIVE, Asked, System, model_system
from train.tasks.causal_network import CausalConfig, CausalNetwork, sample


def dancer(asked: Asked, fps: float, loaded: dict[str, pipeline.Model]) -> System:
    """The system of a word that names a model or an autoregressive baseline.

    loaded: see ``model_of``.
    """
    if asked.kind == AUTOREGRESSIVE:
        return autoregressive_system(asked, fps)
    return model_system(asked, fps, loaded)


def autoregressive_system(asked: Asked, fps: float) -> System:
    """The autoregressive baseline. Raises FootlightError for a folder without it, and unknown styles and accents."""
    run = Path(asked.what).parent
    network, model = network_and_model(run)
    config = model.config
    options = dict(asked.options)
    accent, style = str(options.get("accent", ACCENTS[0])), options.get("style")
    if accent not in ACCENTS:
        raise FootlightError(f"unknown accent {accent!r}: choose one of {', '.join(ACCENTS)}")
    style = None if style is None else str(style)
    style_of(model, style)  # which knows it
    temperature = asked.number("temperature", 1.0)
    snap = asked.number("snap", DanceOptions().beat_snap)

    @torch.no_grad()
    def dance(excerpt: Excerpt, seed: int) -> Motion:
        heard = hear_song(model, excerpt.waveform)
        noise = noise_seed(seed, heard.pcm)
        told = style_of(model, style_for(config, style, noise))
        hears = network.hear(replace(heard.condition, style=told), torch.tensor([ACCENTS.index(accent)]))
        latents = sample(network, hears, torch.Generator().manual_seed(noise), temperature)
        body = config.modalities["motion"]
        raw = features.decode(model.autoencoders["motion"].decode_long(latents)[0], body.representation, body.fps)
        return finish(raw, heard.rhythm.beats, excerpt.seconds, fps, snap, accent=accent)

    size = sum(p.numel() for p in network.parameters()) / 1e6
    about = (
        f"an autoregressive network of {size:.1f} M parameters, sampled frame by frame at temperature {temperature:g}; "
        f"its dancer is to {accent}"
    )
    return System(
        asked.name,
        key(AUTOREGRESSIVE, _code(), _weights(run), sorted(asked.options), fps),
        dance,
        about,
        config.styles,
        lambda name: autoregressive_system(asked.with_option("style", name), fps),
    )


def network_and_model(run: Path) -> tuple[CausalNetwork, pipeline.Model]:
    """The network that ``train.fit autoregressive`` left in a run, and a model that hears songs and decodes motion.

    Raises FootlightError for a run without it.
    """
    weights = run_folder.averaged(run, AUTOREGRESSIVE)
    config = run_folder.read_config(run)
    settings = json.loads((run / AUTOREGRESSIVE / "settings.json").read_bytes())
    network = CausalNetwork(config, records.from_json(CausalConfig, settings["task"]["network"], "settings"))
    network.load_state_dict(weights)
    autoencoders = {name: run_folder.load_autoencoder(run, config, name) for name in ("music", "motion")}
    model = pipeline.Model(config, autoencoders, {}, torch.device("cpu"), run.name, {})
    return network.eval().requires_grad_(False), model


def _weights(run: Path) -> list[str]:
    tasks = (*run_folder.AUTOENCODERS, AUTOREGRESSIVE)
    return [file_digest(run / task / "ema.safetensors") for task in tasks]


def _code() -> str:
    return sources_digest("core", "train/tasks", "train/evaluation/dance/dancers.py", without=("core/metrics",))
