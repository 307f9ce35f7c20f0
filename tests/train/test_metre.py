"""Learning the metre: what is learned of made-up recurrences, and which row of a choice is the truth."""

import numpy as np
import pytest

from core.audio import metre
from core.audio.beat_network import FPS, RATE, spectrogram
from core.audio.io import resample
from train.data.music import known_beats, plain_synth
from train.metre import choice
from train.tasks.beats import Clip


def clip(style, bpm, seconds=30.0, ensemble=None):
    music = known_beats.improvised(style, np.random.default_rng(4), bpm, "steady", ensemble)
    sound = resample(plain_synth.render(music.parts, seconds, np.random.default_rng(4)), RATE)
    beats = music.beats.between(0, seconds)
    times = beats.times.double() * FPS
    return Clip(spectrogram(sound.samples).clamp_min(1e-7).log(), times, times[beats.downbeats])


@pytest.mark.parametrize(("style", "bpm"), [("rock", 112), ("waltz", 126), ("five", 132), ("seven", 190)])
def test_the_first_row_of_a_choice_is_the_truth(style, bpm):
    found = choice(clip(style, bpm))
    assert found is not None and found.shape[0] == len(metre.PERIODS)
    assert found.mean(axis=1).argmax() == 0  # every figure is how much the music returns after the period


def test_without_whole_bars_or_with_few_beats_there_is_no_choice():
    whole = clip("rock", 112)
    assert choice(Clip(whole.level, whole.beats, whole.downbeats[:1])) is None
    assert choice(Clip(whole.level, whole.beats[:9], whole.beats[:9:4])) is None
