"""Bars, eights, and parts of a song in words."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import FootlightError
from core.grid.beat_grid import Grid
from core.grid.counts import counts
from core.grid.ranges import parse
from tests.core.grid.test_beat_grid import regular


@pytest.mark.parametrize(("metre", "length"), [(2, 8), (4, 8), (8, 8), (3, 6), (6, 6), (5, 10)])
def test_an_eight_is_whole_bars(metre, length):
    found = counts(regular(40, metre))
    assert [one.count for one in found] == [i % length + 1 for i in range(40)]
    assert [one.eight for one in found] == [i // length + 1 for i in range(40)]
    assert [(one.bar, one.beat) for one in found] == [(i // metre + 1, i % metre + 1) for i in range(40)]


def test_beats_before_the_one_lead_to_it():
    found = counts(regular(12, first=2))
    assert [(one.eight, one.count) for one in found[:4]] == [(0, 7), (0, 8), (1, 1), (1, 2)]
    assert [(one.bar, one.beat) for one in found[:4]] == [(0, 3), (0, 4), (1, 1), (1, 2)]


def test_without_bars_the_first_beat_is_the_one():
    assert counts(Grid.of(np.arange(20) * 0.5)) == counts(regular(20))


def test_an_eight_begins_anew_with_its_bar_after_a_short_one():
    uneven = Grid.of(np.arange(16) * 0.5, [i in (0, 4, 6, 10, 14) for i in range(16)])
    assert [one.count for one in counts(uneven)] == [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("12.5:20", (12.5, 20)),
        ("0:.5", (0, 0.5)),
        ("12.5 to 20", (12.5, 20)),
        ("12.5s - 20s", (12.5, 20)),
        ("bars 17\u201320", (33, 41)),  # as word processors write it
        ("bars 17:20", (33, 41)),
        ("Bar 2", (3, 5)),
        ("bars 1 to 2", (1, 5)),
        ("bars 1-2", (1, 5)),
        ("eights 3", (9, 13)),
        ("the third eight", (9, 13)),
        ("3rd eight", (9, 13)),
        ("eights 3:4", (9, 17)),
        ("beats 5:8", (3, 5)),
        ("the first beat", (1, 1.5)),
        ("the last bar", (49, 51)),  # a whole one, though the song ends in it
        ("the last beat", (50.5, 51)),
        ("the last eight", (49, 53)),
    ],
)
def test_a_part_in_words_is_a_span_of_seconds(text, span):
    """A song of 102 beats at 120 a minute, whose first bar begins at 1 s."""
    found = parse(text, regular(102, first=2))
    assert (found.start, found.end) == pytest.approx(span)


def test_the_last_part_is_as_long_as_the_others():
    grid = regular(10)
    assert parse("bar 3", grid).end == pytest.approx(6.0), "two of its four beats are there"
    assert parse("bar 2", grid).end == pytest.approx(4.0)


def test_seconds_need_no_beats_and_frames_follow_from_seconds():
    assert parse("2:4").frames(30) == (60, 120)
    assert parse("eight 2", regular(20)).frames(25) == (100, 200)
    for told in ("frames 375:600", "frames 375-600", "Frame 375 to 600"):
        assert parse(told, fps=30).frames(30) == (375, 600)
    assert parse("frame 375", fps=30).frames(30) == (375, 376)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bars 17:20", "which has 5 bars"),
        ("bars 3:2", "ends before it begins"),
        ("bar 0", "'bar 0' is not there: bars are counted from 1"),
        ("4:2", "ends before it begins"),
        ("4:4", "is empty"),
        ("the chorus", "unknown part of the song 'the chorus'; expected seconds"),
        ("bars", "unknown part"),
        ("", "unknown part"),
        ("the ninetieth bar", "unknown part"),
        ("beats 21", "which has 20 beats"),
    ],
)
def test_what_is_no_part_of_the_song_is_told(text, told):
    with pytest.raises(FootlightError, match=told):
        parse(text, regular(20))


def test_counts_need_beats():
    with pytest.raises(FootlightError, match="give the beats"):
        parse("bar 1")
