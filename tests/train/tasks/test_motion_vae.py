"""What a motion decoder is asked: quick movement, by spectra of oscillations that are known, and calm under noise."""

import math

import pytest
import torch

from core.autoencoder.networks import autoencoder_of
from core.autoencoder.normalised import NormalisedVAE
from core.config import preset
from train.tasks.autoencoder import AutoencoderPhase, AutoencoderTaskConfig
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


def test_noise_of_latents_goes_by_their_deviations_and_differs_between_crops():
    config = preset("tiny")
    vae = autoencoder_of(config.modalities["motion"])
    assert isinstance(vae, NormalisedVAE)
    vae.latent_std.copy_(torch.linspace(0.5, 2.0, len(vae.latent_std)))
    phase = AutoencoderPhase("vae", vae, AutoencoderTaskConfig(noise=0.4))
    latents = torch.zeros(64, 4000, len(vae.latent_std))
    made = phase.disturbed(latents, torch.Generator().manual_seed(5)).std(dim=1) / vae.latent_std  # b z
    assert float((made.std(dim=1) / made.mean(dim=1)).max()) < 0.05  # one level for a crop
    levels = made.mean(dim=1)
    assert float(levels.max()) < 0.42 and float(levels.min()) < 0.05 and 0.16 < float(levels.mean()) < 0.24
    still = AutoencoderPhase("vae", vae, AutoencoderTaskConfig())
    assert still.disturbed(latents, torch.Generator().manual_seed(5)) is latents
