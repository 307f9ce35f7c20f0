"""Curves between keys. The oracle is scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline

from core.rig import splines

VALUES = np.cumsum(np.random.default_rng(2).normal(size=(50, 3)), axis=0)
AT = np.array((0, 3, 4, 20, 31, 49))


def test_straight_curves():
    found = splines.sampled(VALUES, splines.keyed(AT[::-1]))
    for column in range(3):
        np.testing.assert_allclose(found[:, column], np.interp(np.arange(50), AT, VALUES[AT, column]), atol=1e-12)


def test_smooth_curves_leave_a_key_as_fast_as_the_frames_around_it():
    keys = splines.keyed(AT, smooth=True)
    slopes = np.gradient(VALUES, axis=0)[AT]
    np.testing.assert_allclose(splines.slopes(VALUES, keys), [slopes, slopes], atol=1e-12)
    known = CubicHermiteSpline(AT, VALUES[AT], slopes)(np.arange(50))
    np.testing.assert_allclose(splines.sampled(VALUES, keys), known, atol=1e-9)


def test_a_foot_that_lands_stops_at_once():
    fall = np.concatenate((np.linspace(1.0, 0.0, 11), np.zeros(10)))[:, None]
    keys = splines.keyed(np.array((0, 10, 20)), np.array((10,)), smooth=True)
    np.testing.assert_allclose(splines.sampled(fall, keys), fall, atol=1e-12)
    without = splines.sampled(fall, splines.keyed(keys.at, smooth=True))
    assert without.min() < -0.01, "else it sinks into the floor"


@pytest.mark.parametrize("smooth", [False, True])
def test_one_key_holds(smooth):
    found = splines.sampled(VALUES, splines.keyed(np.array((0,)), smooth=smooth))
    np.testing.assert_array_equal(found, np.tile(VALUES[0], (50, 1)))
