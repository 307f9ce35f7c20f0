"""Learning which count is right: a conditional logit, with logistic regression as the judge."""

import numpy as np
import torch

from core.audio.beat_network import FPS, RATE, spectrogram
from core.audio.io import resample
from train.data.music import known_beats, plain_synth
from train.metrical_level import choice, fitted, won
from train.tasks.beats import Clip


def choices(count, seed):
    """Choices among two to six, of which the first was drawn by a known weight."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        rows = draw.normal(size=(int(draw.integers(2, 7)), 3))
        value = rows @ np.array([2.0, -1.0, 0.0]) + draw.gumbel(size=len(rows))
        best = int(value.argmax())
        found.append(np.concatenate([rows[best : best + 1], np.delete(rows, best, 0)]))
    return found


def test_the_weights_that_made_the_choices_are_found():
    made = choices(4000, 0)
    score = fitted(made, ridge=0.0)
    np.testing.assert_allclose(score.weight / score.scale, [2.0, -1.0, 0.0], atol=0.15)
    chance = np.mean([1 / len(some) for some in made])
    assert won(score, choices(500, 1)) > chance + 0.3


def test_of_two_it_is_logistic_regression_without_intercept():
    made = [some[:2] for some in choices(400, 2)]
    ridge = 0.02
    score = fitted(made, ridge)
    apart = torch.from_numpy(np.stack([score.usual(some[0]) - score.usual(some[1]) for some in made]))
    weight = torch.from_numpy(score.weight.copy()).requires_grad_()
    loss = torch.nn.functional.softplus(-(apart @ weight)).mean() + ridge * (weight**2).sum()
    (slope,) = torch.autograd.grad(loss, weight)
    assert slope.abs().max() < 1e-5  # where its convex loss is smallest


def test_the_first_row_of_a_choice_is_the_truth():
    music = known_beats.improvised("rock", np.random.default_rng(4), 112, "steady")
    sound = resample(plain_synth.render(music.parts, 24.0, np.random.default_rng(4)), RATE)
    level = spectrogram(sound.samples).clamp_min(1e-7).log()
    beats = music.beats.between(0, 24.0).times.double()
    found = choice(Clip(level, beats * FPS, beats[::4] * FPS))
    assert found is not None and found[0, 2] > 2 * found[1:4, 2].max()  # beats are less likely between the beats
    assert choice(Clip(level, beats[:4] * FPS, beats[:1] * FPS)) is None
    assert choice(Clip(level, beats[:0], beats[:0])) is None  # strokes without a beat
    slow = torch.arange(0.0, 24.0, 1.6).double()
    assert choice(Clip(level, slow * FPS, slow[:1] * FPS)) is None
