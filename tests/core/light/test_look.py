import json

import pytest

from core.errors import FootlightError
from core.light.look import encoded_look, look_from_json, read_look, shipped_looks

LOOKS = shipped_looks()


def test_ten_looks_ship_and_are_named_like_their_files():
    assert set(LOOKS) == {
        "arena", "ballad", "cabaret", "dawn", "disco", "dream", "musical", "neon", "noir", "storm",
    }  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_comes_back_from_its_file(name, tmp_path):
    path = tmp_path / "look.json"
    path.write_bytes(encoded_look(LOOKS[name]))
    assert read_look(path) == LOOKS[name]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="footlight-look 9"), "expected 'footlight-look 1'"),
        (lambda d: d.pop("levels"), "'levels' is missing"),
        (lambda d: d.update(fog=1), "unknown field 'fog'"),
        (lambda d: d["behaviours"].update(laser={}), "look.behaviours: unknown field 'laser'"),
        (lambda d: d["behaviours"]["pulse"].update(depth="deep"), "look.behaviours.pulse.depth: expected float"),
        (lambda d: d["behaviours"]["pulse"].update(depth=2.0), "depth is 2; expected 0 to 1"),
        (lambda d: d["behaviours"]["pulse"].update(roles=["floor"]), "unknown role 'floor': choose from front"),
        (lambda d: d["behaviours"]["bloom"].update(strobe=9.0), "strobe is 9; expected 0 to 2.5"),
        (lambda d: d["behaviours"]["chase"].update(beats=0.0), "beats is 0; expected 0.25 to 64"),
        (lambda d: d["palette"].clear(), "palette has 0 colours; expected 2 to 8"),
        (lambda d: d["palette"][0].update(hue=float("nan")), "hue is nan; expected 0 to 360"),
        (lambda d: d["levels"].pop("top"), "levels lacks the role 'top'"),
        (lambda d: d["levels"].update(top=1.5), "levels.top is 1.5"),
        (lambda d: d["costume"].update(pattern="tartan"), "unknown pattern 'tartan': choose one of plain"),
        (lambda d: d.update(name=" "), "name is empty"),
    ],
)
def test_a_mistake_in_a_look_is_named(change, message):
    values = json.loads(encoded_look(LOOKS["arena"]))
    change(values)
    with pytest.raises(FootlightError, match=message) as caught:
        look_from_json(values, "mine.json")
    assert str(caught.value).startswith("mine.json: ")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"3"])
def test_what_is_no_look_is_refused(content, tmp_path):
    path = tmp_path / "look.json"
    path.write_bytes(content)
    with pytest.raises(FootlightError, match=r"look\.json: "):
        read_look(path)
    with pytest.raises(FootlightError, match="cannot be read"):
        read_look(tmp_path / "none.json")


def test_a_file_that_is_too_large_for_a_look_is_not_read(tmp_path):
    path = tmp_path / "look.json"
    path.write_bytes(b" " * (2 << 20))
    with pytest.raises(FootlightError, match=r"look\.json: has 2 MB, which no look has; give a LOOK\.json"):
        read_look(path)
