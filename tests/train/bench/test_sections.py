"""The benchmark of sections: its measures on cases that can be worked out by hand, its songs, and its table."""

import itertools

import numpy as np
import pytest

from train.bench import sections

TRUE = [(0.0, "verse"), (20.0, "chorus"), (40.0, "verse")]


def test_what_is_found_counts_within_its_window():
    exact = sections.measure(TRUE, [(0.0, "0"), (20.3, "1"), (39.6, "0")], 60.0)
    assert exact["F at 0.5 s"] == exact["F at 3 s"] == 1 and exact["labels"] > 0.95
    late = sections.measure(TRUE, [(0.0, "0"), (22.0, "1"), (40.0, "0")], 60.0)
    assert late["F at 0.5 s"] == 0.5 and late["F at 3 s"] == 1
    missed = sections.measure(TRUE, [(0.0, "0"), (40.0, "1")], 60.0)
    assert missed["F at 0.5 s"] == pytest.approx(2 / 3), "one of two is found, and nothing else"


def test_songs_are_drawn_with_their_forms():
    song, true = sections.composed(1)
    again, same = sections.composed(1)
    assert true == same and song.samples.equal(again.samples)
    starts = [start for start, _ in true]
    assert starts == sorted(starts) and starts[0] == 0 and starts[-1] < song.seconds
    assert all(one != other for (_, one), (_, other) in itertools.pairwise(true)), "neighbours differ"


def test_chance_has_as_many_sections():
    found = [(0.0, "0"), (20.0, "1"), (40.0, "0")]
    moved = sections.elsewhere(found, 60.0, np.random.default_rng(0))
    assert [label for _, label in moved] == ["0", "1", "0"] and moved[0] == found[0] and moved != found


def test_the_table_has_both_halves(monkeypatch, capsys):
    monkeypatch.setattr(sections, "composed", lambda number: (sections.compose(seconds=40.0).mono, TRUE[:2]))
    rows = sections.main(sections.Bench(songs=2))
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown[1:]] == ["chosen", "others"]
    assert rows[0]["chance"]["F at 0.5 s"] < 0.5
