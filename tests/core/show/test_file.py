import json

import numpy as np
import pytest

from core.errors import FootlightError
from core.show import file
from core.show.show import Cue, Show, rounded
from tests.core.show.shows import random_show, show_with


@pytest.fixture
def show() -> Show:
    made = random_show(3)
    cues = (Cue(0.0, "section", "the song begins"), Cue(4.25, "blackout", "the music stops"))
    return Show(rounded(made.values), made.fps, "noir", (0.5, 1.0), (0.0, 4.25), cues)


def test_a_show_comes_back_from_its_file(show, tmp_path):
    path = tmp_path / "SHOW.json"
    path.write_bytes(file.encoded(show, engine="test"))
    back = file.read(path)
    np.testing.assert_array_equal(back.values, show.values)
    assert (back.fps, back.look, back.beats, back.sections, back.cues) == (
        show.fps, show.look, show.beats, show.sections, show.cues,
    )  # fmt: skip
    assert file.encoded(back, engine="test") == path.read_bytes()


def test_the_file_is_written_for_people():
    document = json.loads(file.encoded(show_with(3, front_level=[0, 0.5, 1], front_hue=[[0, 1]] * 3), engine="x"))
    assert document["format"] == "footlight-show 1" and document["frames"] == 3 and document["engine"] == "x"
    assert document["channels"]["front_level"] == [0, 0.5, 1]
    assert document["channels"]["front_hue"] == 90  # degrees; a single number where nothing changes
    assert document["channels"]["costume_pattern"] == [1, 0, 0, 0]


def changed(show: Show, change) -> dict:
    document = json.loads(file.encoded(show))
    change(document)
    return document


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="footlight-show 9"), "not a show of this version"),
        (lambda d: d.pop("cues"), "'cues' is missing"),
        (lambda d: d["channels"].pop("move"), "'move' is missing"),
        (lambda d: d["channels"].update(fog=1), "'fog' is unknown"),
        (lambda d: d["channels"].update(move=[1, 2]), "'move' needs a number for each of 80 frames"),
        (lambda d: d["channels"].update(move="fast"), "'move' needs"),
        (lambda d: d["channels"].update(move=float("nan")), "'move' needs"),
        (lambda d: d["channels"].update(move=9), "move is 9 in frame 0; expected 0 to 2"),
        (lambda d: d["channels"].update(costume_pattern=[1, 0]), "a list of 4 numbers"),
        (lambda d: d.update(channels=[]), "channels: expected an object"),
        (lambda d: d.update(frames=0), "frames is 0"),
        (lambda d: d.update(frames=10**12), "frames is"),
        (lambda d: d.update(frames=True), "frames is True"),
        (lambda d: d.update(fps="15"), "fps: expected a number"),
        (lambda d: d.update(fps=0), "expected a positive number"),
        (lambda d: d.update(beats=3), "beats: expected a list"),
        (lambda d: d.update(beats=["a"]), r"beats\[0\]: expected a number"),
        (lambda d: d.update(cues=[{"seconds": 1.0}]), r"cues\[0\]: the field 'name' is missing"),
        (lambda d: d.update(look=None), "look must be a string"),
    ],
)
def test_a_wrong_file_is_refused_by_name(show, change, message):
    with pytest.raises(FootlightError, match=message) as caught:
        file.decoded(changed(show, change), "some.json")
    assert str(caught.value).startswith("some.json: ")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[]", b"3"])
def test_what_is_no_show_is_refused(content, tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(FootlightError, match=r"x\.json: is "):
        file.read(path)
    with pytest.raises(FootlightError, match="cannot be read"):
        file.read(tmp_path / "none.json")


def test_fields_of_later_versions_are_ignored(show):
    assert file.decoded(changed(show, lambda d: d.update(laser=[1])), "x").frames == show.frames
