"""The pictures of the documentation: the way of a song, and those drawn from reports that are made here."""

import json
import math
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import FootlightError
from core.formats.motion import MotionClip
from core.types import Beats
from train.evaluation.dance import measures, pictures
from train.evaluation.dance.measures import Clip
from train.tools import docs_pictures, song_to_keys

NAMES = ["evaluation-slowing.png", "evaluation-metronome.png", "evaluation-phase.png"]
SONG = "song-to-keys.png"


def report(folder, name, top=0.7, sweep=True, phase=True):
    """A report of a model and, if wanted, slowing whose metrics climb from 0 to ``top``."""

    def system(mean):
        interval = {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "units": 9}
        curve = [1 - 0.3 * math.cos(2 * math.pi * i / 40) for i in range(40)]
        return {"intervals": dict.fromkeys(pictures.SWEPT, interval), "phase": curve if phase else None}

    amounts = {f"slowing amount {amount}": amount for amount in (0.0, 0.3, 0.6)} if sweep else {}
    made = {
        "compared_with": "default",
        "systems": {"default": system(0.5), **{n: system(top * amount / 0.6) for n, amount in amounts.items()}},
        "sweeps": [{"system": n, "option": "amount", "value": amount} for n, amount in amounts.items()],
    }
    path = folder / name
    path.write_text(json.dumps(made))
    return path


def drawn(folder, *reports):
    docs_pictures.main(docs_pictures.DocsPictures(reports, folder))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_every_picture_is_drawn_from_the_report_that_holds_it(tmp_path):
    swept = report(tmp_path, "swept.json", phase=False)
    plain = report(tmp_path, "plain.json", sweep=False)
    first = drawn(tmp_path / "first", plain, swept)
    assert set(first) == {SONG, *NAMES}
    for name, data in first.items():
        pixels = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
        assert min(pixels.shape[:2]) > 150 and len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20, name
    assert drawn(tmp_path / "again", swept, plain) == first
    other = drawn(tmp_path / "other", report(tmp_path, "other.json", top=0.9))
    assert [name for name in NAMES if other[name] != first[name]] == ["evaluation-slowing.png"]


def test_what_no_report_holds_stays_as_it_is(tmp_path, capsys):
    out = tmp_path / "images"
    out.mkdir()
    (out / NAMES[0]).write_bytes(b"the one from before")
    found = drawn(out, report(tmp_path, "a.json", sweep=False, phase=False))
    assert set(found) == {SONG, *NAMES[:2]} and found[NAMES[0]] == b"the one from before"
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 6 and sum("stays as it is" in line for line in said) == 4


def test_ablations_and_the_switch_are_drawn_where_a_report_has_them(tmp_path):
    path = report(tmp_path, "a.json", sweep=False, phase=False)
    made = json.loads(path.read_text())
    intervals = {name: {"mean": 0.4, "low": 0.3, "high": 0.5, "units": 9} for name in pictures.COMPARED}
    made["systems"] |= {"default": {"intervals": intervals}, "edge": {"intervals": intervals}}
    made["capture"] = {"val": {"mean": {"foot_skating": 0.1, "pfc": 0.2}}}
    row = {"intervals": {}, "beats": {"f_hits": {"calibrated": 0.5}}}
    rows = [{**row, "system": f"default switch {value}", "switch": value} for value in (0.0, 0.5, 0.9)]
    made["music"] = {"switch": {"rows": rows, "best": 0.5}}
    path.write_text(json.dumps(made))
    names = set(drawn(tmp_path / "out", path))
    assert names == {SONG, "evaluation-metronome.png", "evaluation-ablations.png", "evaluation-switch.png"}


def test_the_way_of_a_song_needs_no_report_and_names_files_that_exist(tmp_path):
    assert set(drawn(tmp_path)) == {SONG, "evaluation-metronome.png"}
    root = Path(song_to_keys.__file__).parents[2]
    for step in song_to_keys.STEPS.values():
        first, *others = step.file.split(", ")
        path = root / first if first.startswith("blender_addon/") else root / "core" / first
        assert path.is_file() and all(path.with_name(name).is_file() for name in others), step.file
    linked = {end for arrow in song_to_keys.ARROWS for end in arrow}
    assert linked == set(song_to_keys.STEPS)


@pytest.mark.parametrize("text", [None, "{", "[]", "{}"])
def test_what_is_no_report_is_refused(tmp_path, text):
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FootlightError, match=r"report\.json") as error:
        drawn(tmp_path, path)
    assert "\n" not in str(error.value)


def test_the_speed_through_the_beat_is_that_of_the_body():
    """A body whose speed is 1 - cos / 2 of the beat's phase, at 96 and 130 beats a minute."""
    clips = []
    for bpm in (96, 130):
        clock = torch.arange(900, dtype=torch.float64) / 30
        turn = 2 * math.pi * bpm / 60
        along = clock - 0.5 * torch.sin(turn * clock) / turn
        positions = torch.stack((along, torch.zeros_like(along), torch.zeros_like(along)), dim=-1)[:, None]
        clips.append(Clip("a", "song", 0, Beats(torch.arange(0, 30, 60 / bpm)), MotionClip(positions, 30.0)))
    curve = measures.phase(clips, bins=40)
    phase = np.arange(40) / 40 - 0.5
    np.testing.assert_allclose(curve, 1 - 0.5 * np.cos(2 * np.pi * phase), atol=0.03)
    few = Clip("a", "song", 0, Beats(torch.tensor([1.0, 2.0, 3.0])), clips[0].made)
    assert measures.phase([few]) is None
