"""Theatres of the presets."""

import dataclasses
import json

import pytest

from core import config, records
from core.config import LIGHT, PRESETS, Config, with_theatre
from core.diffusion.networks import size
from core.errors import FootlightError
from core.show.channels import CHANNELS


@pytest.mark.parametrize("name", PRESETS)
def test_a_theatre_survives_json(name):
    made = with_theatre(config.preset(name), ("noir", "disco"), name)
    assert records.from_json(Config, json.loads(json.dumps(records.to_json(made))), "config") == made
    assert made.modalities["light"].representation == LIGHT
    assert made.modalities["light"].latent_fps == made.latent_fps


def test_the_theatre_of_the_default_is_small():
    made = with_theatre(config.preset("default"), ("noir",)).theatre
    assert made is not None
    motion, light = (size(made.denoisers[name]) for name in ("motion", "light"))
    assert light < motion / 3 and 2 * (motion + light) < 25e6  # bytes in half precision


def test_a_denoiser_that_does_not_fit_says_why():
    made = with_theatre(config.preset("tiny"), ())
    assert made.theatre is not None
    light = dataclasses.replace(made.theatre.denoisers["light"], steering_channels=3)
    with pytest.raises(FootlightError, match="3 channels of steering"):
        dataclasses.replace(made.theatre, denoisers={"light": light})
    light = dataclasses.replace(made.theatre.denoisers["light"], latent_channels=CHANNELS + 1)
    theatre = dataclasses.replace(made.theatre, denoisers={"light": light})
    with pytest.raises(FootlightError, match="latent channels of light"):
        dataclasses.replace(made, theatre=theatre)
