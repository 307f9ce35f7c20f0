"""Improvised music: its notes are where its beats say, in every style, and its sound is as long as it should be."""

from itertools import pairwise

import numpy as np
import pytest

from core.audio.beat_tracking import SLOWEST_DANCED
from train.bench.beats import levels
from train.data.music import clock, ensembles, known_beats, patterns, plain_synth
from train.data.music.ensembles import ENSEMBLES
from train.data.music.improvise import improvise
from train.data.music.patterns import STYLES


@pytest.mark.parametrize("style", sorted(STYLES))
def test_every_style_has_its_bars_at_its_tempo(style):
    low, high = STYLES[style].bpm
    music = known_beats.improvised(style, np.random.default_rng(3), (low + high) / 2, "steady")
    beats = music.beats
    counted = STYLES[style].counted
    assert beats.tempo == pytest.approx((low + high) / 2 / counted, rel=1e-3)
    bars = np.diff(np.flatnonzero(beats.downbeats.numpy()))
    assert (bars == STYLES[style].beats // counted).all()
    assert sum(len(part.notes) for part in music.parts) > 20


def test_a_kick_on_every_beat_is_on_every_beat():
    for seed in range(20):
        music = known_beats.improvised("house", np.random.default_rng(seed), 120.0, "ramp")
        kicks = [n.start for p in music.parts if p.drums for n in p.notes if n.pitch == patterns.KICK]
        if kicks:
            break
    times = music.beats.times.double().numpy()
    inside = [kick for kick in kicks if times[0] < kick < times[-1]]
    assert max(np.abs(times - kick).min() for kick in inside) < 0.04  # people are that far off


def test_improvising_draws_everything_from_its_generator():
    first, second = (improvise(STYLES["funk"], 8, 100.0, np.random.default_rng(5)) for _ in range(2))
    assert first == second != improvise(STYLES["funk"], 8, 100.0, np.random.default_rng(6))


@pytest.mark.parametrize("freedom", clock.FREEDOMS)
def test_clocks_keep_their_tempo_on_the_whole(freedom):
    times = clock.beat_times(200, 100.0, freedom, np.random.default_rng(1))
    gaps = np.diff(times)
    assert times[0] == 0 and (gaps > 0.3).all() and (gaps < 1.2).all()
    assert np.median(gaps) == pytest.approx(0.6, rel=0.08)
    assert (np.ptp(gaps) < 1e-9) == (freedom == "steady")


def test_fast_music_is_labelled_on_one_and_three():
    beats = known_beats._labelled(np.arange(32) * 60 / 180, np.arange(32) % 4 == 2)
    assert beats.tempo == pytest.approx(90)
    assert beats.times[beats.downbeats].tolist() == pytest.approx((np.arange(2, 32, 4) / 3).tolist())
    waltz = known_beats._labelled(np.arange(30) * 60 / 180, np.arange(30) % 3 == 0)
    assert waltz.tempo == pytest.approx(180) and len(waltz.times) == 30


def test_plain_waves_sound_as_long_as_asked_for():
    draw = np.random.default_rng(0)
    music = known_beats.improvised("rock", draw, 120.0, "steady")
    sound = plain_synth.render(music.parts, 7.3, draw)
    assert len(sound.samples) == round(7.3 * plain_synth.RATE)
    assert sound.samples.isfinite().all() and 0.5 < float(sound.samples.abs().max()) <= 0.901


def test_levels_are_the_counts_of_one_grid():
    true = np.arange(12.0)
    found = levels(true)
    assert [len(some) for some in found] == [12, 6, 6, 23, 4, 4, 4, 34]
    np.testing.assert_allclose(found[3], np.arange(0, 11.1, 0.5))
    np.testing.assert_allclose(found[5], [1, 4, 7, 10])


@pytest.mark.parametrize("name", sorted(ENSEMBLES))
def test_an_ensemble_plays_its_own_instruments_on_the_same_beats(name):
    ensemble = ENSEMBLES[name]
    for seed in range(6):
        piece = improvise(STYLES["waltz"], 16, 120.0, np.random.default_rng(seed), name)
        melodic = [part for part in piece.parts if not part.drums]
        own = {"bass": ensemble.bass, "chords": ensemble.chords, "melody": ensemble.tune}
        for part in melodic:
            assert part.program in (ensemble.chords if ensemble.alone else own[part.name])
        if ensemble.alone:
            assert len({part.program for part in melodic}) == 1
            assert len(melodic) == len(piece.parts)
        music = known_beats.improvised("waltz", np.random.default_rng(seed), 120.0, "steady", name)
        assert (np.diff(np.flatnonzero(music.beats.downbeats.numpy())) == 3).all()


@pytest.mark.parametrize("style", ["waltz", "jazz waltz", "six-eight", "rock", "five"])
def test_tunes_begin_on_steps_and_one_note_follows_another(style):
    chords = [(0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)] * 4
    chosen = STYLES[style]
    for make in (ensembles.tune, ensembles.broken):
        for seed in range(5):
            notes = make(chosen, chords, np.random.default_rng(seed)).notes
            starts = np.array([note.start for note in notes])
            steps = starts * chosen.steps / chosen.beats
            np.testing.assert_allclose(steps, steps.round(), atol=1e-9)
            assert (np.diff(starts) > 0).all() and starts[-1] < len(chords) * chosen.beats
            assert all(a.start < a.end <= b.start for a, b in pairwise(notes))
    broken = ensembles.broken(chosen, chords, np.random.default_rng(1)).notes
    for note in broken:
        chord = chords[int(note.start // chosen.beats)]
        assert note.pitch % 12 in {tone % 12 for tone in chord}


def test_the_plainest_rhythms_have_a_stroke_on_every_beat_and_bars_only_where_something_tells_them(tmp_path):
    metres, free = set(), 0
    for number in range(80):
        music = known_beats.excerpt(tmp_path, "strokes", "train", number, seed=3)
        if len(music.beats.times) == 0:
            free += 1
            continue
        assert SLOWEST_DANCED <= music.beats.tempo <= known_beats.FASTEST
        (kit,) = music.parts
        strokes = np.array([note.start for note in kit.notes])
        times = music.beats.times.double().numpy()
        assert max(np.abs(strokes - at).min() for at in times[times < strokes[-1]]) < 1e-3
        bars = set(np.diff(np.flatnonzero(music.beats.downbeats.numpy())).tolist())
        accents = {
            (note.pitch, note.velocity)
            for note in kit.notes
            if note.pitch != patterns.HAT and np.abs(times - note.start).min() < 1e-3
        }
        assert len(bars) <= 1 and (not bars or len(accents) > 1)
        metres |= bars or {0}
    assert metres == {0, 3, 4, 5, 7} and 2 <= free <= 20


def test_an_excerpt_without_a_beat_is_kept_and_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(known_beats, "_strokes", known_beats._free)
    records = known_beats._excerpts(tmp_path, "strokes", "train", range(4), 3, "shard")
    assert len(records) == 4
    for line, tensors in records:
        assert line["tempo"] == 0 and len(tensors["beats"]) == len(tensors["downbeats"]) == 0
        assert float(tensors["mel"].max()) > float(tensors["mel"].min()) + 3  # something sounds
    times = [n.start for s in range(40) for n in known_beats._free(np.random.default_rng(s)).parts[0].notes]
    phases = np.exp(2j * np.pi * np.array(times) / 0.5)
    assert abs(phases.mean()) < 0.1  # no beat at 120 a minute
