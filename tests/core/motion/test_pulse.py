"""The pulse of motions whose beat is known: bodies that stop on every beat."""

import math

import mir_eval
import numpy as np
import pytest
import torch

from core.audio.rhythm import rhythm_features
from core.motion.pulse import accents, track_pulse
from core.types import FootlightError

FPS = 30.0


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
    found = track_pulse(swinging(beats, 20.0), FPS)
    assert mir_eval.beat.f_measure(mir_eval.beat.trim_beats(beats, 1.0), found.times.numpy()[found.times >= 1.0]) > 0.9
    assert abs(found.tempo - bpm) < 0.04 * bpm


def test_a_slowing_dance_is_followed():
    beats = np.cumsum(np.linspace(0.45, 0.6, 40))
    found = track_pulse(swinging(beats, float(beats[-1])), FPS)
    assert mir_eval.beat.f_measure(beats, found.times.double().numpy()) > 0.85


def test_a_statue_has_no_pulse():
    with pytest.raises(FootlightError, match="stands still"):
        track_pulse(torch.zeros(100, 22, 3), FPS)


def test_accents_feed_the_features_of_a_song():
    beats = np.arange(0.25, 10, 0.5)
    positions = swinging(beats, 10.0)
    onset, busy = accents(positions, FPS)
    features = rhythm_features(track_pulse(positions, FPS), onset, busy, 150, 15.0)
    assert torch.isfinite(features).all() and float(onset.min()) >= 0 and float(onset.max()) <= 1
    on = onset[(torch.from_numpy(beats[1:-1]) * 62.5).round().long()]
    off = onset[(torch.from_numpy(beats[1:-1] + 0.25) * 62.5).round().long()]
    assert on.mean() > 5 * off.mean().clamp_min(1e-3)
