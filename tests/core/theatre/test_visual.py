import colorsys
import math

import torch

from core.theatre.slices import Slicing
from core.theatre.visual import (
    HUES,
    LightEncoder,
    StyleEncoder,
    colour_features,
    decompose,
    histogram,
    picture_features,
)


def test_colours_are_decomposed_as_by_colorsys():
    colours = torch.rand(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    hue, saturation, value = decompose(colours)
    for index, colour in enumerate(colours.tolist()):
        h, s, v = colorsys.rgb_to_hsv(*colour)
        expected = torch.tensor([math.cos(2 * math.pi * h), math.sin(2 * math.pi * h)], dtype=torch.float64)
        torch.testing.assert_close(hue[index], expected)
        assert abs(float(saturation[index]) - s) < 1e-9 and abs(float(value[index]) - v) < 1e-9
    grey = decompose(torch.full((1, 3), 0.4))
    assert grey[0].count_nonzero() == 0 and float(grey[1]) == 0


def test_a_histogram_shares_a_value_between_two_bins():
    made = histogram(torch.tensor([0.0, 0.375]), 5, torch.tensor([1.0, 3.0]))
    torch.testing.assert_close(made, torch.tensor([0.25, 0.375, 0.375, 0.0, 0.0]))


def test_hues_are_counted_in_a_circle_by_their_chroma():
    almost = [torch.tensor([[1.0, 0.0, 0.02 * side]]) for side in (0, 1)]  # to both sides of red is red
    near = [colour_features(colour, torch.ones(1)) for colour in almost]
    assert float(near[0][0]) == 1.0 and float(near[1][0]) > 0.9 and float(near[1][HUES - 1]) > 0
    grey = colour_features(torch.tensor([[0.5, 0.5, 0.5]]), torch.ones(1))
    assert grey[:HUES].count_nonzero() == 0


def test_pictures_tell_where_they_are_bright_and_how_rough():
    half = torch.zeros(1, 3, 48, 64)
    half[..., 32:] = 1
    bright = picture_features(half)[0, :12].view(3, 4)
    assert bright.tolist() == [[0.0, 0.0, 1.0, 1.0]] * 3
    rough = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    assert float(picture_features(rough)[0, -2]) > 10 * float(picture_features(half)[0, -2])


def test_pictures_and_palettes_have_vectors_in_one_space(shape):
    torch.manual_seed(0)
    encoder = StyleEncoder(shape.theatre)
    pictures, palettes = torch.rand(3, 3, 40, 56), torch.rand(3, 5, 3)
    for style in (encoder.of_pictures(pictures), encoder.of_palettes(palettes, torch.ones(3, 5))):
        assert style.shape == (3, shape.theatre.style)
        torch.testing.assert_close(style.norm(dim=-1), torch.ones(3))
        assert encoder.categories(style).shape == (3, 2)
    # the order of a palette means nothing, and a colour without weight is not there
    weights = torch.tensor([[1.0, 2.0, 0.5, 1.0, 0.0]]).expand(3, -1)
    style = encoder.of_palettes(palettes, weights)
    torch.testing.assert_close(encoder.of_palettes(palettes.flip(1), weights.flip(1)), style)
    torch.testing.assert_close(encoder.of_palettes(palettes[:, :4], weights[:, :4]), style)


def test_light_becomes_one_vector_a_slice(shape):
    torch.manual_seed(0)
    slicing = Slicing.of(shape)
    encoder = LightEncoder(6, shape.theatre, slicing)
    assert encoder(torch.randn(2, 3 * slicing.latents + 2, 6)).shape == (2, 3, shape.theatre.width)
