"""Bars from probabilities of downbeats, whose metre is known because the probabilities are made from it."""

import numpy as np
import pytest

from core.audio.bars import USUAL, downbeats, raised


def heard(metre, first, count, sure=0.7, rest=0.1, seed=0):
    """Probabilities (count,) of downbeats on every ``metre``-th beat from ``first`` on, with noise."""
    down = (np.arange(count) - first) % metre == 0
    return (np.where(down, sure, rest) + np.random.default_rng(seed).normal(0, 0.08, count)).clip(0.01, 0.97), down


@pytest.mark.parametrize("metre", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("first", [0, 1])
def test_the_metre_and_the_one_are_found(metre, first):
    likely, down = heard(metre, first, 96)
    assert (downbeats(likely) == down).all()


@pytest.mark.parametrize("likely", [np.full(16, 0.2), np.full(32, 0.2), np.array([0.61, 0.2, 0.3, 0.31, 0.2])])
def test_where_nothing_else_says_when_bars_begin_with_the_song(likely):
    assert (downbeats(likely) == (np.arange(len(likely)) % 4 == 0)).all()
    upbeat = np.where(np.arange(16) % 4 == 3, 0.35, 0.15)
    assert (downbeats(upbeat) == (upbeat > 0.2)).all()


@pytest.mark.parametrize("begins", [0, 1, 3, 5])
def test_a_song_that_begins_after_some_beats_of_silence_begins_with_a_bar(begins):
    likely = np.full(32, 0.2)
    likely[(begins + 2) % 4 :: 4] = 0.203  # next to nothing speaks for the third beat
    assert (downbeats(likely, begins=begins) == ((np.arange(32) - begins) % 4 == 0)).all()
    likely[(begins + 2) % 4 :: 4] = 0.35
    assert (downbeats(likely, begins=begins) == ((np.arange(32) - begins) % 4 == 2)).all()


def test_one_false_alarm_and_one_missed_downbeat_change_nothing():
    likely, down = heard(4, 2, 80)
    likely[2 + 4 * 7] = 0.05
    likely[2 + 4 * 12 + 1] = 0.9
    assert (downbeats(likely) == down).all()


def test_a_bar_too_short_by_one_beat_moves_the_count():
    before, down = heard(4, 0, 43)
    after, down_after = heard(4, 0, 40, seed=1)
    assert (downbeats(np.concatenate([before, after])) == np.concatenate([down, down_after])).mean() > 0.97


def test_a_song_may_change_its_metre():
    waltz, down = heard(3, 0, 60)
    rock, down_rock = heard(4, 0, 60, seed=1)
    assert (downbeats(np.concatenate([waltz, rock])) == np.concatenate([down, down_rock])).all()


def test_what_says_nothing_is_counted_in_fours():
    found = downbeats(np.full(64, 0.25))
    assert (np.diff(np.flatnonzero(found)) == 4).all()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_beats(count):
    assert len(downbeats(np.full(count, 0.3))) == count


@pytest.mark.parametrize("level", [0.005, 0.03, 0.1])
def test_sounds_that_are_never_like_a_downbeat_have_no_long_bars(level):
    """As a metronome's: without a louder one they are counted in fours, with one as it comes."""
    noise = np.exp(0.3 * np.random.default_rng(0).standard_normal(72))
    found = np.flatnonzero(downbeats(level * noise))
    assert set(np.diff(found)) == {4}
    louder = level * noise * np.where(np.arange(72) % 3 == 1, 5.0, 1.0)
    assert np.array_equal(np.flatnonzero(downbeats(louder)), np.arange(1, 72, 3))


def test_odds_are_raised_alike_until_their_mean_is_usual():
    likely = np.random.default_rng(1).uniform(0.001, 0.2, 50)
    high = raised(likely)
    assert high.mean() == pytest.approx(USUAL, abs=1e-9)
    added = np.log(high / (1 - high)) - np.log(likely / (1 - likely))
    assert np.ptp(added) < 1e-9 and added[0] > 0
