"""What asks a motion decoder for quick movement: spectra of oscillations that are known."""

import math

import pytest
import torch

from train.tasks.motion_vae import FLOOR, magnitudes, spectral_distance

FPS, FRAMES = 32.0, 128


def oscillation(hertz: float, amplitude: float, phase: float = 0.0, axis=(0.6, 0.0, 0.8)) -> torch.Tensor:
    """Velocities (1, t, 1, 3) of a joint that swings along an axis."""
    wave = amplitude * torch.cos(2 * math.pi * hertz * torch.arange(FRAMES) / FPS + phase)
    return (wave[:, None] * torch.tensor(axis))[None, :, None]


@pytest.mark.parametrize(("window", "hertz"), [(16, 4.0), (16, 8.0), (32, 5.0), (32, 9.0)])
def test_the_magnitude_of_an_oscillation_is_its_amplitude_where_its_frequency_is(window, hertz):
    found = magnitudes(oscillation(hertz, 0.7, phase=0.4), FPS, window)[0, :, 0]
    place = round(hertz * window / FPS)
    torch.testing.assert_close(found[:, place], torch.full((len(found),), 0.7), atol=1e-3, rtol=0)
    aside = (torch.arange(found.shape[1]) - place).abs() >= 2  # beyond the main lobe of a Hann window
    assert float(found[:, aside].max()) < 0.01


def test_the_distance_knows_how_much_moves_and_not_when():
    true = oscillation(4.0, 1.0)
    assert float(spectral_distance(true, true, FPS)) == 0
    assert float(spectral_distance(oscillation(4.0, 1.0, phase=1.0), true, FPS)) < 0.1
    half = spectral_distance(oscillation(4.0, 0.5), true, FPS)
    assert float(half) > 3 * float(spectral_distance(oscillation(4.0, 0.9), true, FPS))
    turned = spectral_distance(oscillation(4.0, 1.0, axis=(0.0, 1.0, 0.0)), true, FPS)
    assert float(turned) < 1e-3  # as the body is turned, so are its velocities


def test_the_distance_of_noise_of_one_level_is_that_of_its_logarithms():
    quiet, loud = (scale * torch.randn(1, 4096, 8, 3, generator=torch.Generator().manual_seed(3)) for scale in (4, 8))
    assert float(spectral_distance(quiet, loud, FPS)) == pytest.approx(math.log(2), abs=0.01)
    small, smaller = quiet * FLOOR / 1e4, loud * FLOOR / 1e4
    assert float(spectral_distance(small, smaller, FPS)) < 1e-3  # nobody sees that


def test_what_is_shorter_than_a_window_has_no_distance():
    some = torch.ones(1, 8, 2, 3)
    assert float(spectral_distance(some, 2 * some, FPS)) == 0
