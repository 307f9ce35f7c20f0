"""The denoising networks by name. They are chosen by the configuration and share the rest of the code."""

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

UNET_BLOCKS = 2
UNET_MULTIPLIERS = (1, 2, 4)


def denoiser_of(config: DenoiserConfig) -> ConditionedNetwork:
    """The network that ``config.kind`` names, with initial weights. Raises FootlightError for an unknown kind."""
    if config.kind not in NETWORKS:
        raise FootlightError(f"unknown denoiser {config.kind!r}: choose one of {', '.join(NETWORKS)}")
    return NETWORKS[config.kind](config)


def size(config: DenoiserConfig) -> int:
    """The number of parameters of ``denoiser_of(config)``, without allocating them."""
    with torch.device("meta"):
        return sum(p.numel() for p in denoiser_of(config).parameters())


def as_unet(config: DenoiserConfig) -> DenoiserConfig:
    """The U-Net with the same conditions and about as many parameters as a Transformer.

    A comparison of the two then compares their architecture and not their size. The width is the nearest one that is
    even and divisible by the number of heads.

    config: of the Transformer; that of a U-Net is returned unchanged.
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
