"""Tunes: their notes begin where their kind allows, their parts return, and what accompanies them keeps their beats."""

from itertools import pairwise

import numpy as np
import pytest

from train.data.music import known_beats, tunes
from train.data.music.tunes import DANCES

GRACE = 0.1  # beats; no note of a tune itself is shorter


def composed(kind, seed, bars=32):
    return tunes.compose(DANCES[kind], bars, np.random.default_rng(seed))


def melody_of(parts):
    """The notes of the tune without the short ones before them."""
    (tune,) = (part for part in parts if part.name == "melody")
    return [note for note in tune.notes if note.end - note.start > GRACE or note.start == 0]


@pytest.mark.parametrize("kind", sorted(DANCES))
def test_notes_begin_on_steps_on_which_a_figure_has_one(kind):
    dance = DANCES[kind]
    allowed = {place for figure in dance.figures for place, sign in enumerate(figure) if sign == "x"}
    for seed in range(8):
        notes = melody_of(composed(kind, seed))
        steps = np.array([note.start for note in notes]) * dance.steps
        np.testing.assert_allclose(steps, steps.round(), atol=1e-9)
        assert {int(step) % dance.steps for step in steps.round()} <= allowed
        assert all(a.start < a.end <= b.start + 1e-9 for a, b in pairwise(notes))
        assert steps.max() < 32 * dance.beats * dance.steps


@pytest.mark.parametrize("kind", ["reel", "waltz", "jig"])
def test_a_part_is_played_twice_and_its_first_bars_return(kind):
    dance = DANCES[kind]
    notes = [(round(note.start * dance.steps), note.pitch) for note in melody_of(composed(kind, 3, 48))]
    bar = dance.beats * dance.steps

    def bars(first, count):
        return [(at - first * bar, pitch) for at, pitch in notes if first * bar <= at < (first + count) * bar]

    assert bars(0, 8) == bars(8, 8) and bars(16, 8) == bars(24, 8) and bars(0, 16) == bars(32, 16)
    assert bars(0, 2) == bars(4, 2) != bars(2, 2)
    assert bars(0, 8) != bars(16, 8)


def test_every_kind_of_accompaniment_is_on_the_beats_or_where_its_chords_belong():
    seen = set()
    for kind in ("reel", "polka", "jig", "waltz"):
        for seed in range(30):
            dance = DANCES[kind]
            others = [part for part in composed(kind, seed) if part.name != "melody"]
            seen.add(tuple(sorted(part.name for part in others)))
            after = {"polka": {0.0, 0.5}, "jig": {0.0, 2 / 3}}.get(kind, {0.0})
            for part in others:
                bar = np.array([note.start for note in part.notes]) % dance.beats
                off = np.abs(bar[:, None] % 1 - np.array(sorted(after)))
                assert off.min(axis=1).max() < 1e-9
            for part in others:
                if part.name == "bass":
                    assert min(note.start for note in part.notes) == 0
    assert seen == {(), ("bass",), ("chords",), ("bass", "chords")}


def test_the_beats_of_a_tune_are_those_that_its_kind_is_counted_in():
    for kind, beats in (("polka", 2), ("slip jig", 3), ("hymn", 4), ("reel", 2)):
        music = known_beats.tune(kind, np.random.default_rng(5), freedom="steady")
        low, high = DANCES[kind].bpm
        share = 2 if kind == "reel" else 1  # fast bars of four are counted in two
        assert low * 0.95 < music.beats.tempo * share < high * 1.05
        assert (np.diff(np.flatnonzero(music.beats.downbeats.numpy())) == beats).all()
        tune = next(part for part in music.parts if part.name == "melody")
        times = music.beats.times.double().numpy()
        downs = times[music.beats.downbeats.numpy()]
        starts = np.array([note.start for note in tune.notes])
        met = [np.abs(starts - at).min() < 0.001 for at in downs if 0 < at < starts.max()]
        assert np.mean(met) > 0.7 if kind == "hymn" else np.mean(met) > 0.9


def test_each_excerpt_of_tunes_is_of_the_kind_that_its_index_line_says(tmp_path):
    kinds = [known_beats.style_of("tune", number) for number in range(len(known_beats.TUNES))]
    assert set(kinds) == set(DANCES)
    assert known_beats.style_of("tune", len(kinds)) == kinds[0]
    assert known_beats.style_of("pop909", 3) == ""
    waltz = known_beats.excerpt(tmp_path, "tune", "train", kinds.index("waltz"), seed=1)
    assert (np.diff(np.flatnonzero(waltz.beats.downbeats.numpy())) == 3).all()
