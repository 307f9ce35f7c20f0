"""Whether styles are told apart, with a classifier whose verdicts are known: fast bodies run, slow ones walk."""

import pytest
import torch
from torch import nn

from core.metrics.classifier import Classifier
from core.motion import rotation
from core.motion.skeleton import REST_HEIGHT
from core.types import Motion
from train.evaluation.dance import told
from train.evaluation.dance.material import Capture

FPS = 30.0


class BySpeed(nn.Module):
    """Logits for ("walk", "run", "fly") of features whose last channels but one are the pelvis' velocity."""

    def forward(self, x):
        speed = x[..., -4:-1].norm(dim=-1).mean(dim=1)
        return torch.stack((1 - speed, speed - 1, torch.full_like(speed, -9.0)), dim=1)


CLASSIFIER = Classifier(BySpeed(), ("walk", "run", "fly"), 1.0, {"walk": 1.0, "run": 1.0}, {"walk": 2, "run": 1}, 1.0)


def going(*speeds: float, seconds: float = 16.0) -> Motion:
    """A body that goes with each speed for ``seconds``."""
    speed = torch.tensor(speeds).repeat_interleave(round(seconds * FPS))
    x = speed.cumsum(0) / FPS
    root = torch.stack((x, torch.full_like(x, REST_HEIGHT), torch.zeros_like(x)), dim=1)
    return Motion(rotation.identity(len(x), 22), root, FPS)


def test_each_motion_counts_once_and_by_its_windows():
    """Of 32 s, half of the windows are slow, give or take the one across. Three seconds hold no window."""
    shares = CLASSIFIER.taken_for([going(0.5), going(2.0, seconds=3.0), going(2.0), going(0.5, 2.0)])
    assert shares.shape == (3, 3) and shares.sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert shares[:2].tolist() == [[1, 0, 0], [0, 1, 0]]
    assert shares[2, 0] == pytest.approx(0.5, abs=0.04)
    assert CLASSIFIER.taken_for([]).shape == (0, 3)


def test_recall_is_the_mean_over_motions():
    found = told.told([going(0.5), going(2.0), going(2.0), going(2.0, seconds=60.0)], "walk", CLASSIFIER)
    assert found is not None and found["recall"]["mean"] == pytest.approx(0.25) and found["recall"]["units"] == 4
    assert found["recall"]["low"] == 0 and found["taken_for"] == {"walk": 0.25, "run": 0.75}
    assert told.told([going(0.5)], "swim", CLASSIFIER) is None
    assert told.told([going(0.5, seconds=3.0)], "walk", CLASSIFIER) is None


def test_systems_stand_beside_capture_and_chance():
    clips = [Capture("a", "walk", "val", going(0.5)), Capture("b", "walk", "val", going(2.0))]
    clips.append(Capture("c", "fly", "val", going(2.0)))  # no system dances it, so that no mean counts it
    known = told.capture(clips, CLASSIFIER)
    assert known["classes"] == 3 and list(known["told"]) == ["fly", "walk"]
    new = {style: {"told": told.told([going(speed)], style, CLASSIFIER)} for style, speed in (("walk", 2), ("run", 2))}
    old = {"walk": {"told": told.told([going(0.5)], "walk", CLASSIFIER)}, "swim": {"told": None}}
    report = {"capture": known, "systems": {"new": {"genres": new}, "old": {"genres": old}, "real": {}}}
    recalls, taken = told.tables(report)
    assert recalls.headers == ("style", "new", "old", "motion capture, val", "takes")
    assert recalls.rows == (
        ("run", "1.00", "–", "no takes", "0"),
        ("walk", "0.00", "1.00", "0.50 [0.00, 1.00]", "2"),
        ("mean", "0.50 of 2", "1.00 of 1", "0.50 of 1", ""),
        ("chance", "0.33", "0.33", "0.33", ""),
    )
    assert taken.rows[1] == ("walk", "run 1.00", "walk 1.00", "walk 0.50, run 0.50")
    assert told.tables({"capture": {}, "systems": {"real": {}}}) == [] and told.capture(clips, None) == {}
