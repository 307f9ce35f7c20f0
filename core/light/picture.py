"""A reference picture: its palette, its style, and the look that is nearest to it.

The picture is decomposed into hue, light and texture, as the visual encoder of the paper on musical theatre has it
("Multimodal Fusion Generative Model for Pop Music Elements in Musical Theater Performances", section 3.2). Lightness
and colour are those of CIELAB under D65 (CIE 15), because distances there are those that people see.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import numpy as np

from core.errors import FootlightError, reason
from core.light.look import COLOURED_ROLES, FEWEST_COLOURS, WHITE_ROLES, Colour, Look, Material, Paint
from core.show.channels import ROLES
from core.show.colour import encoded, hsv, hue_vector, light_of, linear

try:
    from PIL import Image, ImageOps, UnidentifiedImageError
except ImportError:
    raise FootlightError(
        "pictures are read by Pillow, which this Python does not have: install it (pip install pillow), or choose a "
        "look by its name"
    ) from None

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 100_000_000  # more are refused before they are decoded
MOST_FILE_BYTES = 500 << 20
SIDE = 192  # pixels to which the longer side is reduced
HUE_BINS = 12
LIGHT_BINS = 8
PLACES = 3  # columns and rows in which the light is measured
EDGE_BINS = 4  # directions of edges
PALETTE = 5  # colours
ROUNDS = 12  # of k-means
CHROMA_OF_COLOUR = 12.0  # of CIELAB; less counts as grey
DARKEST = 12.0  # lightness; darker pixels have no colour that could light a stage
LEAST_SHARE = 0.04  # of the pixels with colour, below which a colour of the palette is dropped
GREY_SPLIT = (Colour(210.0, 0.08), Colour(40.0, 0.06))  # cool and warm white, of a picture without colours
_WHITE = np.array([0.95047, 1.0, 1.08883])  # D65
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


@dataclass(frozen=True)
class Style:
    """A picture's style, as numbers.

    hues: (12,) share of the colour (weighted by chroma) in each twelfth of the circle of hues, red first; adds up to 1,
        or to 0 without colour.
    colourfulness: mean chroma, relative to 100.
    light: (8,) share of the pixels in each eighth of lightness.
    places: (9,) mean lightness 0-1 in thirds of the width and height, by rows from the top.
    edges: (4,) strength of edges by direction: horizontal, falling, vertical, rising; mean per pixel.
    """

    hues: np.ndarray
    colourfulness: float
    light: np.ndarray
    places: np.ndarray
    edges: np.ndarray

    @property
    def vector(self) -> np.ndarray:
        """All of it in one vector (34,)."""
        return np.concatenate((self.hues, [self.colourfulness], self.light, self.places, self.edges))


def read_picture(path: Path | str) -> np.ndarray:
    """Read a picture: sRGB (h, w, 3) in [0, 1], at most ``SIDE`` pixels long, upright, transparency over black.

    Raises FootlightError for anything that is no jpg, png or webp, is damaged, or has more than 100 million pixels.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise FootlightError(f"{path}: has {path.stat().st_size >> 20} MB; give a picture of less than 500 MB")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is checked here
            with Image.open(path, formats=FORMATS) as picture:
                return _decoded(picture, path)
    except Image.DecompressionBombError:
        raise _too_large(path, "hundreds of millions of") from None
    except UnidentifiedImageError:
        raise FootlightError(f"{path}: is no picture that can be read; give a jpg, png or webp file") from None
    except OSError as error:
        if error.strerror:
            raise FootlightError(f"{path}: cannot be read ({error.strerror})") from None
        raise FootlightError(f"{path}: is damaged ({reason(error)}); give another picture") from None
    except (ValueError, SyntaxError, EOFError, ArithmeticError, IndexError) as error:
        raise FootlightError(f"{path}: is damaged ({reason(error)}); give another picture") from None


def _decoded(picture: Image.Image, path: Path) -> np.ndarray:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise _too_large(path, f"{width} x {height}")
    picture.draft("RGB", (2 * SIDE, 2 * SIDE))  # a jpg is decoded no larger than needed
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):  # 16 bits of grey
        values = np.asarray(upright, dtype=np.float64)
        upright = Image.fromarray((values / 65535 * 255).clip(0, 255).round().astype(np.uint8))
    if upright.has_transparency_data:
        shown = upright.convert("RGBA")
        black = Image.new("RGBA", shown.size, (0, 0, 0, 255))
        upright = Image.alpha_composite(black, shown)
    small = upright.convert("RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64) / 255


def _too_large(path: Path, size: str) -> FootlightError:
    return FootlightError(f"{path}: has {size} pixels; give a picture of at most {MOST_PIXELS // 10**6} million")


def lab(colours: np.ndarray) -> np.ndarray:
    """CIELAB (..., 3) of sRGB colours (..., 3): lightness 0-100, and two axes of colour."""
    relative = linear(colours) @ _XYZ.T / _WHITE
    root = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = (root[..., i] for i in range(3))
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def lightness_of(picture: np.ndarray) -> float:
    """The mean lightness 0-1 of a picture (h, w, 3)."""
    return float(lab(picture)[..., 0].mean() / 100)


def style_of(picture: np.ndarray) -> Style:
    """The style of a picture (h, w, 3)."""
    tones = lab(picture)
    lightness, chroma = tones[..., 0] / 100, np.hypot(tones[..., 1], tones[..., 2])
    coloured = np.where(chroma >= CHROMA_OF_COLOUR, chroma, 0.0)
    hues = np.bincount(_bins(hsv(picture)[..., 0]).ravel(), coloured.ravel(), HUE_BINS)
    light = np.bincount((lightness * LIGHT_BINS).astype(int).clip(0, LIGHT_BINS - 1).ravel(), minlength=LIGHT_BINS)
    rows, columns = (np.array_split(np.arange(length), PLACES) for length in lightness.shape)
    whole = float(lightness.mean())
    places = [lightness[np.ix_(r, c)].mean() if len(r) and len(c) else whole for r in rows for c in columns]
    return Style(
        hues / max(hues.sum(), 1e-9),
        float(chroma.mean() / 100),
        light / lightness.size,
        np.array(places),
        _edges(lightness),
    )


def _bins(hues: np.ndarray | float) -> np.ndarray:
    """In which of the ``HUE_BINS`` hues (...) in degrees are."""
    return (np.asarray(hues) / 360 * HUE_BINS).astype(int) % HUE_BINS


def _edges(lightness: np.ndarray) -> np.ndarray:
    """The strength (4,) of edges by direction, of lightness (h, w)."""
    if min(lightness.shape) < 2:
        return np.zeros(EDGE_BINS)
    down, right = np.gradient(lightness)
    along = (np.arctan2(down, right) + math.pi / 2) % math.pi  # an edge is perpendicular to its gradient
    index = np.round(along / math.pi * EDGE_BINS).astype(int) % EDGE_BINS
    return np.bincount(index.ravel(), np.hypot(down, right).ravel(), EDGE_BINS) / lightness.size


def palette_of(picture: np.ndarray) -> list[tuple[Colour, float]]:
    """The colours of light in a picture (h, w, 3), and their shares of it, the largest first.

    Pixels with a colour are grouped by k-means in CIELAB, from the most frequent hues on. A picture without colours
    gives cool and warm white.
    """
    pixels = picture.reshape(-1, 3)
    tones = lab(pixels)
    chroma = np.hypot(tones[:, 1], tones[:, 2])
    kept = (chroma >= CHROMA_OF_COLOUR) & (tones[:, 0] >= DARKEST)
    if not kept.any():
        return [(colour, 0.5) for colour in GREY_SPLIT]
    pixels, tones = pixels[kept], tones[kept]
    groups = _grouped(tones, hsv(pixels)[:, 0])
    found = []
    for group in range(groups.max() + 1):
        members = pixels[groups == group]
        if len(members) >= LEAST_SHARE * len(pixels):
            hue, saturation, _ = hsv(encoded(linear(members).mean(axis=0)))
            found.append((Colour(float(hue), float(saturation)), len(members) / len(pixels)))
    return sorted(found, key=lambda entry: -entry[1])


def _grouped(tones: np.ndarray, hues: np.ndarray) -> np.ndarray:
    """The group (n,) of each pixel, by k-means of CIELAB (n, 3) that starts from the most frequent hues (n,)."""
    bins = _bins(hues)
    count = np.bincount(bins, minlength=HUE_BINS)
    first = [int(i) for i in np.argsort(-count, kind="stable")[:PALETTE] if count[i]]
    centres = np.stack([tones[bins == i].mean(axis=0) for i in first])
    groups = np.zeros(len(tones), dtype=int)
    for _ in range(ROUNDS):
        groups = ((tones[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        for i in range(len(centres)):
            if (groups == i).any():
                centres[i] = tones[groups == i].mean(axis=0)
    return groups


def look_style(look: Look) -> tuple[np.ndarray, float]:
    """What a look's stage looks like: the hues (12,) as in ``Style``, and the mean lightness 0-1."""

    def lit(colour: Colour, role: str) -> np.ndarray:
        return light_of(hue_vector(colour.hue), np.array(colour.saturation), look.levels[role])

    hues, total = np.zeros(HUE_BINS), np.zeros(3)
    for colour, role in zip(cycle(look.palette), COLOURED_ROLES, strict=False):
        light = lit(colour, role)
        hues[_bins(colour.hue)] += np.hypot(*lab(encoded(light))[1:])
        total += light / len(ROLES)
    for role in WHITE_ROLES:
        total += lit(look.white, role) / len(ROLES)
    return hues / max(hues.sum(), 1e-9), float(lab(encoded(total.clip(0, 1)))[0] / 100)


def nearest_look(picture: np.ndarray, looks: dict[str, Look]) -> Look:
    """The look that is nearest to a picture (h, w, 3), by hues, colourfulness and lightness."""
    style, lightness = style_of(picture), lightness_of(picture)

    def smooth(hues: np.ndarray) -> np.ndarray:
        return 0.5 * hues + 0.25 * (np.roll(hues, 1) + np.roll(hues, -1))  # neighbouring hues are half alike

    def distance(look: Look) -> float:
        hues, bright = look_style(look)
        colourful = float(np.mean([colour.saturation for colour in look.palette])) * 0.6
        return float(
            np.abs(smooth(hues) - smooth(style.hues)).sum() / 2
            + abs(bright - lightness)
            + 2 * abs(colourful - style.colourfulness)
        )

    return min(looks.values(), key=distance)


def look_of_picture(picture: np.ndarray, looks: dict[str, Look]) -> Look:
    """A look in the style of a picture (h, w, 3): the nearest look, with the picture's colours and light.

    The palette and the materials' colours are the picture's. Front and follow light keep the look's white. Levels are
    scaled by the picture's lightness, up to a third.
    """
    nearest = nearest_look(picture, looks)
    colours = [colour for colour, _ in palette_of(picture)]
    if len(colours) < FEWEST_COLOURS:
        paler = Colour(colours[0].hue, colours[0].saturation / 3)
        colours = [*colours, paler]
    usual = look_style(nearest)[1]
    scale = float(np.clip(lightness_of(picture) / max(usual, 1e-3), 2 / 3, 4 / 3))
    return replace(
        nearest,
        palette=tuple(colours),
        levels={role: min(1.0, level * scale) for role, level in nearest.levels.items()},
        costume=_repainted(nearest.costume, colours[1], colours[0]),
        backdrop=_repainted(nearest.backdrop, colours[0], colours[1]),
    )


def _repainted(material: Material, base: Colour, accent: Colour) -> Material:
    """The material in other colours, which keep their values."""
    return replace(
        material,
        base=Paint(base.hue, base.saturation, material.base.value),
        accent=Paint(accent.hue, accent.saturation, material.accent.value),
    )
