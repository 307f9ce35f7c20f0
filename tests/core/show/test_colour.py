"""Colours against Python's colorsys and worked-out values."""

import colorsys

import numpy as np
import pytest

from core.show import colour


def test_the_wheel_is_that_of_colorsys():
    random = np.random.default_rng(1)
    degrees, saturation, value = random.uniform(0, 360, 200), random.uniform(0, 1, 200), random.uniform(0, 1, 200)
    made = colour.srgb(colour.hue_vector(degrees), saturation, value)
    known = [colorsys.hsv_to_rgb(h / 360, s, v) for h, s, v in zip(degrees, saturation, value, strict=True)]
    np.testing.assert_allclose(made, known, atol=1e-9)
    back = colour.hsv(made)
    np.testing.assert_allclose(back, np.stack([degrees, saturation, value], axis=1), atol=1e-6)


def test_grey_and_black_have_hue_and_saturation_zero():
    found = colour.hsv(np.array([[0.5, 0.5, 0.5], [0.0, 0.0, 0.0]]))
    np.testing.assert_array_equal(found, [[0, 0, 0.5], [0, 0, 0]])


def test_linear_light_is_srgb_and_goes_back():
    # IEC 61966-2-1: middle grey 0.5 is 0.2140 linear
    assert colour.linear(np.array(0.5)) == pytest.approx(0.21404, abs=1e-5)
    grid = np.linspace(0, 1, 101)
    np.testing.assert_allclose(colour.encoded(colour.linear(grid)), grid, atol=1e-6)


def test_white_has_luminance_1_and_a_level_multiplies_it():
    light = colour.light_of(colour.hue_vector(120.0), np.array(0.0), np.array(0.25))
    assert light @ colour.LUMINANCE == pytest.approx(0.25)


def test_hues_are_vectors_and_back():
    degrees = np.array([0.0, 90, 180, 270, 359.5])
    np.testing.assert_allclose(colour.hue_degrees(colour.hue_vector(degrees)), degrees)


def test_light_is_even_with_spread_1_and_a_patch_with_0():
    assert colour.share_at(np.array(-1.0), np.array(1.0), 1.0) == 1
    # one standard deviation away from its centre a Gaussian has exp(-1/2)
    assert colour.share_at(np.array(0.0), np.array(0.0), 0.2) == pytest.approx(0.60653, abs=1e-5)
    assert colour.share_at(np.array(0.0), np.array(0.5), 0.4) == pytest.approx(0.60653, abs=1e-5)
