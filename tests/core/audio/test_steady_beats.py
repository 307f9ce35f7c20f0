"""A path that slips is put back on its steady grid; one that follows a tempo stays as it is."""

import numpy as np
import pytest

from core.audio.beat_path import best_path, periods_within
from core.audio.steady_beats import best_grid, steadied

PERIOD = 54.6  # frames, no whole number
PERIODS = periods_within(46, 222, 100)


def reward(at, frames, height):
    """Nats for a beat on each frame: -2, but ``height`` where beats are heard."""
    curve = np.full(frames, -2.0)
    curve[np.round(at).astype(int)] = height
    return curve


def likely(curve):
    return 1 / (1 + np.exp(-curve))


def path_of(curve):
    return best_path(np.repeat(curve[:, None], len(PERIODS), axis=1), PERIODS)


def furthest(found, beats):
    return np.abs(found[:, None] - beats).min(axis=1).max()


@pytest.mark.parametrize("early", [0.25, 0.5])
def test_a_path_that_follows_syncopation_is_put_back_on_the_beat(early):
    beats = np.arange(10.0, 4000, PERIOD)
    curve = reward(beats[:45], 4000, 1.5)
    curve[np.round(beats[45:]).astype(int)] = -0.4
    curve[np.round(beats[45:] - early * PERIOD).astype(int)] = 0.4  # the drummer is ahead from here on
    path = path_of(curve)
    assert furthest(path, beats) > 0.2 * PERIOD
    found = steadied(path, curve, likely(curve))
    assert furthest(found, beats) < 2 and len(found) == len(beats)


def test_a_steady_path_stays_as_it_was_found():
    beats = np.arange(10.0, 4000, PERIOD)
    curve = reward(beats, 4000, 1.5)
    path = path_of(curve)
    assert steadied(path, curve, likely(curve)) is path


@pytest.mark.parametrize("last", [50.0, 60.0])
@pytest.mark.parametrize("sudden", [True, False])
def test_a_tempo_that_changes_is_no_slip(last, sudden):
    gaps = np.repeat([PERIOD, last], 40) if sudden else np.linspace(PERIOD, last, 80)
    beats = 10 + np.cumsum(gaps)
    curve = reward(beats, 4800, 1.5)
    path = path_of(curve)
    assert steadied(path, curve, likely(curve)) is path


def test_a_free_beginning_is_no_slip():
    gaps = np.concatenate([np.linspace(66, 54, 20), np.full(120, PERIOD)])
    beats = 10 + np.cumsum(gaps)
    curve = reward(beats, 7900, 1.5)
    curve[np.round(beats).astype(int)[20:]] = -1.0  # and hardly a beat after it
    path = path_of(curve)
    assert steadied(path, curve, likely(curve)) is path


def test_the_best_grid_is_found_to_a_part_of_a_frame():
    curve = reward(np.arange(17.0, 20_000, PERIOD), 20_000, 1.0)
    near = np.maximum(np.roll(curve, 1), np.maximum(curve, np.roll(curve, -1)))
    first, period = best_grid(near, 54.4, 0.006)
    assert first % period == pytest.approx(17, abs=2) and period == pytest.approx(PERIOD, abs=0.02)


def test_few_beats_and_silence_stay_as_they_are():
    few = np.arange(12) * 50.0
    assert steadied(few, np.zeros(600), np.zeros(600)) is few
    many = np.arange(30) * 50.0
    assert steadied(many, np.zeros(1500), np.zeros(1500)) is many
