"""The choice among the counts that fit a path, on music whose beats are known exactly."""

import numpy as np
import pytest
import torch

from core.audio.beat_network import FPS, RATE, activations, spectrogram
from core.audio.beat_tracking import FASTEST, SLOWEST, onset_envelope, sounding
from core.audio.io import resample
from core.audio.metrical_level import COUNTS, FEWEST, best_count, counts, figures, heard, in_thirds
from train.data.music import known_beats, plain_synth

RANGE = (SLOWEST, FASTEST)
SECONDS = 30.0


def played(style, bpm):
    """What is heard of improvised music, where it sounds, and its beats (n,), seconds."""
    music = known_beats.improvised(style, np.random.default_rng([98, 1]), bpm, "steady")
    sound = resample(plain_synth.render(music.parts, SECONDS, np.random.default_rng(1)), RATE)
    mel = spectrogram(sound.samples)
    beat, downbeat = (some.double().numpy() for some in activations(mel))
    around = heard(mel, beat, downbeat, onset_envelope(torch.log1p(20 * mel)))
    return around, sounding(mel), music.beats.between(0, SECONDS).times.double().numpy()


def test_counterparts_lie_on_evenly_divided_beats_within_the_range():
    times = 0.3 + 0.5 * np.arange(60)
    found = counts(times, 30.4, RANGE)
    assert found[0] is times
    assert len(found) == len(COUNTS) - 2  # 240 beats a minute are too many
    for count in found:
        assert count[0] >= 0 and count[-1] < 30.4
        np.testing.assert_allclose(np.diff(count), np.diff(count)[0])
        assert SLOWEST <= 60 / np.diff(count)[0] <= FASTEST
    starts = {(round(float(np.diff(some)[0]), 3), round(float(some[0]), 3)) for some in found}
    assert {(0.5, 0.05), (1.0, 0.3), (1.0, 0.8), (1.0, 0.05), (0.75, 0.3), (0.333, 0.3), (0.375, 0.3)} <= starts


def test_counterparts_follow_a_changing_tempo():
    times = np.cumsum(np.linspace(0.6, 0.45, 60))
    found = [np.interp(some[1:-1], times, np.arange(60)) for some in counts(times, 60.0, RANGE)]
    same_tempo = [places for places in found if np.allclose(np.diff(places), 1)]
    assert {round(float(places[0] % 1), 6) for places in same_tempo} == {0, 0.25, 0.5, 0.75}


@pytest.mark.parametrize(("style", "bpm"), [("rock", 116), ("waltz", 126), ("house", 124), ("six-eight", 60)])
@pytest.mark.parametrize("wrong", [(1, 1 / 2), (1, 1 / 4), (3 / 2, 1 / 2), (3 / 4, 0)])
def test_the_beats_are_chosen_whichever_of_their_counterparts_was_found(style, bpm, wrong):
    around, sounds, true = played(style, bpm)
    step, shift = wrong
    path = np.interp(np.arange(shift, len(true) - 1, step), np.arange(len(true)), true)
    found = best_count(path, around, sounds, RANGE)
    inside = true[(true > path[1]) & (true < path[-2])]
    assert np.abs(found[:, None] - inside).min(axis=0).max() < 0.04
    assert np.median(np.diff(found)) == pytest.approx(60 / bpm, rel=0.02)


def test_what_is_right_stays_as_it_is():
    around, sounds, true = played("rock", 116)
    assert best_count(true, around, sounds, RANGE) is true


def test_of_few_beats_and_in_silence_the_path_stays():
    around, sounds, true = played("rock", 116)
    few = true[: FEWEST - 1]
    assert best_count(few, around, sounds, RANGE) is few
    silence = np.zeros(len(sounds), bool)
    assert figures(true, around, silence) is None
    assert best_count(true, around, silence, RANGE) is true


def test_loudness_does_not_matter_to_what_is_heard():
    mel = torch.rand(int(8 * FPS), 64, generator=torch.Generator().manual_seed(0))
    chance = np.full(len(mel), 0.3)
    envelope = np.random.default_rng(0).uniform(0, 2, len(mel))
    np.testing.assert_allclose(
        heard(mel, chance, chance, envelope), heard(0.01 * mel, chance, chance, envelope), atol=1e-3
    )


@pytest.mark.parametrize(
    ("parts", "thirds"), [((), False), ((1 / 2,), False), ((1 / 3, 2 / 3), True), ((2 / 3,), True)]
)
def test_what_sounds_between_the_beats_says_how_they_are_divided(parts, thirds):
    times = 1.0 + 1.1 * np.arange(20)
    around = np.zeros((round(24 * FPS), 8))
    for place in (0.0, *parts):
        around[np.round((times + 1.1 * place) * FPS).astype(int)] = 1.0
    assert in_thirds(times, around, np.ones(len(around), bool)) is thirds
    assert not in_thirds(times, around, np.zeros(len(around), bool))
