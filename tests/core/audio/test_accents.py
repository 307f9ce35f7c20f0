"""Bars of a count of strokes begin on its accents; bars of music do not."""

import mir_eval
import numpy as np
import pytest
import torch

from core.audio import bars
from core.audio.beat_network import FPS, spectrogram
from core.audio.beat_tracking import track_beats
from core.types import Waveform

RATE = 16_000


def metronome(bpm, metre, first, accent=1.0, plain=1.0, high=1000.0, seconds=30.0, ring=0.02):
    """A click on every beat, and its beats; every bar begins with one that is louder or higher.

    ring: seconds in which a click fades to 1 / e.
    """
    samples = 1e-3 * np.random.default_rng(0).standard_normal(int(seconds * RATE))
    beats = np.arange(0.3, seconds - 0.1, 60 / bpm)
    down = (np.arange(len(beats)) - first) % metre == 0
    clock = np.arange(int(0.5 * RATE)) / RATE
    for at, one in zip(beats, down, strict=True):
        click = np.sin(2 * np.pi * (high if one else 1000.0) * clock) * np.exp(-clock / ring)
        place = samples[round(at * RATE) :][: len(clock)]
        place += (accent if one else plain) * click[: len(place)]
    return Waveform(torch.from_numpy(samples).float() * 0.3, RATE), beats, down


@pytest.mark.parametrize("metre", [3, 4, 5, 7])
@pytest.mark.parametrize(("bpm", "first"), [(100, 0), (120, 1), (140, 2)])
@pytest.mark.parametrize("accent", [{"plain": 0.4}, {"high": 1500.0}, {"high": 2000.0, "plain": 0.5}])
def test_bars_of_clicks_begin_on_the_accents(metre, bpm, first, accent):
    sound, beats, down = metronome(bpm, metre, first, **accent)
    found = track_beats(sound)
    assert found.metre == metre
    assert mir_eval.beat.f_measure(beats[down], found.times[found.downbeats].double().numpy()) > 0.95


def signs(sound, times):
    mel = spectrogram(sound.samples)
    still = torch.ones(len(mel), 8)  # no harmony at all
    return bars.signs(still, mel, times), bars.accents(mel, times)


@pytest.mark.parametrize("accent", [{"plain": 0.5}, {"high": 1500.0}])
def test_an_accent_speaks_for_a_downbeat_and_equal_strokes_for_none(accent):
    sound, beats, down = metronome(110, 4, 0, **accent)
    told, _ = signs(sound, beats)
    assert told[down].min() > told[~down].max() + 0.5
    alike, _ = signs(metronome(110, 4, 0)[0], beats)
    assert np.abs(alike).max() < 0.1


def test_a_softer_beat_is_no_accent():
    sound, beats, down = metronome(110, 4, 0, accent=0.3)
    told, _ = signs(sound, beats)
    assert told[down].max() <= told[~down].min() + 0.05


def test_accents_count_only_where_nothing_sounds_between_the_beats():
    sound, beats, _ = metronome(110, 4, 0, plain=0.4, ring=0.2)
    told, accents = signs(sound, beats)
    assert np.ptp(accents) > 0.5 and np.abs(told).max() < 1e-6
    few, _ = signs(sound, beats[:3])
    assert (few == 0).all() and len(spectrogram(sound.samples)) > 2 * FPS
