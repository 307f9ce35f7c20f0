"""The benchmark of repeated moves: figures of capture whose moves are known, and its table."""

import json

import pytest
import soundfile
import torch

from core.errors import FootlightError
from core.formats import bvh
from core.motion import rotation
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.pipeline import Model
from core.types import Motion
from train.bench import eights
from train.demo.song import compose
from train.evaluation.dance.material import song_excerpts

FPS, TEMPO = 30.0, 120.0


def moving(beats: int, period: int) -> Motion:
    """A body whose arms swing otherwise in each of so many beats, and the same again after ``period`` beats."""
    draw = torch.Generator().manual_seed(0)
    frames, names = round(beats * 60 / TEMPO * FPS), ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow")
    beat = torch.arange(frames) / FPS * TEMPO / 60
    size = torch.randn(period, len(names), 3, generator=draw)[beat.long() % period] * 0.4
    turns = torch.zeros(frames, 22, 3)
    turns[:, [SMPL22.index(name) for name in names]] = torch.sin(2 * torch.pi * beat)[:, None, None] * size
    return Motion(rotation.from_axis_angle(turns), torch.tensor([0.0, REST_HEIGHT, 0.0]).expand(frames, 3).clone(), FPS)


@pytest.fixture
def source(tmp_path):
    """A song, and three takes whose beats are known: two long ones, and one that is too short."""
    song = compose(seconds=20.0)
    soundfile.write(tmp_path / "song.wav", song.samples, song.rate)
    entries = [{"kind": "audio", "split": "val", "path": "song.wav", "seconds": 20.0}]
    for name, beats, period in (("fours", 24, 4), ("eights", 24, 8), ("short", 8, 4)):
        bvh.write(tmp_path / f"{name}.bvh", moving(beats, period))
        known = {"genre": "House", "split": "train", "bpm": TEMPO, "beats_from_zero": True, "up": "Y"}
        entries.append({"kind": "motion", "path": f"{name}.bvh"} | known)
    (tmp_path / "index.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return tmp_path


def test_capture_is_as_alike_as_its_moves_come_again(source):
    fours, eight, short = eights.captured(source)
    assert fours["style"] == "house" and fours["after_4"] > 0.95 and fours["after_8"] > 0.95
    assert eight["after_8"] > 0.95 > 0.5 > eight["after_4"]
    assert fours["repetition"] > 0.95 and eight["repetition"] > 0.95
    assert short.keys() == {"kind", "style", "name"}


def test_capture_to_unknown_music_is_judged_without_beats(source):
    lines = [json.loads(line) for line in (source / "index.jsonl").read_text().splitlines()]
    (source / "index.jsonl").write_text("".join(json.dumps({**line, "bpm": None}) + "\n" for line in lines))
    rows = eights.captured(source)
    assert rows[0]["repetition"] > 0.95 and not any("after_8" in row for row in rows)


def test_a_folder_without_capture_is_refused(source):
    (source / "index.jsonl").write_text((source / "index.jsonl").read_text().splitlines()[0] + "\n")
    with pytest.raises(FootlightError, match="no capture of dance"):
        eights.captured(source)


def test_dances_repeat_their_moves_and_the_table_says_so(source, model_folder):
    asked = eights.Bench(source, str(model_folder), seconds=20.0, moves=("AAAA",), device="cpu")
    rows = eights.danced(asked, Model.load(model_folder, "cpu"), ["salsa"])
    assert {row["kind"] for row in rows} == {"dances", "AAAA", "free form"}
    assert {row["name"] for row in rows} == {excerpt.name for excerpt in song_excerpts(source, 0.0, 20.0)}
    repeated, always, new = (
        [row["after_8"] for row in rows if row["kind"] == kind] for kind in ("dances", "AAAA", "free form")
    )
    assert sum(always) > sum(new) and sum(repeated) > sum(new)
    said = eights.table([{**row, "style": "house"} for row in rows] + eights.captured(source))
    assert f"{repeated[0]:.2f}" in said and "after 8, capture: " in said and "repetition, AAAA: " in said
