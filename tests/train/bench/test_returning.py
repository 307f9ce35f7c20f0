"""The benchmark of moves that return: distances of a dance whose moves are known, and its table."""

import json

import numpy as np
import pytest
import soundfile
import torch

from core.motion import rotation
from core.motion.skeleton import SMPL22
from core.types import Motion
from train.bench import returning
from train.demo.song import compose

RATE = 15.0


def turning(angles: torch.Tensor) -> Motion:
    """A body that bends one arm and turns about itself, at 30 frames a second."""
    turns = torch.zeros(len(angles), 22, 3)
    turns[:, SMPL22.index("left_elbow"), 2] = angles
    turns[:, 0, 1] = torch.linspace(0, 3, len(angles))
    return Motion(rotation.from_axis_angle(turns), torch.zeros(len(angles), 3), 30.0)


def test_poses_that_return_are_near_wherever_the_dancer_faces():
    """The last 2 s repeat the first 2 s of six: the arm bends from 0 to 1, then not at all, then from 0 to 1 again."""
    bend = torch.linspace(0, 1, 60)
    first = torch.cat((torch.arange(60), torch.arange(30)))
    near, elsewhere = returning.distances(turning(torch.cat((bend, torch.zeros(60), bend))), first, RATE)
    assert near < 1e-4 and elsewhere > 0.2
    near, _ = returning.distances(turning(torch.cat((bend, torch.zeros(60), bend + 0.5))), first, RATE)
    hand = np.linalg.norm(SMPL22.offsets[SMPL22.index("left_wrist")])
    assert near == pytest.approx(100 * hand * 2 * np.sin(0.25) / 22, rel=1e-3)


def test_the_table_has_every_song_in_which_something_comes_again(model_folder, tmp_path, capsys):
    lines = []
    for name, seconds in (("long", 60.0), ("short", 20.0)):
        song = compose(seconds=seconds)
        soundfile.write(tmp_path / f"{name}.wav", song.samples, song.rate)
        lines.append({"kind": "audio", "split": "val", "path": f"{name}.wav", "seconds": seconds})
    (tmp_path / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = returning.Bench(tmp_path, str(model_folder), seeds=1, device="cpu", out=tmp_path / "rows.json")
    rows = returning.main(asked)
    assert json.loads(asked.out.read_text()) == rows and [row["song"] for row in rows] == ["long"]
    assert rows[0]["returns"] < 0.95 * rows[0]["new moves"] and 0.05 < rows[0]["share"] < 0.8
    said = capsys.readouterr().out
    assert "short: nothing comes again" in said and f"{rows[0]['returns']:12.1f}" in said
