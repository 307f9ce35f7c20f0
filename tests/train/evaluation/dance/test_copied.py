"""How near dances come to capture in each style, of motions whose distance is known."""

import pytest
import torch

from core.motion import rotation
from core.types import Motion
from train.evaluation.dance import copied

FPS = 30.0


def lying(height: float, seconds: float = 4.0) -> Motion:
    """A rigid body that stays at a height: two of them are as far apart as their heights, at all joints."""
    frames = round(seconds * FPS)
    root = torch.tensor([0.0, height, 0.0]).expand(frames, 3)
    return Motion(rotation.identity(frames, 22), root, FPS)


def test_each_style_has_the_distances_of_its_own_motions():
    training = [lying(1.0), lying(2.0)]
    motions = {"low": [lying(1.1), lying(1.1)], "high": [lying(2.3)], "none": [], "short": [lying(1.0, seconds=1.0)]}
    found = copied.by_style(motions, training)
    assert {style: values["windows"] for style, values in found.items()} == {"low": 6, "high": 3}
    for style, far in (("low", 0.1), ("high", 0.3)):
        assert found[style]["median"] == found[style]["p5"] == pytest.approx(far, abs=1e-4)
    assert copied.by_style({"short": motions["short"]}, training) == {}


def test_a_table_has_the_styles_that_all_have_and_their_mean():
    ours = {"a": {"median": 0.10, "p5": 0.05}, "b": {"median": 0.20, "p5": 0.1}, "c": {"median": 0.9, "p5": 0.9}}
    real = {"a": {"median": 0.12, "p5": 0.06}, "b": {"median": 0.14, "p5": 0.1}}
    report = {"systems": {"ours": {"copied": ours}, "other": {}}, "capture": {"sets": {}, "copied": real}}
    (table,) = copied.tables(report)
    assert table.headers == ("style", "ours", copied.CAPTURE)
    assert table.rows == (
        ("a", "10.0 (5.0)", "12.0 (6.0)"),
        ("b", "20.0 (10.0)", "14.0 (10.0)"),
        ("mean", "15.0 (7.5)", "13.0 (8.0)"),
    )
    assert copied.tables({"systems": {"other": {}}, "capture": {"sets": {}, "copied": real}}) == []
