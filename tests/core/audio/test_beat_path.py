"""The dynamic programme of beats, with exhaustive search as the judge."""

import itertools

import numpy as np
import pytest

from core.audio.beat_path import STEP_COST, best_path, bridged, fill


def value(frames, reward, periods, change_cost):
    """What a sequence of beats earns. Its first beat comes a period, which is free, after one before the music."""
    gaps = np.diff(frames)
    found = []
    for first in periods[periods > frames[0]]:
        states = [first, *gaps]
        total = reward[frames[0], list(periods).index(first)]
        for frame, gap, before in zip(frames[1:], gaps, states, strict=False):
            apart = abs(gap - before)
            total += reward[frame, list(periods).index(gap)]
            total -= STEP_COST * (apart > 0) + change_cost * max(0, apart - 1) ** 2 / gap**2
        found.append(total)
    return max(found)


@pytest.mark.parametrize("seed", range(6))
def test_no_other_sequence_earns_more(seed):
    draw = np.random.default_rng(seed)
    periods, length = np.array([3, 4, 5]), 17
    reward = draw.normal(size=(length, len(periods)))
    found = best_path(reward, periods, change_cost=20.0).astype(int)
    sequences = []
    for first in range(5):  # a path begins where no beat could come before it, and ends likewise
        for gaps in itertools.product(periods, repeat=5):
            frames = np.cumsum([first, *gaps])
            inside = frames[frames < length]
            if length - 1 - inside[-1] < 5:
                sequences.append(inside)
    best = max(value(frames, reward, periods, 20.0) for frames in sequences)
    assert set(np.diff(found)) <= set(periods)
    assert value(found, reward, periods, 20.0) >= best - 1e-9


def test_a_tempo_between_two_whole_periods_is_kept():
    times = np.arange(0.0, 3000, 40.5)
    curve = np.zeros(3000)
    curve[np.round(times[times < 2999.4]).astype(int)] = 3.0
    found = best_path(curve[:, None] - 0.5 + np.zeros((1, 60)), np.arange(30, 90))
    assert np.abs(found - times[: len(found)]).max() <= 1 and len(found) == len(times)


def test_beats_are_continued_to_both_ends():
    times = fill(np.array([3.0, 3.5, 4.0, 4.5]), 7.2)
    np.testing.assert_allclose(times, np.arange(0, 7.2, 0.5))
    assert len(fill(np.zeros(0), 10.0)) > 5
    assert fill(np.array([0.495, 0.995, 1.495]), 2.0)[0] == pytest.approx(0.495)
    np.testing.assert_allclose(fill(np.array([0.495, 0.995, 1.495]), 1.9, early=0.01), [0.0, 0.495, 0.995, 1.495])
    np.testing.assert_allclose(fill(np.array([-0.004, 0.496, 0.996]), 1.4, early=0.01), [0.0, 0.496, 0.996])
    assert len(best_path(np.zeros((0, 3)), np.arange(3, 6))) == 0


def test_a_gap_is_filled_evenly_at_the_pace_around_it():
    beats = np.arange(0, 30, 0.5) + 0.02 * np.sin(np.arange(60))
    inside = (beats > 10) & (beats < 20.1)
    np.testing.assert_allclose(bridged(beats[~inside], 1.3, 0.6), beats, atol=0.05)
    np.testing.assert_array_equal(bridged(beats, 1.3, 0.6), beats)
    np.testing.assert_allclose(bridged(np.array([3.0, 9.1]), 1.3, 0.6), np.linspace(3, 9.1, 11))
    assert [len(bridged(np.arange(count) * 5.0, 9.0, 0.6)) for count in range(3)] == [0, 1, 2]
