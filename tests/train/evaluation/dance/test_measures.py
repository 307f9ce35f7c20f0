"""The measures of a dance, and those of a genre."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.formats.motion import MotionClip
from core.metrics import physics
from core.motion import kinematics
from core.types import Beats
from tests.train.evaluation.material import swaying
from train.data.rates import MOTION_FPS
from train.evaluation.dance import genres, measures
from train.evaluation.dance.material import Capture


def test_flat_positions_are_scored_as_far_as_they_can_be():
    motion, music = swaying(100, 12.0), Beats(torch.arange(1, 20) * 0.6)
    solid = measures.evaluate(motion, music)
    side = kinematics.forward(motion.rotations, motion.root)
    side[..., 2] = 0
    drawn = measures.evaluate(MotionClip(side[..., :2], MOTION_FPS), music)
    assert "physics" in solid and "physics" not in drawn
    whole = measures.evaluate(MotionClip(side, MOTION_FPS), music)
    for name in ("bas_aist", "bas_bailando", "bas_hits", "f_hits_70ms", "momu_hits"):
        assert drawn["beats"][name] == pytest.approx(whole["beats"][name])
    assert measures.flat({"a": {"b": 1.0}, "c": 2.0}) == {"a.b": 1.0, "c": 2.0}


def test_a_genres_reference_knows_its_spread():
    fast, slow = (replace(swaying(bpm, 20.0), contacts=None) for bpm in (150, 75))
    found = genres.reference([Capture("fast", "swing", "val", fast), Capture("slow", "swing", "train", slow)])
    each = [physics.evaluate(motion)["speed"] for motion in (fast, slow)]
    assert found["mean"]["speed"] == pytest.approx(np.mean(each), rel=1e-6)
    assert found["windows"] == 4 and found["seconds"] == pytest.approx(40, abs=0.1)
    assert min(each) * 0.8 < found["low"]["speed"] < found["mean"]["speed"] < found["high"]["speed"] < max(each) * 1.2
    assert genres.ratios(found["mean"], found)["speed"] == pytest.approx(1)
