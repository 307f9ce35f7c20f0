"""Peaks, smoothing and prominence against scipy."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d
from scipy.signal import argrelextrema, find_peaks, peak_prominences

from core.layers.peaks import gaussian_smooth, peaks, prominence, spaced


def curve(length=400, seed=0):
    return torch.randn(length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).cumsum(0)


@pytest.mark.parametrize("order", (1, 3, 10))
@pytest.mark.parametrize(("strict", "compare"), ((True, np.greater), (False, np.greater_equal)))
def test_peaks_of_both_sides_are_scipys(order, strict, compare):
    for seed in range(20):
        values = (curve(seed=seed) * 2).round()  # full of plateaus
        theirs = argrelextrema(np.pad(values.numpy(), order, constant_values=-np.inf), compare, order=order)[0] - order
        theirs = theirs[(theirs >= 0) & (theirs < len(values))]
        assert peaks(values, order, rising=strict, falling=strict).tolist() == theirs.tolist()


def test_peaks_that_stand_higher_than_a_threshold():
    values = curve()
    assert peaks(values, 1, above=5.0, ends=False).tolist() == find_peaks(values.numpy(), height=5.0)[0].tolist()


def test_sides_ends_and_nothing_at_all():
    values = torch.tensor([3.0, 1.0, 2.0, 2.0, 0.0, 4.0])
    assert peaks(values, 1).tolist() == [0, 2, 3, 5]
    assert peaks(values, 1, ends=False).tolist() == [2, 3]
    assert peaks(values, 1, rising=True).tolist() == [0, 2, 5]
    assert peaks(values, 1, falling=True).tolist() == [0, 3, 5]
    assert peaks(values, 2, 0).tolist() == [0, 3, 5]  # looking back alone
    assert peaks(torch.zeros(0), 3).tolist() == [] and peaks(torch.ones(1), 3).tolist() == [0]


def test_smoothing_and_prominence_agree_with_scipy():
    values = torch.randn(400, generator=torch.Generator().manual_seed(0), dtype=torch.float64).cumsum(0)
    for length, sigma in ((400, 2.5), (5, 2.5), (400, 0.05)):
        reference = gaussian_filter1d(values[:length].numpy(), sigma)
        np.testing.assert_allclose(gaussian_smooth(values[:length], sigma), reference, atol=1e-12)
    plateaus = (2 * values).round()
    tops = peaks(plateaus, 1, rising=True, ends=False)
    np.testing.assert_allclose(prominence(plateaus)[tops], peak_prominences(plateaus.numpy(), tops)[0], atol=1e-12)
    theirs = find_peaks(values.numpy())[0]
    found = prominence(values)
    assert found.nonzero()[:, 0].tolist() == theirs.tolist()
    np.testing.assert_allclose(found[theirs], peak_prominences(values.numpy(), theirs)[0], atol=1e-12)


@pytest.mark.parametrize("distance", (1, 2, 7, 40, 10_000))
def test_peaks_that_are_apart_are_scipys(distance):
    for seed in range(20):
        values = torch.randn(400, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        found = find_peaks(values.numpy())[0]
        kept = found[spaced(found.tolist(), values[found].tolist(), distance)]
        assert kept.tolist() == find_peaks(values.numpy(), distance=distance)[0].tolist()


def test_of_equal_events_the_earlier_stays_and_those_that_just_fit_do():
    assert spaced([0.0, 0.5, 1.0, 2.5], [1, 1, 1, 1], 1.0) == [0, 2, 3]
    assert spaced([0, 4, 8], [1, 2, 1], 5) == [1]
    assert spaced([], [], 1.0) == []
