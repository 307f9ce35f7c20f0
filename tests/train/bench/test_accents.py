"""Genres by how they use the beat: bodies that rest on it and are half a beat late."""

import pytest

from train.bench import accents
from train.data import synthetic


def test_bodies_that_rest_on_beats_arrive_and_are_moved_by_half_a_beat(tmp_path, capsys, monkeypatch):
    """The synthetic bodies swing: slowest on every beat, fastest halfway between two."""
    monkeypatch.setattr(accents, "load_pairs", lambda _, split: synthetic.pairs()[split])
    means = accents.main(accents.Bench(tmp_path, clips=1))
    assert means.keys() == {pair.genre for some in synthetic.pairs().values() for pair in some}
    said = capsys.readouterr().out
    for genre, row in means.items():
        assert row["danced"] < 0.5 and row["struck"] > 1.4 and row["earlier"] == pytest.approx(0.5, abs=0.1)
        assert f"{genre:32}{1:6}{row['danced']:11.2f}" in said
