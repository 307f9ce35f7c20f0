"""The engine makes a dance and its light: both files or none."""

import os

import numpy as np
import pytest
from PIL import Image

from core.audio import io
from core.show import file
from tests.core.test_engine import Process


@pytest.fixture(scope="module")
def warm(theatre_folder):
    engine = Process(theatre_folder)
    yield engine
    assert engine.end() == 0


def test_a_dance_and_its_light_arrive_together_then_light_for_that_dance(warm, song_file, tmp_path):
    out, show = str(tmp_path / "dance.npz"), str(tmp_path / "SHOW.json")
    asked = {"op": "theatre", "song": str(song_file), "seconds": 3.0, "steps": 2, "look": "disco", "seed": 5}
    warm.seen.clear()
    warm.send({**asked, "id": 1, "out": out, "out_light": show, "fps": 24, "accent": "arrive"})
    done = warm.until(type="done", id=1)
    fractions = [event["fraction"] for event in warm.seen if event["type"] == "progress"]
    assert fractions == sorted(fractions) and len(fractions) > 6
    assert (done["op"], done["out"], done["out_light"]) == ("theatre", out, show)
    assert (done["look"], done["accent"], done["frames"], done["fps"]) == ("disco", "arrive", 72, 24.0)
    assert 0 <= done["metrics"]["beat_f"] <= 1 and done["metrics"]["energy_on_beats"] > 0
    assert done["light_metrics"]["flashes"] <= 3
    assert done["tempo"] == pytest.approx(120, abs=2) and len(done["beats"]) == len(done["downbeats"])
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays["rotations"].shape == (72, 22, 4) and str(arrays["model"]) == "tiny"
    assert file.read(show).look == "disco"

    again = str(tmp_path / "again.json")
    warm.send({**asked, "id": 2, "motion": out, "out_light": again})
    done = warm.until(type="done", id=2)
    assert (done["out"], done["out_light"], done["frames"], done["fps"]) == (out, again, 72, 24.0)
    assert sorted(os.listdir(tmp_path)) == ["SHOW.json", "again.json", "dance.npz"]


def test_the_first_seconds_are_handed_on_and_a_song_is_heard_once(warm, make_song, tmp_path):
    song, preview = tmp_path / "long.wav", tmp_path / "first.npz"
    io.write(song, make_song(140.0))
    asked = {"op": "theatre", "song": str(song), "steps": 1, "out_light": str(tmp_path / "SHOW.json")}
    warm.seen.clear()
    early = {"preview": str(preview), "preview_light": str(tmp_path / "FIRST.json")}
    warm.send({**asked, "id": 10, "out": str(tmp_path / "dance.npz"), **early})
    told = warm.until(type="preview", id=10)
    assert (told["out"], told["frames"], told["fps"]) == (str(preview), 900, 30) and preview.exists()
    assert told["out_light"] == early["preview_light"]
    assert file.read(told["out_light"]).seconds == pytest.approx(30.0, abs=0.05)
    assert not (tmp_path / "dance.npz").exists()
    assert warm.until(type="done", id=10)["frames"] == 4200
    fractions = [event["fraction"] for event in warm.seen if event["type"] == "progress"]
    assert fractions == sorted(fractions)
    warm.seen.clear()
    warm.send({**asked, "id": 11, "out": str(tmp_path / "again.npz")})
    warm.until(type="done", id=11)
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "dance.npz").read_bytes()
    stages = {event.get("stage") for event in warm.seen}
    assert "Dancing" in stages and not stages & {"Reading the song", "Finding the beat", "Listening to the music"}
    warm.send({**asked, "id": 12, "motion": str(tmp_path / "dance.npz"), "preview": str(preview)})
    assert "preview is of a new dance" in warm.until(type="failed", id=12)["message"]


def test_a_look_is_read_before_anything_is_made_in_it(warm, tmp_path):
    Image.new("RGB", (64, 48), (200, 30, 30)).save(tmp_path / "red.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "red.png").read_bytes()[:60])
    for number, look in enumerate(("Disco", str(tmp_path / "red.png"))):
        warm.send({"op": "look", "id": f"look {number}", "look": look})
        assert warm.until(type="done", id=f"look {number}")["look"]
    for number, (look, words) in enumerate(((str(tmp_path / "broken.png"), "broken.png"), ("opera", "unknown look"))):
        warm.send({"op": "look", "id": f"none {number}", "look": look})
        event = warm.until(type="failed", id=f"none {number}")
        assert event["kind"] == "input" and words in event["message"]


def test_what_cannot_be_made_leaves_no_file(warm, song_file, tmp_path):
    asked = {"op": "theatre", "song": str(song_file), "out": str(tmp_path / "dance.npz")}
    for number, (change, words) in enumerate(
        (
            ({"look": "opera"}, "unknown look 'opera'"),
            ({"out_light": "/no/where/SHOW.json"}, "no folder"),
            ({"motion": "a.bvh"}, "only its light is made"),
        )
    ):
        warm.send({**asked, **change, "id": number})
        event = warm.until(type="failed", id=number)
        assert event["kind"] == "input" and words in event["message"]
    warm.send({**asked, "id": "cancelled", "steps": 1000, "out_light": str(tmp_path / "SHOW.json")})
    warm.until(type="progress", id="cancelled", stage="Dancing")
    warm.send({"op": "cancel", "id": "cancelled"})
    warm.until(type="cancelled", id="cancelled")
    assert os.listdir(tmp_path) == []
