"""The beat tracker on music whose beats are known exactly, with mir_eval as the judge."""

from dataclasses import replace
from itertools import pairwise

import mir_eval
import numpy as np
import pytest
import torch

from core.audio.beat_network import spectrogram
from core.audio.beat_tracking import (
    FASTEST,
    SLOWEST_DANCED,
    UNSURE,
    beat_times,
    begins,
    danced,
    sounding,
    track_beats,
    warn_if_unsure,
)
from core.audio.io import resample
from core.errors import collected_warnings
from core.grid.beat_grid import Grid
from core.types import Beats, Waveform
from train.bench.beats import levels
from train.data.music import known_beats, plain_synth

RATE = 16_000


def sound(kind, rng):
    times = np.arange(int(0.25 * RATE)) / RATE
    noise = rng.standard_normal(len(times))
    return {
        "kick": np.sin(2 * np.pi * (50 * times + 8 * (1 - np.exp(-times * 30)))) * np.exp(-times * 14),
        "snare": (0.5 * noise + np.sin(2 * np.pi * 190 * times)) * np.exp(-times * 22) * 0.6,
        "hat": np.diff(noise, prepend=0) * np.exp(-times * 60) * 0.25,
        "click": np.sin(2 * np.pi * 1000 * times) * np.exp(-times * 120),
    }[kind]


def render(events, seconds, seed=0):
    """events: (kind, time, gain) each."""
    rng = np.random.default_rng(seed)
    samples = 1e-3 * rng.standard_normal(int(seconds * RATE))
    for kind, time, gain in events:
        first = round(time * RATE)
        if 0 <= first < len(samples):
            piece = sound(kind, rng)[: len(samples) - first]
            samples[first : first + len(piece)] += gain * piece
    return Waveform(torch.from_numpy(samples / np.abs(samples).max() * 0.8).float(), RATE)


def groove(beats):
    """Kick on 1 and 3, snare on 2 and 4, hats on every half-beat, the off-beat ones louder."""
    events = []
    for i, (time, following) in enumerate(pairwise(beats)):
        events.append(("snare" if i % 2 else "kick", time, 1.0))
        events += [("hat", time, 0.6), ("hat", (time + following) / 2, 1.2)]
    return events


def score(waveform, beats, tolerance=0.07):
    """mir_eval's F, of the whole song: the first and the last seconds count as well."""
    found = track_beats(waveform).times.double().numpy()
    inside = np.array([time for time in beats if 0 <= time < waveform.seconds])
    return mir_eval.beat.f_measure(inside, found, f_measure_threshold=tolerance)


@pytest.mark.parametrize("bpm", [73.5, 76, 90, 101.3, 120, 127.7, 143, 147, 148.2])
@pytest.mark.parametrize("kind", ["clicks", "groove"])
def test_steady_beats_to_the_first_and_last(bpm, kind):
    beats = np.arange(0.21, 32, 60 / bpm)
    events = groove(beats) if kind == "groove" else [("click", time, 1.0) for time in beats]
    waveform = render(events, 30)
    assert score(waveform, beats, tolerance=0.03) > 0.98
    assert track_beats(waveform).tempo == pytest.approx(bpm, rel=0.005)


@pytest.mark.parametrize(("start", "end"), [(85, 140), (135, 80), (100, 112)])
def test_a_tempo_that_changes_all_the_time_is_followed(start, end):
    beats = [0.3]
    while beats[-1] < 60:
        beats.append(beats[-1] + 60 / (start + (end - start) * beats[-1] / 60))
    assert score(render(groove(beats), 60), beats) > 0.97


def test_a_sudden_change_of_tempo_is_followed():
    beats = np.concatenate([np.arange(0.2, 25, 60 / 96), 25.2 + np.arange(0, 25, 60 / 128)])
    assert score(render(groove(list(beats)), 50), beats) > 0.92


@pytest.mark.parametrize("bpm", [50, 56, 60, 66, 150, 158, 170, 185, 200, 220])
def test_slow_and_fast_clicks_are_met_at_a_tempo_to_dance_to(bpm):
    beats = np.arange(0.2, 30, 60 / bpm)
    found = track_beats(render([("click", time, 1.0) for time in beats], 30))
    assert max(mir_eval.beat.f_measure(level, found.times.double().numpy()) for level in levels(beats)) > 0.96
    assert SLOWEST_DANCED - 1 < found.tempo < FASTEST


def played(style, bpm, freedom="steady", seed=0):
    """Improvised music of a style, played by plain waves, and its exact beats."""
    music = known_beats.improvised(style, np.random.default_rng([99, seed]), bpm, freedom)
    sound = plain_synth.render(music.parts, 30.0, np.random.default_rng(seed))
    return sound, music.beats.between(0, 30.0)


@pytest.mark.parametrize(
    ("style", "bpm", "metre"),
    [
        ("waltz", 96, 3),
        ("waltz", 126, 3),
        ("slow three", 76, 3),
        ("rock", 116, 4),
        ("march", 116, 2),
    ],
)
def test_bars_have_the_beats_that_they_are_counted_in(style, bpm, metre):
    sound, beats = played(style, bpm)
    found = track_beats(sound)
    assert found.metre == metre
    downbeats = beats.times[beats.downbeats].double().numpy()
    assert mir_eval.beat.f_measure(downbeats, found.times[found.downbeats].double().numpy()) > 0.9


def test_fast_music_is_danced_at_half_its_tempo_on_one_and_three():
    sound, beats = played("drum and bass", 174)
    found = track_beats(sound)
    assert found.tempo == pytest.approx(87, rel=0.02)
    assert mir_eval.beat.f_measure(beats.times.double().numpy(), found.times.double().numpy()) > 0.95
    true, down = beats.times[beats.downbeats], found.times[found.downbeats]
    assert (down[:, None] - true).abs().amin(dim=1).median() < 0.03


@pytest.mark.parametrize(
    ("spacing", "metre", "kept"),
    [
        (0.35, 4, [1, 3, 5, 7, 9, 11]),
        (0.35, 6, [1, 4, 7, 10]),
        (0.35, 3, list(range(12))),
        (0.5, 4, list(range(12))),
        (1.2, 4, [half / 2 for half in range(23)]),
    ],
)
def test_people_dance_to_every_second_beat_of_fast_music_and_twice_to_every_beat_of_slow_music(spacing, metre, kept):
    down = (np.arange(12) - 1) % metre == 0
    found = danced(Grid.of(np.arange(12) * spacing, down))
    np.testing.assert_allclose(found.times, np.array(kept) * spacing)
    ones = [time for time, one in zip(found.times, found.downbeats, strict=True) if one]
    np.testing.assert_allclose(ones, np.flatnonzero(down) * spacing)


def test_slow_beats_in_thirds_are_not_halved():
    grid = Grid.of(np.arange(12) * 1.2, np.arange(12) % 4 == 0)
    assert danced(grid, in_thirds=True) is grid
    blues, _ = played("slow blues", 52)
    assert track_beats(blues).tempo == pytest.approx(52, rel=0.02)
    ballad, _ = played("ballad", 54)
    assert track_beats(ballad).tempo == pytest.approx(108, rel=0.02)


def test_the_tracker_knows_when_it_guesses():
    rng = np.random.default_rng(0)
    free = np.cumsum(rng.exponential(0.3, 200) + 0.03)
    guessed = track_beats(render([("click", time, rng.uniform(0.2, 1)) for time in free], 30))
    heard = track_beats(render(groove(np.arange(0.2, 32, 60 / 112)), 30))
    assert guessed.confidence < UNSURE < heard.confidence <= 1
    for beats, warned in ((guessed, 1), (heard, 0), (Beats(torch.zeros(0)), 0)):
        with collected_warnings() as said:
            warn_if_unsure(beats)
        assert len(said) == warned


@pytest.mark.parametrize(("kind", "seed"), [("song in four", 1), ("march", 3), ("hymn", 4)])
def test_a_melody_in_free_rhythm_is_a_guess(kind, seed):
    """Each note lasts half as long or twice as long as it is written, as nobody dances to it: the network hears beats
    in its attacks all the same.
    """
    draw = np.random.default_rng([seed, 7])
    melody = known_beats.tune(kind, draw, 100, "steady").parts[0]
    notes = sorted(melody.notes)
    written = np.diff([note.start for note in notes])
    free = 0.2 + np.concatenate(([0.0], np.cumsum(written * np.exp(draw.normal(0, 0.45, len(written))))))
    sung = tuple(note._replace(start=at, end=at + note.end - note.start) for note, at in zip(notes, free, strict=True))
    sound = plain_synth.render([replace(melody, notes=sung)], 24.0, np.random.default_rng(seed))
    assert track_beats(sound).confidence < UNSURE


@pytest.mark.parametrize("times", [[12.0], [0.01], [5.0, 19.3]])
def test_a_click_or_two_in_silence_are_a_guess_with_a_usual_beat(times):
    sound = torch.zeros(25 * RATE)
    for time in times:
        sound[int(time * RATE) : int(time * RATE) + 40] = 0.5
    found = track_beats(Waveform(sound, RATE))
    assert found.confidence < UNSURE and found.tempo == pytest.approx(112, rel=0.08) and found.metre == 4
    gaps = found.times.diff()
    assert gaps.max() < 1.5 * gaps.median() and found.times[0] < 0.6 and found.times[-1] > 24.4


def test_no_beat_is_heard_where_the_sound_is_over():
    """The network goes on for a moment after a stroke; one stroke and its echo have no tempo."""
    mel = torch.zeros(1200, 64)
    mel[1:6] = 1.0
    likely = np.full(1200, 0.02)
    likely[[2, 92]] = 0.9
    times = beat_times(likely, np.zeros(1200), sounding(mel), 12.0)
    assert 60 / np.diff(times).mean() == pytest.approx(112, rel=0.08)


def test_a_break_without_drums_keeps_the_beat():
    beats = np.arange(0.2, 42, 60 / 110)
    events = [event for event in groove(beats) if not 14 < event[1] < 22]
    assert score(render(events, 40), beats) > 0.97


def test_silence_before_the_music_does_not_harm_it():
    beats = np.arange(4.3, 32, 60 / 118)
    found = track_beats(render(groove(beats), 30)).times.double().numpy()
    assert mir_eval.beat.f_measure(beats[beats < 30], found[found > 4.1]) > 0.97
    assert found[0] < 0.9 and found[-1] > 29.1


@pytest.mark.parametrize("silent", [(0, 25), (12, 32), (15, 40)])
@pytest.mark.parametrize("style", ["rock", "ballad"])
def test_a_long_silence_neither_slows_the_beat_nor_makes_it_unsure(style, silent):
    bpm = {"rock": 118, "ballad": 76}[style]
    music = known_beats.improvised(style, np.random.default_rng([99, 4]), bpm, "steady")
    sound = plain_synth.render(music.parts, 40.0, np.random.default_rng(4))
    clock = torch.arange(len(sound.samples)) / sound.rate
    sound = replace(sound, samples=sound.samples * ((clock < silent[0]) | (clock > silent[1])))
    found, true = track_beats(sound), music.beats.between(0, 40).times.double().numpy()
    assert found.tempo == pytest.approx(bpm, rel=0.03) and found.confidence > UNSURE
    heard = found.times.double().numpy()
    sounding = [times[(times < silent[0]) | (times > silent[1])] for times in (true, heard)]
    assert mir_eval.beat.f_measure(*sounding) > 0.95
    assert np.diff(heard).max() < 1.3 * 60 / bpm and heard[0] < 60 / bpm and heard[-1] > 40 - 60 / bpm


def test_downbeats_fall_where_bass_and_harmony_change():
    beats = np.arange(0.2, 42, 60 / 112)
    clock = np.arange(40 * RATE) / RATE
    samples = render(groove(beats), 40).samples.numpy()
    downbeats = beats[2::4]
    roots = [110, 87.3, 130.8, 98]
    for i, (start, end) in enumerate(pairwise(downbeats)):
        inside = (clock >= start) & (clock < end)
        for partial in (1, 2, 3, 5):
            samples[inside] += 0.3 / partial * np.sin(2 * np.pi * roots[i % 4] * partial * clock[inside])
    found = track_beats(Waveform(torch.from_numpy(samples), RATE))
    assert mir_eval.beat.f_measure(downbeats[downbeats < 40], found.times[found.downbeats].double().numpy()) > 0.9


@pytest.mark.parametrize("lead", [0.0, 0.2, 5.3])
def test_a_song_begins_on_the_beat_of_its_first_clear_sound(lead):
    sounding = groove(lead + np.arange(0, 20, 0.5))
    quiet = [("hat", time, 0.002) for time in np.arange(0.1, 20, 0.25)]
    mel = spectrogram(render(sounding + quiet, 20).samples)
    times = np.arange(lead % 0.5, 20, 0.5)
    assert times[begins(mel, times)] == pytest.approx(lead)


def test_strong_beats_are_stronger():
    beats = np.arange(0.25, 32, 0.5)
    waveform = render([("click", time, 0.3 if i % 2 else 1.0) for i, time in enumerate(beats)], 30)
    found = track_beats(waveform)
    assert found.strength.min() >= 0 and found.strength.max() <= 1
    strong = found.strength[0::2].mean() - found.strength[1::2].mean()
    assert abs(strong) > 0.1


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_any_rate_gives_the_same_beats(rate):
    waveform = render(groove(np.arange(0.2, 22, 60 / 104)), 20)
    here, there = track_beats(waveform), track_beats(resample(waveform, rate))
    assert mir_eval.beat.f_measure(here.times.double().numpy(), there.times.double().numpy(), 0.025) > 0.97


@pytest.mark.parametrize("seconds", [1.0, 1.7, 3.0])
def test_short_or_beatless_sound_still_has_a_beat_throughout(seconds):
    samples = torch.randn(int(seconds * RATE), generator=torch.Generator().manual_seed(0)) * 0.1
    found = track_beats(Waveform(samples, RATE))
    assert len(found.times) >= 1 and found.times.min() >= 0 and found.times.max() < seconds
    assert (found.times.diff() > 0.2).all()
    assert len(found.times) == len(found.downbeats) == len(found.strength)
