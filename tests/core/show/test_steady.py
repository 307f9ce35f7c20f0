"""Light without trembling, on shows that people could have written."""

import numpy as np
import pytest

from core.show.channels import CHANNELS, SHOW_FPS, SLICES
from core.show.steady import steadied

FRAMES = 200
LEVEL = SLICES["side_level"].start


def show(level: np.ndarray) -> np.ndarray:
    values = np.full((FRAMES, CHANNELS), 0.5)
    values[:, LEVEL] = level
    return values


def clock() -> np.ndarray:
    return np.arange(FRAMES) / SHOW_FPS


def trembling(curve: np.ndarray) -> float:
    return float(np.abs(np.diff(curve, n=2)).mean())


def test_trembling_goes():
    fade = 0.2 + 0.5 * clock() / clock()[-1]
    noise = np.random.default_rng(0).normal(0, 0.03, FRAMES)
    made = steadied(show(fade + noise))[:, LEVEL]
    assert trembling(made) < 0.1 * trembling(fade + noise)
    assert np.abs(made - fade).max() < 0.03


@pytest.mark.parametrize("height", [0.3, 0.7])
def test_a_cue_stays_sudden_and_a_pulse_stays_high(height):
    cue = np.where(np.arange(FRAMES) < 90, 0.1, 0.1 + height)
    assert np.abs(steadied(show(cue))[:, LEVEL] - cue).max() < 1e-3
    pulses = 0.1 + height * np.exp(-(clock() % 0.5) / 0.15)
    made = steadied(show(pulses))[:, LEVEL]
    rises = np.flatnonzero(np.diff(pulses) > 0.5 * height)
    assert len(rises) > 20 and (np.diff(made)[rises] > 0.7 * np.diff(pulses)[rises]).all()


def test_what_is_even_stays_and_a_hue_is_filtered_as_one():
    assert np.allclose(steadied(show(np.full(FRAMES, 0.3))), show(np.full(FRAMES, 0.3)), atol=1e-12)
    values, hue = show(np.full(FRAMES, 0.3)), SLICES["side_hue"]
    angle = np.where(np.arange(FRAMES) < 100, 0.0, np.pi / 2)
    values[:, hue] = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    made = steadied(values)[:, hue]
    assert np.abs(made - values[:, hue]).max() < 1e-3, "colours are not mixed across a cue"
