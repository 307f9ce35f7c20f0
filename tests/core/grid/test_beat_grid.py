"""Corrections of a grid of beats, held against what they mean on any grid."""

from __future__ import annotations

import mir_eval
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import FootlightError
from core.grid.beat_grid import (
    METRES,
    UNSURE,
    Grid,
    continued,
    doubled,
    halved,
    shifted_half,
    tempo_of,
    thinned,
    told_metre,
    with_metre,
    with_one,
)


def regular(count: int, metre: int = 4, first: int = 0, spacing: float = 0.5, start: float = 0.0) -> Grid:
    """A metronome. first: the beat that begins the first bar."""
    return Grid.of(start + spacing * np.arange(count), (np.arange(count) - first) % metre == 0)


@st.composite
def grids(draw, metres=METRES, steady=False):
    """Grids of one metre, with or without a tempo that wanders."""
    count, metre = draw(st.integers(2, 60)), draw(st.sampled_from(metres))
    drawn = st.just(0.5) if steady else st.floats(0.25, 1.5)
    spacing = draw(st.lists(drawn, min_size=count - 1, max_size=count - 1))
    times = draw(st.floats(0, 10)) + np.concatenate([[0.0], np.cumsum(spacing)])
    first = draw(st.integers(0, metre - 1))
    return Grid.of(times, (np.arange(count) - first) % metre == 0)


@pytest.mark.parametrize(
    ("times", "downbeats", "told"),
    [
        ([1.0], [True], "there are 1 beats; expected two or more"),
        ([0.0, 0.5], [True], "2 beats, but 1 say"),
        ([0.0, float("nan")], [True, False], "no finite number"),
        ([0.0, 0.5, 0.45], None, "0.5 s and 0.45 s"),
        ([0.0, 0.05], None, "each 0.1 s or more after"),
    ],
)
def test_what_is_no_grid_is_refused(times, downbeats, told):
    with pytest.raises(FootlightError, match=told):
        Grid.of(times, downbeats)


def test_tempo_and_metre_are_those_of_most_beats_and_bars():
    assert regular(9).tempo == pytest.approx(120) and regular(9).metre == 4
    late = [*np.arange(16) * 0.5, 9.0]
    assert Grid.of(late).tempo == pytest.approx(120) and Grid.of(late).metre == 0
    assert Grid.of(np.arange(12) * 0.5, [i in (0, 3, 6, 8) for i in range(12)]).metre == 3
    assert tempo_of(np.array([1.0])) == 0.0


@given(grids())
def test_half_of_double_is_the_grid_itself(grid):
    again = halved(doubled(grid))
    np.testing.assert_allclose(again.times, grid.times, atol=1e-9)
    assert again.downbeats == grid.downbeats


@given(grids())
def test_double_keeps_every_beat_and_one_and_puts_a_beat_into_every_middle(grid):
    faster = doubled(grid)
    np.testing.assert_allclose(faster.times[::2], grid.times)
    np.testing.assert_allclose(faster.times[1::2], (np.array(grid.times[1:]) + grid.times[:-1]) / 2)
    assert faster.downbeats[::2] == grid.downbeats and not any(faster.downbeats[1::2])
    variations = mir_eval.beat._get_reference_beat_variations(np.array(grid.times))
    np.testing.assert_allclose(faster.times, variations[2])


@given(grids(metres=(2, 4, 6)).filter(lambda grid: len(grid.times) > 7))
def test_half_keeps_the_ones_of_even_bars(grid):
    slower = halved(grid)
    assert [t for t, one in zip(slower.times, slower.downbeats, strict=True) if one] == [
        t for t, one in zip(grid.times, grid.downbeats, strict=True) if one
    ]
    assert set(slower.times) <= set(grid.times)
    first = grid.starts[0]
    assert slower.times == grid.times[first % 2 :: 2]


def test_half_of_three_in_a_bar_is_three_in_two_bars():
    slower = halved(regular(13, metre=3, first=1))
    assert slower.times == tuple(0.5 * i for i in range(1, 13, 2))
    assert slower.starts == (0, 3) and slower.metre == 3


def test_every_nth_beat_is_counted_from_each_one():
    """With a bar of two among those of four."""
    uneven = Grid.of(np.arange(12) * 0.5, [i in (1, 5, 7) for i in range(12)])
    assert thinned(uneven, 2).times == (0.5, 1.5, 2.5, 3.5, 4.5, 5.5)
    assert thinned(regular(12, metre=6, first=1), 3).starts == (0, 2)


@given(grids(steady=True))
def test_half_a_beat_later_twice_is_one_beat_later(grid):
    later = shifted_half(shifted_half(grid))
    np.testing.assert_allclose(later.times[1:-1], grid.times, atol=1e-9)
    assert later.downbeats == (False, False, *grid.downbeats)[: len(later.times)]


@given(grids())
def test_half_a_beat_later_is_the_offbeat_of_mir_eval(grid):
    offbeat = mir_eval.beat._get_reference_beat_variations(np.array(grid.times))[1]
    later = shifted_half(grid)
    np.testing.assert_allclose(later.times[1:-1], offbeat, atol=1e-9)
    assert len(later.times) == len(grid.times) + 1 and later.downbeats[1:] == grid.downbeats


@given(grids(), st.data())
def test_any_beat_can_be_the_one(grid, data):
    beat = data.draw(st.integers(0, len(grid.times) - 1))
    moved = with_one(grid, beat)
    assert moved.downbeats[beat] and moved.times == grid.times
    metre = grid.metre or 4
    assert [i for i, one in enumerate(moved.downbeats) if one] == list(range(beat % metre, len(grid.times), metre))
    assert with_one(moved, beat) == moved


def test_another_one_keeps_a_short_bar_short():
    uneven = Grid.of(np.arange(16) * 0.5, [i in (0, 4, 6, 10, 14) for i in range(16)])
    assert with_one(uneven, 1).starts == (1, 5, 7, 11, 15)
    assert with_one(uneven, 0) == uneven


@given(grids(), st.sampled_from(METRES))
def test_another_metre_counts_from_the_one(grid, metre):
    counted = with_metre(grid, metre)
    one = grid.starts[0]
    assert [i for i, first in enumerate(counted.downbeats) if first] == list(range(one % metre, len(grid.times), metre))


@given(grids(steady=True), st.floats(0, 3), st.floats(0, 6))
def test_a_grid_goes_on_at_its_own_spacing(grid, before, after):
    start, end = max(0.0, grid.times[0] - before), grid.times[-1] + after + 0.01
    longer = continued(grid, start, end)
    np.testing.assert_allclose(np.diff(longer.times), 0.5)
    assert start - 1e-6 <= longer.times[0] < start + 0.5 and end - 0.5 - 1e-6 <= longer.times[-1] < end
    shift = round((grid.times[0] - longer.times[0]) / 0.5)
    assert longer.downbeats[shift : shift + len(grid.times)] == grid.downbeats
    if grid.metre:
        assert set(np.diff(longer.starts)) <= {grid.metre} and longer.starts[0] < grid.metre


def test_a_part_of_a_grid_is_cut_out_of_it():
    assert continued(regular(20), 2.0, 4.0).times == (2.0, 2.5, 3.0, 3.5)


def test_the_beat_at_a_time_is_the_nearest():
    assert [regular(4).nearest(time) for time in (-3.0, 0.2, 0.3, 9.0)] == [0, 0, 1, 3]
    assert regular(3).shifted(0.5).times == (-0.5, 0.0, 0.5)


@pytest.mark.parametrize(("confidence", "told"), [(None, 3), (UNSURE, 3), (0.99, 3), (UNSURE - 0.01, 0), (0.0, 0)])
def test_the_metre_of_a_guess_is_not_told(confidence, told):
    assert told_metre(3, confidence) == told
