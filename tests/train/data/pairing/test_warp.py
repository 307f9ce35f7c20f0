"""Pairing kinematic beats with musical ones, the bounded clock through the pairs, and slowing on beats."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator
from scipy.optimize import linear_sum_assignment

from train.data.pairing import warp

BEATS = np.arange(0, 40, 0.55)


def jittered(seed, spread=0.12, keep=0.7):
    """Hits near beats: some missing, some moved, on a motion that runs a little fast."""
    draw = np.random.default_rng(seed)
    kinematic_beats = BEATS[draw.random(len(BEATS)) < keep][1:-3]
    return np.sort(kinematic_beats * 1.04 + draw.normal(0, spread, len(kinematic_beats)))


def test_pairs_are_found_through_noise_and_a_wrong_tempo():
    kinematic_beats = jittered(0, spread=0.04)
    found = warp.align(kinematic_beats, np.ones(len(kinematic_beats)), warp.beat_grid(BEATS))
    # Hit i was made from the beat nearest to hits / 1.04; the pairing may be whole beats off, but not slip.
    made = BEATS[np.abs(BEATS[:, None] - found.kinematic_beats / 1.04).argmin(axis=0)]
    assert len(found.kinematic_beats) > 0.9 * len(kinematic_beats)
    assert (np.abs(np.diff(found.grid) - np.diff(made)) < 1e-6).mean() > 0.9
    assert found.on_beat > 0.85 * len(found.kinematic_beats)


def test_alignment_is_monotone_and_within_the_limit():
    for seed in range(5):
        kinematic_beats = jittered(seed, spread=0.25)
        found = warp.align(kinematic_beats, np.ones(len(kinematic_beats)), warp.beat_grid(BEATS), limit=0.2)
        rate = np.diff(found.kinematic_beats) / np.diff(found.grid)
        assert len(rate) > 10
        assert rate.min() >= 0.8 - 1e-9
        assert rate.max() <= 1.2 + 1e-9


def test_alignment_of_exact_kinematic_beats_is_the_best_assignment():
    draw = np.random.default_rng(1)
    kinematic_beats = np.sort(draw.choice(BEATS, 30, replace=False))
    found = warp.align(kinematic_beats, np.ones(30), warp.beat_grid(BEATS), stiffness=5.0)
    rows, columns = linear_sum_assignment(np.abs(kinematic_beats[:, None] - BEATS[None, :]))
    assert np.allclose(found.kinematic_beats, kinematic_beats[rows])
    assert np.allclose(found.grid, BEATS[columns])
    assert found.score == pytest.approx(30)


def test_what_was_chosen_to_go_together_stays_together():
    """A body that is a sixth too slow could be followed for ever, each beat on the next one of the song; after four
    seconds of drift it is not."""
    kinematic_beats = np.arange(1, 100) * 0.5
    found = warp.align(kinematic_beats, np.ones(99), warp.beat_grid(np.arange(0, 80, 0.6)), stiffness=0.01)
    assert len(found.grid) > 60 and np.abs(found.grid - found.kinematic_beats).max() <= 4.0


def test_nothing_is_skipped_for_nothing():
    """A motion that is on the beats as it is could as well start a beat later."""
    grid = warp.Grid(np.arange(40) * 0.3, np.ones(40))
    kinematic_beats = grid.times[1:30]
    found = warp.align(kinematic_beats, np.ones(29), grid)
    assert np.array_equal(found.grid, found.kinematic_beats)


def test_no_kinematic_beats_no_pairs():
    found = warp.align(np.zeros(0), np.zeros(0), warp.beat_grid(BEATS))
    assert len(found.kinematic_beats) == 0
    clock = warp.Clock.through(found.grid, found.kinematic_beats, 10)
    assert np.allclose(clock(np.linspace(0, 10, 50)), np.linspace(0, 10, 50), atol=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_the_clock_keeps_the_limit_where_pchip_does_not(seed):
    kinematic_beats = jittered(seed, spread=0.2)
    found = warp.align(kinematic_beats, np.ones(len(kinematic_beats)), warp.beat_grid(BEATS), limit=0.22)
    clock = warp.Clock.through(found.grid, found.kinematic_beats, 40.0, limit=0.25)
    times = np.linspace(-1, 42, 20_000)
    measured = np.gradient(clock(times), times)
    assert measured.min() >= 0.75 - 1e-6
    assert measured.max() <= 1.25 + 1e-6
    pchip = PchipInterpolator(found.grid, found.kinematic_beats).derivative()(
        np.linspace(found.grid[0], found.grid[-1], 20_000)
    )
    assert pchip.max() > 1.25 or pchip.min() < 0.75  # why a plain monotone cubic will not do
    assert np.median(np.abs(clock(found.grid) - found.kinematic_beats)) < 0.012
    assert np.abs(clock(found.grid) - found.kinematic_beats).max() < 0.12


def test_the_clock_meets_pairs_that_are_easy():
    music = np.arange(0.5, 20, 0.5)
    motion = 1.1 * music + 0.03 * np.sin(music)
    clock = warp.Clock.through(music, motion, 20.0)
    assert np.abs(clock(music) - motion).max() < 3e-3
    assert clock(np.array([0.0]))[0] >= 0
    knots = np.arange(len(clock.rates)) * clock.step
    slopes = (clock(knots + 1e-5) - clock(knots - 1e-5)) / 2e-5
    assert np.allclose(clock.rate(knots), slopes, atol=1e-4)


def test_slowing_keeps_beats_and_half_beats_and_bounds_the_rate():
    beats = np.cumsum(np.array([0.0, 0.5, 0.52, 0.48, 0.6, 0.5]))
    grid = warp.beat_grid(beats).times
    assert np.allclose(warp.slowed_on_beats(grid, beats, 0.25), grid)
    times = np.linspace(beats[0], beats[-1], 50_001)[:-1]
    rate = np.diff(warp.slowed_on_beats(times, beats, 0.25)) / np.diff(times)
    assert rate.min() == pytest.approx(0.75, abs=1e-3)
    assert rate.max() == pytest.approx(1.25, abs=1e-3)
    at_beats = np.searchsorted(times, beats[1:-1])
    assert np.all(rate[at_beats] < 0.76)


def test_play_ends_with_the_motion():
    beats = np.array([0.4, 0.9, 1.4])
    clock = warp.Clock.through(np.array([1.0, 5.0, 9.0]), np.array([1.1, 5.5, 9.9]), 12.0)
    played = warp.play(clock, beats, 0.25, 10.0, 31.25)
    assert np.all(np.diff(played) > 0)
    assert played[-1] <= 10.0 < played[-1] + 1.25 * 1.25 / 31.25
    assert played[0] >= -0.25 * 0.5 / np.pi
