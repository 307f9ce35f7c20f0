"""Beats of 6/8, of 12/8 and of fast waltzes that may be heard in three."""

import numpy as np
import pytest
import torch

from core.audio import compound, metre
from core.audio.beat_network import FPS, RATE, activations, spectrogram
from core.audio.beat_tracking import SLOWEST, onset_envelope, sounding, track_beats
from core.audio.io import resample
from core.audio.metrical_level import heard
from train.bench.beats import f_measure
from train.data.music import known_beats, plain_synth
from train.data.music.midi import Note, Part
from train.data.music.patterns import HAT, KICK, SNARE

SECONDS = 40.0
CHORDS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))  # of the four bars that return, semitones above C


def band(bpm, steps, drums, bass, chords):
    """Drums, bass and chords that repeat bars of so many steps, four bars of different harmony; bpm is that of steps.

    Lines have an x for every step on which something is played.
    """
    step = 60 / bpm
    hits, low, high = [], [], []
    for place in range(int(SECONDS / step)):
        at, chord, in_bar = place * step, CHORDS[place // steps % 4], place % steps
        hits += [Note(at, at + 0.1, note, 95) for note, line in drums.items() if line[in_bar] == "x"]
        if bass[in_bar] == "x":
            low.append(Note(at, at + 2 * step, 36 + chord[0], 95))
        if chords[in_bar] == "x":
            high += [Note(at, at + 0.8 * step, 60 + tone, 75) for tone in chord]
    kit = Part("drums", tuple(hits), drums=True)
    return [kit, Part("bass", tuple(low), program=33), Part("chords", tuple(high))]


def of_12_8(bpm):
    """A slow song with three chords to every beat, and the snare on two and four."""
    drums = {HAT: "xxxxxxxxxxxx", SNARE: "...x.....x..", KICK: "x.....x.x..."}
    return band(3 * bpm, 12, drums, "x.....x.x...", "xxxxxxxxxxxx")


def waltz(bpm):
    return band(bpm, 3, {KICK: "x..", SNARE: ".xx"}, "x..", ".xx")


@pytest.mark.parametrize("bpm", [55, 59, 64, 67])
def test_slow_songs_in_12_8_have_their_dotted_beats(bpm):
    found = track_beats(plain_synth.render(of_12_8(bpm), SECONDS, np.random.default_rng(1)))
    assert f_measure(found.times.numpy(), np.arange(0, SECONDS - 1, 60 / bpm)) > 0.9


@pytest.mark.parametrize(("bpm", "sounds"), [(151, 1), (159, 5), (159, 6), (181, 3), (181, 5), (200, 5)])
def test_of_a_fast_waltz_every_beat_is_counted(bpm, sounds):
    found = track_beats(plain_synth.render(waltz(bpm), SECONDS, np.random.default_rng(sounds)))
    assert found.metre == 3
    assert f_measure(found.times.numpy(), np.arange(0, SECONDS - 1, 60 / bpm)) > 0.9


@pytest.mark.parametrize(
    ("style", "bpm"), [("waltz", 108), ("waltz", 150), ("slow three", 74), ("jazz waltz", 132), ("six-eight", 60)]
)
def test_true_beats_hide_none(style, bpm):
    music = known_beats.improvised(style, np.random.default_rng([98, 1]), bpm, "steady")
    mel = spectrogram(resample(plain_synth.render(music.parts, SECONDS, np.random.default_rng(1)), RATE).samples)
    beat, downbeat = (some.double().numpy() for some in activations(mel))
    around = heard(mel, beat, downbeat, onset_envelope(torch.log1p(20 * mel)))
    times = music.beats.between(0, SECONDS).times.double().numpy()
    costs = metre.costs(times, mel, around, sounding(mel))
    assert compound.uncovered(times, costs, around, sounding(mel), SLOWEST) is times


@pytest.mark.parametrize(("length", "sign"), [(2, -1), (3, 1)])
def test_halves_that_return_after_three_are_told_from_those_that_return_after_two(length, sign):
    """Strokes that are drawn anew for each place of a group have no correlation but with their own returns."""
    half = int(FPS) // 5
    drawn = np.random.default_rng(0).uniform(0, 1, (length, 8))
    around = drawn[np.arange(120) % length].repeat(half, axis=0)
    times = np.arange(0, 120 - 2, 2) * half / FPS
    assert sign * compound.in_threes(times, around, np.ones(len(around), bool)) > 1
