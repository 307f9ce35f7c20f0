"""The music that the metre of dances is measured on: one piece in three and in four, and the table of the figures."""

import json

import mir_eval
import pytest

from core.audio.beat_tracking import track_beats
from train.bench import metre
from train.data.music.patterns import STYLES


@pytest.mark.parametrize("name", sorted({name for name, _ in metre.PIECES}))
def test_a_lengthened_bar_has_its_last_beat_twice(name):
    three, four = STYLES[name], metre.lengthened(STYLES[name])
    beat = three.steps // 3
    assert (four.beats, four.steps) == (4, 4 * beat)
    assert four.bpm == three.bpm and four.drums.keys() == three.drums.keys()
    for short, long in zip((*three.bass, *three.chords), (*four.bass, *four.chords), strict=True):
        for bar in range(len(short) // three.steps):
            played = long[bar * four.steps :][: four.steps]
            assert played[: three.steps] == short[bar * three.steps :][: three.steps]
            assert played[-beat:] == played[-2 * beat : -beat]


def test_music_in_three_and_in_four_is_heard_as_such():
    for style in (STYLES["waltz"], metre.lengthened(STYLES["waltz"])):
        song, beats = metre.played(style, 112, 24.0, 1)
        found = track_beats(song)
        assert song.seconds == 24 and beats.metre == found.metre == style.beats
        assert mir_eval.beat.f_measure(beats.times.double().numpy(), found.times.double().numpy()) > 0.95


def test_the_table_has_every_piece_in_both_metres(model_folder, tmp_path, capsys):
    asked = metre.Bench(str(model_folder), pieces=2, seeds=2, seconds=12.0, out=tmp_path / "rows.json")
    rows = metre.main(asked)
    assert json.loads(asked.out.read_text()) == rows
    assert [(row["piece"], row["metre"], row["seed"]) for row in rows] == [
        (piece, metre, seed) for piece in ("waltz 96", "waltz 112") for metre in (3, 4) for seed in (0, 1)
    ]
    said = capsys.readouterr().out
    means = [(rows[i]["threes"] + rows[i + 1]["threes"]) / 2 for i in range(0, 8, 2)]
    assert all(f"{mean:9.3f}" in said for mean in means)
    assert "what bars of three change" in said and "2 pieces" in said
