"""The statistics of a report, against scipy's and by hand."""

import numpy as np
import pytest
import torch
from scipy import stats

from core.formats.motion import MotionClip
from core.types import Beats
from train.evaluation import statistics
from train.evaluation.dance.measures import Clip


def test_the_bootstrap_is_scipys():
    values = np.random.default_rng(3).gamma(2.0, size=23)
    ours = statistics.bootstrap(values, resamples=20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, random_state=np.random.default_rng(9)
    ).confidence_interval
    spread = values.std() / np.sqrt(len(values))
    assert ours.mean == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * spread)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * spread)


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    draw = np.random.default_rng(0)
    found = [statistics.bootstrap(draw.normal(size=40), resamples=400) for _ in range(300)]
    covered = np.mean([one.low <= 0 <= one.high for one in found])
    assert 0.90 <= covered <= 0.98


def test_the_shift_of_draws_leaves_the_interval_of_a_whole_where_it_was():
    """The variance by n of a draw is (n - 1) / n of the set's, on average; the interval does not move with it."""
    values = np.random.default_rng(5).normal(size=12)
    drawn = values[statistics.draws(12, 20_000)].var(axis=1)
    found = statistics.around(np.array([values.var(), *drawn]), 12)
    assert drawn.mean() == pytest.approx(11 / 12 * values.var(), rel=0.02)
    assert found.mean == values.var() and found.units == 12
    low, high = np.quantile(drawn * 12 / 11, (0.025, 0.975))
    spread = drawn.std()
    assert (found.low, found.high) == (pytest.approx(low, abs=0.3 * spread), pytest.approx(high, abs=0.3 * spread))
    means = np.array([values.mean(), *values[statistics.draws(12)].mean(axis=1)])
    plain = statistics.bootstrap(values)
    assert statistics.around(means, 12).low == pytest.approx(plain.low, abs=0.02 * values.std())
    assert statistics.around(means[:1], 1).low is None


def clip(system: str, song: str, seed: int, value: float) -> Clip:
    made = MotionClip(torch.zeros(4, 22, 3), 30.0)
    return Clip(system, song, seed, Beats(torch.zeros(0)), made, {"score": {"value": value}})


def test_seeds_of_a_song_are_one_unit_and_a_single_song_has_no_width():
    ours = [clip("a", "x", 0, 1.0), clip("a", "x", 1, 3.0), clip("a", "y", 0, 5.0)]
    assert statistics.interval(ours, "score.value").units == 2
    assert statistics.interval(ours, "score.value").mean == pytest.approx(3.5)
    alone = statistics.interval(ours[:2], "score.value")
    assert alone.mean == 2.0 and alone.low is None
    assert statistics.interval(ours, "score.other") is None


def test_differences_are_paired_by_song():
    """Songs differ by far more than the systems do; pairing takes that away, and a song one lacks is not compared."""
    theirs = [clip("b", name, 0, 10.0 * i) for i, name in enumerate("uvwxyz")]
    ours = [clip("a", name, 0, 10.0 * i + 1 + 0.1 * (i % 2)) for i, name in enumerate("uvwxy")]
    found = statistics.difference(ours, theirs, "score.value")
    assert found.units == 5 and found.mean == pytest.approx(1.04)
    assert 0.99 < found.low <= found.high < 1.11
    assert statistics.interval(ours, "score.value").high - statistics.interval(ours, "score.value").low > 10
