"""How much light answers a dance, by lights whose answer is known."""

import json

import numpy as np
import pytest
import torch

from core.audio import io
from core.light.song import Song
from core.results import Dance
from core.rhythm.features import Rhythm
from core.show.channels import ROLES, SHOW_FPS, SLICES
from core.show.show import Show
from core.types import Beats
from tests.train.evaluation.material import song, swaying
from tests.train.theatre_shows import pulsing
from train.bench import answer
from train.evaluation.dance.measures import positions_of
from train.evaluation.theatre.acts import energy_of
from train.evaluation.theatre.scenes import Scene

SECONDS = 20.0
FRAMES = round(SECONDS * SHOW_FPS)


def scene() -> Scene:
    rhythm = Rhythm(Beats(torch.arange(0, SECONDS, 0.5)), torch.zeros(1000), torch.ones(1000))
    heard = Song(SECONDS, rhythm.beats, np.ones(FRAMES), np.zeros(FRAMES), (), (), ())
    return Scene("song", "noir", heard, rhythm, 0)


def following(share: float) -> answer.Lighting:
    """Light of which every role follows the dance's energy by so much."""

    def light(_, dance) -> Show:
        energy = energy_of(positions_of(dance.motion), dance.motion.fps, SHOW_FPS)[:FRAMES]
        values = pulsing(torch.zeros(0), len(energy), SHOW_FPS, 0)
        for role in ROLES:
            values[:, SLICES[f"{role}_level"]] = 0.5 + share * energy[:, None].numpy()
        return Show(values)

    return light


def test_light_that_follows_a_dance_answers_it():
    first, second = (
        Dance(swaying(bpm, SECONDS, seed), Beats(torch.zeros(0)), {}) for seed, bpm in enumerate((100, 125))
    )
    pair = first, second
    more, less = answer.answers(scene(), pair, {"more": following(0.4), "less": following(-0.2)})
    assert more["value"] > 0.9 and less["value"] == pytest.approx(-more["value"], abs=1e-6)
    assert more["level_per_energy"] == pytest.approx(-2 * less["level_per_energy"], rel=1e-4)
    assert 0.3 < more["level_per_energy"] <= 0.4  # levels are smoothed, energies are not


def test_the_table_has_rules_and_theatres(theatre_folder, model_folder, tmp_path, capsys):
    io.write(tmp_path / "a.wav", song(100, 6.0))
    line = {"path": "a.wav", "kind": "audio", "split": "val", "genre": "clicks", "seconds": 6.0}
    (tmp_path / "index.jsonl").write_text(json.dumps(line) + "\n")
    words = (f"{theatre_folder}=plain@steps=2", f"{theatre_folder}=dim@steps=2,answer=1")
    asked = answer.Bench(words, tmp_path, seconds=6.0, dancer=str(model_folder), told=True, out=tmp_path / "rows.json")
    rows = answer.main(asked)
    names = ["rules", "plain", "plain, told", "dim", "dim, told"]
    assert [row["light"] for row in rows] == names and json.loads(asked.out.read_text()) == rows
    assert len({row["value"] for row in rows}) == len(rows), "each of them lights otherwise"
    said = capsys.readouterr().out.splitlines()
    assert [line[:32].strip() for line in said[1:]] == names
    assert f"{rows[0]['value']:8.2f}" in said[1]


def test_pairs_of_one_song_are_averaged_before_songs():
    rows = [{"song": song, "value": value} for song, value in (("a", 0.1), ("b", 0.7), ("a", 0.3))]
    assert answer.by_song(rows, "value") == pytest.approx([0.2, 0.7])
