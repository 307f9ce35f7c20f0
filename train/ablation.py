"""Ablations as configurations: what ``train.fit --layout`` and ``--network`` make of a model's.

The other ablation of the motion side, no rhythmic contrast, is a weight: ``--motion-vae.task.rhythm 0``.
"""

from __future__ import annotations

from dataclasses import replace

from core.config import Config
from core.diffusion.networks import NETWORKS, as_unet
from core.motion.layouts import layout_named
from core.types import FootlightError


def apply(config: Config, layout: str | None = None, network: str | None = None) -> Config:
    """The configuration with another motion representation, another denoiser of the same size, or both.

    layout: a name of ``core.motion.layouts``; the motion autoencoder takes its channels.  network: of
    ``core.diffusion.networks``.  None leaves things as they are. Raises FootlightError for unknown names, and for a
    Transformer made from a U-Net, whose size nobody kept.
    """
    if layout is not None:
        config = replace(
            config,
            signal=replace(config.signal, motion_layout=layout),
            motion_vae=replace(config.motion_vae, channels=layout_named(layout).channels),
        )
    if network is None or network == config.denoiser.kind:
        return config
    if network == "unet":
        return replace(config, denoiser=as_unet(config.denoiser))
    known = network in NETWORKS
    raise FootlightError(
        f"a {network} was asked for, but this configuration has a {config.denoiser.kind}: start from a preset"
        if known
        else f"unknown denoiser {network!r}: choose one of {', '.join(NETWORKS)}"
    )


def check(config: Config, layout: str | None = None, network: str | None = None) -> None:
    """Raises FootlightError when a run that exists has another representation or denoiser than is asked for."""
    for what, asked, has in (
        ("layout", layout, config.signal.motion_layout),
        ("network", network, config.denoiser.kind),
    ):
        if asked is not None and asked != has:
            raise FootlightError(f"this run has {what} {has}, not {asked}: give --out a new folder")
