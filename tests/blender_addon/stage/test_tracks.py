"""Values as the few points between which they go straight."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy module is not installed")

from blender_addon.stage import tracks

TIME = np.arange(600) / 30
VALUES = np.column_stack((np.sin(TIME), np.full(600, 0.25), np.exp(-(TIME % 0.6) / 0.2)))


def test_a_track_is_within_the_tolerance_and_what_stays_has_one_point():
    track = tracks.thinned(VALUES, 0.01)
    assert np.abs(track.on(600) - VALUES).max() <= 0.01 + 1e-6
    assert len(track.at[1]) == 1 and all(2 < len(track.at[i]) < 400 for i in (0, 2))
    assert track.first == pytest.approx([0.0, 0.25, 1.0])
    assert np.allclose(track.scaled(-2.0, 1.0).on(600), 1 - 2 * track.on(600), atol=1e-6)
    both = tracks.joined(track.only(2), tracks.steady(7.0))
    assert np.array_equal(both.on(600)[:, 0], track.on(600)[:, 2]) and set(both.on(600)[:, 1]) == {7.0}


def test_tracks_come_back_as_they_were_packed():
    made = {"one": tracks.thinned(VALUES, 0.01), "other": tracks.steady(1.0, 2.0), "third": tracks.thinned(TIME, 0.1)}
    back = tracks.unpacked(tracks.packed(made))
    assert list(back) == list(made)
    for name, track in made.items():
        for ours, theirs in ((track.at, back[name].at), (track.values, back[name].values)):
            assert len(ours) == len(theirs) and all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
