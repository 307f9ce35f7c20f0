"""The denoising networks by name: configurations of one place, not forks of the code."""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_left

import torch

from core.config import DenoiserConfig
from core.diffusion.conditioning import ConditionedNetwork
from core.diffusion.transformer import Denoiser
from core.diffusion.unet import UNet
from core.errors import FootlightError

NETWORKS: dict[str, type[ConditionedNetwork]] = {"transformer": Denoiser, "unet": UNet}

UNET_BLOCKS, UNET_MULTIPLIERS = 2, (1, 2, 4)


def denoiser_of(config: DenoiserConfig) -> ConditionedNetwork:
    """The network that ``config.kind`` names, with fresh weights. Raises FootlightError for an unknown kind."""
    if config.kind not in NETWORKS:
        raise FootlightError(f"unknown denoiser {config.kind!r}: choose one of {', '.join(NETWORKS)}")
    return NETWORKS[config.kind](config)


def size(config: DenoiserConfig) -> int:
    """How many parameters ``denoiser_of(config)`` has; no memory is taken for them."""
    with torch.device("meta"):
        return sum(p.numel() for p in denoiser_of(config).parameters())


def as_unet(config: DenoiserConfig) -> DenoiserConfig:
    """The U-Net that is told the same as ``config``'s Transformer and has as many parameters, so that shapes are
    compared and not sizes. Its width is the nearest of those that heads, and the sines and cosines of the step, can
    share. A U-Net stays as it is.
    """
    if config.kind == "unet":
        return config
    shape = dataclasses.replace(config, kind="unet", blocks=UNET_BLOCKS, multipliers=UNET_MULTIPLIERS)
    wanted, unit = size(config), math.lcm(2, config.heads)
    widths = range(unit, 8 * config.width, unit)

    def size_at(width: int) -> int:
        return size(dataclasses.replace(shape, width=width))

    above = bisect_left(widths, wanted, key=size_at)
    nearest = min(widths[max(0, above - 1) : above + 1], key=lambda width: abs(size_at(width) - wanted))
    return dataclasses.replace(shape, width=nearest)
