"""The visual style encoder: pictures, palettes and stage light to style vectors (section 3.1).

Colours are decomposed into hue, saturation and value. A style vector is made from histograms of the three, from where a
picture is bright, from its texture, and from what convolutions see in it. A palette is a set of weighted colours, such
as those of a look or of the lamps of a show; it has no places and no texture, for which the encoder knows a learned
null. So pictures, looks and shows have vectors in one space.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.config import TheatreConfig
from core.diffusion.conditioning import TimeConv
from core.theatre.layers import SliceEncoder, by_slice
from core.theatre.slices import Slicing

HUES = 12  # bins of each histogram
SATURATIONS = 4
VALUES = 6
PLACES = (3, 4)  # rows and columns of the grid that says where a picture is bright


def decompose(colours: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue as a vector (..., 2), saturation (...) and value (...) of sRGB colours (..., 3) in [0, 1].

    The hue is that of HSV, as cosine and sine; that of grey is zero. Differentiable, except where two channels are
    equal.
    """
    value, least = colours.amax(dim=-1), colours.amin(dim=-1)
    chroma = value - least
    red, green, blue = colours.unbind(dim=-1)
    safe = chroma.clamp_min(1e-6)
    of_green = torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    sixth = torch.where(value == red, (green - blue) / safe, of_green)
    angle = sixth * (math.pi / 3)
    hue = torch.stack([angle.cos(), angle.sin()], dim=-1) * (chroma > 1e-6)[..., None]
    return hue, chroma / value.clamp_min(1e-6), value


def histogram(values: Tensor, bins: int, weights: Tensor) -> Tensor:
    """Soft histograms (..., bins) of values (..., n) in [0, 1]: each counts for the two bins between whose centres it
    lies. They add up to 1 where there is any weight.
    """
    place = values[..., None] * (bins - 1)
    share = (1 - (place - torch.arange(bins, device=values.device)).abs()).clamp_min(0) * weights[..., None]
    return share.sum(dim=-2) / weights.sum(dim=-1, keepdim=True).clamp_min(1e-6)


def hue_histogram(hue: Tensor, weights: Tensor) -> Tensor:
    """Soft circular histograms (..., HUES) of hues (..., n, 2) with weights (..., n), as shares of all weight."""
    turn = torch.atan2(hue[..., 1], hue[..., 0]) / (2 * math.pi) % 1 * HUES
    apart = (turn[..., None] - torch.arange(HUES, device=hue.device)).abs()
    share = (1 - torch.minimum(apart, HUES - apart)).clamp_min(0) * weights[..., None]
    return share.sum(dim=-2) / weights.sum(dim=-1, keepdim=True).clamp_min(1e-6)


COLOUR_CHANNELS = HUES + SATURATIONS + VALUES + 1


def colour_features(colours: Tensor, weights: Tensor) -> Tensor:
    """The colours of a picture or a palette (..., c): histograms of hue, saturation and value, and how colourful it is.

    Hues count by their chroma, so that grey has none.

    colours: (..., n, 3) sRGB in [0, 1].
    weights: (..., n).
    """
    hue, saturation, value = decompose(colours)
    chroma = saturation * value
    colourful = (chroma * weights).sum(dim=-1, keepdim=True) / weights.sum(dim=-1, keepdim=True).clamp_min(1e-6)
    return torch.cat(
        [
            hue_histogram(hue, weights * chroma),
            histogram(saturation, SATURATIONS, weights),
            histogram(value, VALUES, weights),
            colourful,
        ],
        dim=-1,
    )


def picture_features(pictures: Tensor) -> Tensor:
    """Where pictures (b, 3, h, w) are bright, and how rough they are: (b, rows * columns + 2).

    The texture is the mean change of brightness from one pixel to the next, and over four pixels.
    """
    value = pictures.amax(dim=1, keepdim=True)
    bright = functional.adaptive_avg_pool2d(value, PLACES).flatten(1)
    coarse = functional.avg_pool2d(value, 4)
    rough = [x.diff(dim=-1).abs().mean(dim=(1, 2, 3)) for x in (value, coarse)]
    return torch.cat([bright, torch.stack(rough, dim=-1)], dim=-1)


PICTURE_CHANNELS = PLACES[0] * PLACES[1] + 2


class StyleEncoder(nn.Module):
    """Pictures or palettes -> style vectors (b, style) of unit length, and how likely each category of looks is.

    prototypes: (looks, style) the mean vector of the shows of each look, from the training data.
    """

    prototypes: Tensor

    def __init__(self, config: TheatreConfig) -> None:
        super().__init__()
        f = config.picture_filters
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, f, 3, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(f, 2 * f, 3, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(2 * f, 4 * f, 3, stride=2, padding=1), nn.SiLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.no_picture = nn.Parameter(torch.zeros(4 * f + PICTURE_CHANNELS))
        wide = COLOUR_CHANNELS + PICTURE_CHANNELS + 4 * f
        self.style = nn.Sequential(nn.Linear(wide, config.width), nn.SiLU(), nn.Linear(config.width, config.style))
        self.category = nn.Linear(config.style, max(1, len(config.looks)))
        self.register_buffer("prototypes", torch.zeros(max(1, len(config.looks)), config.style))

    def of_pictures(self, pictures: Tensor) -> Tensor:
        """Style vectors (b, style) of sRGB pictures (b, 3, h, w) in [0, 1], 32 pixels or more each way."""
        pixels = functional.adaptive_avg_pool2d(pictures, 32).flatten(2).transpose(1, 2)
        colours = colour_features(pixels, torch.ones_like(pixels[..., 0]))
        seen = torch.cat([self.convolutions(pictures), picture_features(pictures)], dim=-1)
        return self._style(colours, seen)

    def of_palettes(self, colours: Tensor, weights: Tensor) -> Tensor:
        """Style vectors (b, style) of palettes: sRGB colours (b, n, 3) in [0, 1] with weights (b, n)."""
        told = colour_features(colours, weights)
        return self._style(told, self.no_picture.expand(*told.shape[:-1], -1))

    def categories(self, style: Tensor) -> Tensor:
        """Logits (b, looks) of style vectors (b, style)."""
        return self.category(style)

    def _style(self, colours: Tensor, seen: Tensor) -> Tensor:
        return functional.normalize(self.style(torch.cat([colours, seen], dim=-1)), dim=-1)


class LightEncoder(nn.Module):
    """Stage light (b, t, c), normalised, at the rate of the latents -> vectors (b, s, width), one for each slice."""

    def __init__(self, channels: int, config: TheatreConfig, slicing: Slicing) -> None:
        super().__init__()
        self.frames = slicing.latents
        self.into = TimeConv(channels, config.width, 3)
        self.slice = nn.Linear(2 * config.width, config.width)
        self.encoder = SliceEncoder(config.width, config.encoder_heads, config.blocks, config.reach)

    def forward(self, light: Tensor) -> Tensor:
        whole = light[:, : light.shape[1] // self.frames * self.frames]
        return self.encoder(self.slice(by_slice(functional.silu(self.into(whole)), self.frames)))
