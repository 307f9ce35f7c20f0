"""Edits are compared on the same dance: what is kept is kept by all ways, and the table says who does what."""

import json
import math
from dataclasses import replace

import pytest
import torch

from core.edits.parts import JOINTS, joints_of, parse_parts
from core.motion import rotation
from core.pipeline import Dance, Edit, Model, hear_song
from core.rhythm.features import analyse
from core.types import Beats, Motion, Waveform
from train.evaluation.dance import edits
from train.evaluation.dance.material import Excerpt


def song(seconds: float) -> Waveform:
    """Clicks at 120 beats a minute."""
    time = torch.arange(round(seconds * 16_000)) / 16_000
    return Waveform(0.5 * torch.exp(-(2 * time % 1) * 20) * torch.sin(2000 * math.pi * time), 16_000)


def swaying(frames: int, seed: int) -> Motion:
    """Every joint swings at a rate of its own."""
    generator = torch.Generator().manual_seed(seed)
    axis, rate = torch.randn(22, 3, generator=generator), 0.5 + torch.rand(22, 1, generator=generator)
    time = torch.arange(frames)[:, None, None] / 30
    rotations = rotation.from_axis_angle(0.4 * axis * torch.sin(2 * math.pi * rate * time + seed))
    root = torch.stack((0.2 * torch.sin(time[:, 0, 0]), 0.9 + 0 * time[:, 0, 0], 0.1 * time[:, 0, 0]), -1)
    return Motion(rotations, root, 30.0, torch.ones(frames, 4))


@pytest.fixture(scope="module")
def model(model_folder):
    return Model.load(model_folder, "cpu")


def test_jerk_is_that_of_a_known_path():
    still = swaying(90, 0)
    time = torch.arange(90, dtype=torch.float64) / 30
    thrown = torch.stack((2 * time**3, 0 * time, 0 * time), -1).float()
    moved = Motion(still.rotations[:1].expand(90, -1, -1), thrown, 30.0)
    assert torch.allclose(edits.jerk(moved, [3, 20])[5:-5], torch.tensor(12.0), atol=0.5)
    peak = torch.zeros(60)
    peak[30] = 5.0
    assert edits.around(peak, 30.0).nonzero()[:, 0].tolist() == list(range(27, 34))


def test_an_edit_moves_what_hangs_on_its_joints():
    names = {kind: {JOINTS[j] for j in edits.moved_by(parse_parts(kind))} for kind in ("all", "lower", "left arm")}
    assert names["all"] == names["lower"] == set(JOINTS)
    assert names["left arm"] == {"left_shoulder", "left_elbow", "left_wrist"}


def test_a_seam_counts_what_an_edit_makes():
    """Not jolts of what is kept, in other frames or other joints."""
    still = swaying(240, 0)
    edit = Edit(still, 90, 150, parse_parts("arms"))
    calm = edits.seam(still, edit)
    for frame, joint in ((86, "left_elbow"), (100, "left_hip")):
        jolted = still.rotations.clone()
        jolted[frame, JOINTS.index(joint)] = rotation.identity()
        assert edits.seam(replace(still, rotations=jolted), edit) == calm
    jolted = still.rotations.clone()
    jolted[91, JOINTS.index("left_shoulder")] = rotation.identity()
    assert edits.seam(replace(still, rotations=jolted), edit) > 2 * calm


@pytest.mark.parametrize("way", edits.WAYS)
def test_every_way_keeps_what_is_not_made_anew(model, way):
    heard, base, other = hear_song(model, song(8.0)), swaying(240, 1), swaying(240, 2)
    edit = Edit(base, 90, 150, parse_parts("arms"))
    made, _ = edits._WAYS[way](model, heard, edit, other, None)
    keep = torch.ones(240, 22, dtype=torch.bool)
    keep[90:150, list(joints_of(edit.parts))] = False
    assert torch.equal(made.rotations[keep], base.rotations[keep]) and torch.equal(made.root, base.root)
    assert not torch.equal(made.rotations, base.rotations)
    scores = edits.scores(made, Dance(base, Beats(torch.arange(0.5, 8, 0.5)), {"beat": 0.0}), edit, 0.01)
    assert scores["kept"] == 1.0 and scores["apart"] > 0 and scores["seam"] > 0


def test_the_table_has_a_row_for_every_kind_and_way(monkeypatch, model):
    monkeypatch.setattr(edits, "SECONDS", 1.0)
    clicks = song(8.0)  # dances of this model are so jerky that a shorter one hides the cut
    found = edits.cases(model, Excerpt("clicks", clicks, analyse(clicks)), 30.0)
    table = edits.table(found, dict.fromkeys(edits.KINDS, 100.0))
    assert len(found) == len(table.rows) == len(edits.KINDS) * (len(edits.WAYS) + 1)
    assert all(len(row) == len(table.headers) for row in table.rows)
    cut = next(case for case in found if (case.kind, case.way) == ("all", "hard cut"))
    faded = next(case for case in found if (case.kind, case.way) == ("all", "cross-fade"))
    assert faded.scores["seam"] < cut.scores["seam"]
    for untouched in (case for case in found if case.way == edits.NOTHING):
        unchanged = {name: untouched.scores[name] for name in ("beat", "skating", "apart")}
        assert unchanged == {"beat": 0, "skating": 0, "apart": 0} and untouched.scores["seam"] > 0
    assert json.dumps([case.scores for case in found])
