import math

import pytest
import torch
from torch.nn.functional import normalize

from core.rhythm.features import RHYTHM_CHANNELS, rhythm_features
from core.types import Beats
from train.tasks.theatre_losses import (
    USUAL_DENSITY,
    BeatWeight,
    beat_loss,
    coherence_loss,
    expected_amplitude,
    smooth_loss,
    tempo_density,
)

STRENGTH = torch.tensor([[1.0, 0.0, 0.5, 0.0]]).expand(2, -1)
USUAL, ACCENTS = torch.tensor([2.0, 2.0]), torch.tensor([0, 1])


def test_who_strikes_is_fast_on_a_beat_and_who_arrives_is_slow():
    expected = expected_amplitude(USUAL, STRENGTH, ACCENTS, 0.5)
    assert expected.tolist() == [[3.0, 2.0, 2.5, 2.0], [1.0, 2.0, 1.5, 2.0]]


def test_the_beat_loss_is_that_of_the_formula_on_beats_alone():
    expected = expected_amplitude(USUAL, STRENGTH, ACCENTS, 0.5)
    off = torch.tensor([[0.0, 9.0, 0.4, 9.0]]).expand(2, -1)  # m/s away from what is expected; 9 between the beats
    loss = beat_loss(expected + off, USUAL, STRENGTH, ACCENTS, 0.5)
    assert float(loss) == pytest.approx((0 + (0.4 / 2) ** 2) / 2)
    assert float(beat_loss(expected, USUAL, STRENGTH, ACCENTS, 0.5)) == 0
    far = beat_loss(expected + 20, USUAL, STRENGTH, ACCENTS, 0.5)
    assert float(far) == pytest.approx(2 * 10 - 1)  # ten times the usual speed: linear
    assert float(beat_loss(expected + off, USUAL, torch.zeros(2, 4), ACCENTS, 0.5)) == 0


def test_even_motion_is_smooth():
    clock = torch.arange(20.0)[None, :, None, None] / 30
    even = clock * torch.tensor([1.0, 0.0, 2.0]) + torch.zeros(1, 20, 5, 3)
    assert float(smooth_loss(even, 30.0)) == pytest.approx(0, abs=1e-8)
    falling = 0.5 * 9.81 * clock.square() * torch.tensor([0.0, 1.0, 0.0]) + torch.zeros(1, 20, 5, 3)
    assert float(smooth_loss(falling, 30.0)) == pytest.approx((9.81 / 30) ** 2, rel=1e-3)


def test_coherence_is_how_far_cosines_are_from_one():
    a = normalize(torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    assert float(coherence_loss((a, a, a))) == pytest.approx(0, abs=1e-6)
    assert float(coherence_loss((a, a, -a))) == pytest.approx(4 / 3, rel=1e-5)


@pytest.mark.parametrize("bpm", [60.0, 90.0, 120.0])
def test_the_density_is_the_number_of_beats_a_second(bpm):
    beats = Beats(torch.arange(0, 20, 60 / bpm), bpm)
    rhythm = rhythm_features(beats, torch.zeros(1250), torch.zeros(1250), 200, 10.0)[None]
    silent = rhythm_features(Beats(torch.zeros(0)), torch.zeros(1250), torch.zeros(1250), 200, 10.0)[None]
    channels = RHYTHM_CHANNELS.index("tempo"), RHYTHM_CHANNELS.index("known")
    assert float(tempo_density(rhythm, *channels)) == pytest.approx(bpm / 60, rel=1e-4)
    assert float(tempo_density(torch.cat([rhythm, silent]), *channels)) == pytest.approx(bpm / 60, rel=1e-4)
    assert float(tempo_density(silent, *channels)) == pytest.approx(USUAL_DENSITY)


def test_the_weight_is_revised_every_hundred_steps_in_training_alone():
    weight = BeatWeight()
    assert float(weight.revised(torch.tensor(3.6), 0)) == pytest.approx(0.5)
    assert float(weight.revised(torch.tensor(0.9), 99)) == pytest.approx(0.5)
    assert float(weight.revised(torch.tensor(0.9), 100)) == pytest.approx(2.0)
    assert math.isfinite(float(weight.revised(torch.tensor(0.0), 200)))
    held = float(weight.factor)
    weight.eval()
    assert float(weight.revised(torch.tensor(5.0), 300)) == held and "factor" in weight.state_dict()
