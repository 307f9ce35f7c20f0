"""BEATS.json, both ways."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given

from core.errors import FootlightError
from core.grid.beat_grid import Grid
from core.grid.beats_file import from_json, to_json
from tests.core.grid.test_beat_grid import grids, regular


@given(grids())
def test_a_grid_is_read_as_it_was_written(grid):
    again = from_json(to_json(grid))
    np.testing.assert_allclose(again.times, grid.times, atol=1e-4)
    assert again.downbeats == grid.downbeats
    assert from_json(to_json(again)) == again


def test_the_file_is_for_people():
    values = json.loads(to_json(regular(5, start=0.25)))
    assert values == {
        "format": "footlight-beats 1",
        "beats": [0.25, 0.75, 1.25, 1.75, 2.25],
        "downbeats": [0.25, 2.25],
        "metre": 4,
        "tempo": 120.0,
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_any_encoding_of_unicode_is_read(encoding):
    """Windows PowerShell 5 writes what a program prints in UTF-16."""
    grid = regular(9)
    assert from_json(to_json(grid).encode(encoding)) == grid


def test_beats_alone_are_enough():
    assert from_json('{"beats": [0, 0.5, 1]}') == Grid.of([0, 0.5, 1])
    assert from_json('{"beats": [0, 0.5, 1, 1.5], "metre": 3}').downbeats == (True, False, False, True)
    assert from_json('{"beats": [0, 0.5, 1], "downbeats": [0.5]}').downbeats == (False, True, False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("beats", "this is no JSON"),
        ("[1, 2]", "expected an object"),
        ('{"tempo": 120}', "the field 'beats' is missing"),
        ('{"beats": [0, "1"]}', r"beats.beats\[1\]: expected float, got '1'"),
        ('{"beats": [0, 1], "beat": 3}', "unknown field 'beat'"),
        ('{"beats": [0, 1], "format": "other 2"}', "the format is 'other 2'"),
        ('{"beats": [1]}', "expected two or more"),
        ('{"beats": [0, 1, 1]}', "the beats at 1 s and 1 s"),
        ('{"beats": [-1, 1]}', "a beat is at -1 s"),
        ('{"beats": [0, NaN]}', "no finite number"),
        ('{"beats": [0, 1], "downbeats": [0.4]}', "the downbeat at 0.4 s is none of the beats; the nearest is at 0 s"),
        ('{"beats": [0, 1], "downbeats": [NaN]}', "none of the beats"),
        ('{"beats": [0, 1, 2], "downbeats": [0, 2], "metre": 3}', "most bars between the downbeats have 2 beats"),
        ('{"beats": [0, 1], "metre": -4}', "expected beats in a bar, 1 to 32"),
        ('{"beats": [0, 1, 2], "tempo": 120}', "tempo is 120, but the beats come at 60.0 a minute"),
        ('{"beats": [0, 1, 2], "tempo": NaN}', "but the beats come"),
    ],
)
def test_what_is_wrong_is_told(text, told):
    with pytest.raises(FootlightError, match=told):
        from_json(text)


def test_beats_of_a_film_are_moved_to_the_clock_of_who_reads():
    """Where the sound begins at 1.5 s of the picture, a sequencer that begins with the sound has them 1.5 s earlier."""
    by_picture = to_json(Grid.of([2.0, 2.5, 3.0]), 1.5)
    assert from_json(by_picture, lambda: 0.0).times == (0.5, 1.0, 1.5)
    assert from_json(by_picture, lambda: 1.5).times == from_json(by_picture).times == (2.0, 2.5, 3.0)
    by_sound = to_json(Grid.of([0.5, 1.0, 1.5]), 0.0)
    assert from_json(by_sound, lambda: 1.5).times == (2.0, 2.5, 3.0)
    unsaid = to_json(Grid.of([0.5, 1.0]))
    assert "sound_begins" not in unsaid and from_json(unsaid, lambda: pytest.fail("asked in vain")).times == (0.5, 1.0)
