"""The pulse of motions whose beat is known: bodies that stop on every beat."""

import math

import mir_eval
import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.rhythm.accents import kinematic_beats
from core.rhythm.features import RHYTHM_CHANNELS
from core.rhythm.target import rhythm_target, shared_beats, track_pulse, with_bars
from core.types import Beats

FPS = 30.0


def tracked(positions):
    return track_pulse(positions, FPS, kinematic_beats(positions, FPS))


def swinging(beats, seconds, seed=0):
    """(t, 5, 3): joints that move from place to place and come to rest at each of ``beats``."""
    clock = np.arange(int(seconds * FPS)) / FPS
    places = np.random.default_rng(seed).normal(0, 0.3, (len(beats), 5, 3))
    phase = np.interp(clock, beats, np.arange(len(beats)))
    low = phase.astype(int).clip(0, len(beats) - 2)
    share = 0.5 - 0.5 * np.cos(math.pi * (phase - low))
    return torch.from_numpy(places[low] + share[:, None, None] * (places[low + 1] - places[low])).float()


@pytest.mark.parametrize("bpm", [80, 100, 120, 140])
def test_the_beat_of_a_steady_dance_is_found(bpm):
    beats = np.arange(0.2, 20, 60 / bpm)
    found = tracked(swinging(beats, 20.0))
    assert mir_eval.beat.f_measure(mir_eval.beat.trim_beats(beats, 1.0), found.times.numpy()[found.times >= 1.0]) > 0.9
    assert abs(found.tempo - bpm) < 0.04 * bpm


def test_a_slowing_dance_is_followed():
    beats = np.cumsum(np.linspace(0.45, 0.6, 40))
    found = tracked(swinging(beats, float(beats[-1])))
    assert mir_eval.beat.f_measure(beats, found.times.double().numpy()) > 0.85


def test_a_statue_has_no_pulse():
    with pytest.raises(FootlightError, match="stands still"):
        tracked(torch.zeros(100, 22, 3))


def test_a_rhythm_target_has_accents_on_kinematic_beats_and_bars_of_four():
    beats = np.arange(0.25, 10, 0.5)
    asked = rhythm_target(swinging(beats, 10.0), FPS)
    features = asked.features(150, 15.0)
    assert torch.isfinite(features).all() and features.shape == (150, len(RHYTHM_CHANNELS))
    onset, clock = features[:, RHYTHM_CHANNELS.index("onset")].numpy(), np.arange(150) / 15.0
    on, off = np.interp(beats[1:-1], clock, onset), np.interp(beats[1:-1] + 0.25, clock, onset)
    assert on.mean() > 5 * max(off.mean(), 1e-3)
    assert np.diff(np.flatnonzero(asked.beats.downbeats.numpy())).tolist() == [4] * (len(asked.beats.times) // 4 - 1)


def test_bars_begin_where_the_strong_kinematic_beats_are():
    times = torch.arange(0.5, 10, 0.5)
    strength = torch.full((len(times),), 0.3)
    strength[2::4] = 1.0
    bars = with_bars(Beats(times, 120.0), Beats(times, strength=strength)).downbeats
    assert bars.nonzero()[:, 0].tolist() == list(range(2, len(times), 4))


def test_loudness_follows_the_speed():
    slow, fast = swinging(np.arange(0.25, 10, 0.5), 10.0) * 0.2, swinging(np.arange(0.25, 10, 0.5), 10.0)
    asked = rhythm_target(torch.cat([slow, fast]), FPS)
    half = len(asked.loudness) // 2
    assert asked.loudness.min() >= 0.75 and asked.loudness.max() <= 1
    assert asked.loudness[: half - 60].mean() + 0.1 < asked.loudness[half + 60 :].mean()


def test_a_shared_pulse_lies_between_a_motion_and_music_that_disagree_little():
    beats = np.arange(0.25, 20, 0.5)
    onset = torch.zeros(1250)
    onset[((torch.from_numpy(beats) + 0.06) * 62.5).round().long().clamp_max(1249)] = 1
    moved = swinging(beats, 20.0)
    found = shared_beats(moved, FPS, kinematic_beats(moved, FPS), onset).times.double().numpy()
    late = found[2:-2] - beats[np.abs(found[2:-2, None] - beats).argmin(axis=1)]
    assert -0.03 < np.median(late) < 0.09
    assert mir_eval.beat.f_measure(beats + 0.03, found) > 0.9
