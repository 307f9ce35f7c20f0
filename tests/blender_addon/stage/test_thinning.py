"""Keys where a curve turns."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy module is not installed")

from blender_addon.stage.thinning import turning_points


def test_a_line_needs_two_keys_and_a_zigzag_its_corners():
    assert turning_points(np.linspace(3, 7, 100), 1e-6).tolist() == [0, 99]
    corners = np.array([0, 13, 40, 41, 90])
    zigzag = np.interp(np.arange(91), corners, [0.0, 1.0, -1.0, 2.0, 0.0])
    assert turning_points(zigzag, 1e-6).tolist() == corners.tolist()
    assert turning_points(np.array([5.0]), 0.1).tolist() == [0]


def test_what_is_left_out_is_within_the_tolerance_everywhere():
    time = np.arange(600) / 30
    values = np.exp(-(time % 0.6) / 0.2) * np.sin(time)
    tolerance = np.where(time < 10, 0.01, 0.2)
    kept = turning_points(values, tolerance)
    off = np.abs(np.interp(np.arange(600), kept, values[kept]) - values)
    assert (off <= tolerance).all() and len(kept) < 300
    assert (kept < 300).sum() > 2 * (kept >= 300).sum(), "where more is allowed there are fewer keys"
