"""The light of spots by numpy, against formulas and against Cycles."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy module is not installed")

from blender_addon.stage.spots import Spots, enlarged, light_at

UP = np.array([0.0, 0.0, 1.0])


def spot(place, way, light=(1.0, 1.0, 1.0), angle=60.0, blend=0.5):
    end = np.cos(np.radians(angle / 2))
    way = np.array(way) / np.linalg.norm(way)
    return Spots(*(np.array([value]) for value in (place, way, light, (end, end + (1 - end) * blend))))


def test_light_falls_with_the_square_of_the_distance_and_the_cosine():
    below = spot((0.0, 0.0, 2.0), (0.0, 0.0, -1.0), (1.0, 0.5, 0.0))
    assert light_at(below, np.zeros((1, 3)), UP)[0] == pytest.approx([0.25, 0.125, 0.0])
    assert light_at(below, np.zeros((1, 3)), -UP)[0] == pytest.approx(0.0), "from behind"
    assert light_at(below, np.zeros((1, 3)), np.array([0.0, 0.6, 0.8]))[0, 0] == pytest.approx(0.2)


def test_a_cone_ends():
    below = spot((0.0, 0.0, 2.0), (0.0, 0.0, -1.0), angle=60.0)
    edge = 2.0 * np.tan(np.radians(30.0))
    inside, outside = ([[edge * share, 0.0, 0.0]] for share in (0.98, 1.02))
    assert light_at(below, np.array(outside), UP)[0, 0] == 0.0 < light_at(below, np.array(inside), UP)[0, 0]


def test_a_picture_is_enlarged_bilinearly():
    rows, columns = np.array([0, 8, 11]), np.array([0, 8, 16])
    plane = 2.0 * np.arange(12)[:, None, None] + np.arange(17)[None, :, None]
    assert enlarged(plane[np.ix_(rows, columns)], rows, columns, (12, 17)) == pytest.approx(plane)


def test_cycles_shows_the_same_light(look):
    """A white floor under a spot, off its axis too."""
    found = look("spot.py")
    assert found["cycles"] == pytest.approx(found["numpy"], rel=0.04, abs=0.004)
