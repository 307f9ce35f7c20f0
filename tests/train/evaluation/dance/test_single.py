"""One dance and its song."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.audio import io
from core.errors import FootlightError
from core.formats import bvh
from core.metrics import beat, physics
from core.motion import features, kinematics
from core.rhythm.features import analyse
from tests.train.evaluation.material import song, swaying
from train import evaluate
from train.evaluation.dance import measures


def test_one_pair_is_the_metrics_called_by_hand(tmp_path, capsys):
    motion, music = swaying(100, 12.0), song(100, 20.0)
    bvh.write(tmp_path / "dance.bvh", motion, fps=30.0)
    io.write(tmp_path / "song.wav", music)
    args = evaluate.Evaluate(
        motion=tmp_path / "dance.bvh", music=tmp_path / "song.wav", at=2.0, json=tmp_path / "scores.json"
    )
    evaluate.main(args)
    found = json.loads((tmp_path / "scores.json").read_text())
    danced = bvh.read_motion(tmp_path / "dance.bvh")
    heard = analyse(io.read(tmp_path / "song.wav")).beats.shifted(2.0)
    by_hand = beat.evaluate(kinematics.forward(danced.rotations, danced.root), 30.0, heard)
    for name in ("bas_aist", "bas_bailando", "bas_theatre", "f_hits_70ms", "f_hits_100ms"):
        assert found["beats"][name] == pytest.approx(by_hand[name])
    later = beat.music_onsets(io.read(tmp_path / "song.wav", start=2.0))
    onsets = measures.beat_measures(danced, heard, later)["f_music_onsets_70ms"]
    assert found["beats"]["f_music_onsets_70ms"]["value"] == pytest.approx(onsets["value"], abs=0.08)
    assert found["physics"]["jerk"] == pytest.approx(physics.evaluate(danced)["jerk"])
    shown = capsys.readouterr().out
    assert "chance" in shown and "foot skating" in shown and "bas_aist" in shown
    with pytest.raises(FootlightError, match="--music"):
        evaluate.main(evaluate.Evaluate(motion=args.motion))
    with pytest.raises(FootlightError, match="starts at"):
        evaluate.main(replace(args, at=60.0))


def test_one_pair_of_a_flat_body_has_no_physics(tmp_path, capsys):
    motion = swaying(100, 12.0)
    flat = features.encode(motion, "openpose14-2d").unflatten(-1, (14, 2))
    np.savez(tmp_path / "film.npz", positions=flat.numpy(), fps=motion.fps)
    io.write(tmp_path / "song.wav", song(100, 20.0))
    args = evaluate.Evaluate(motion=tmp_path / "film.npz", music=tmp_path / "song.wav", json=tmp_path / "scores.json")
    evaluate.main(args)
    found = json.loads((tmp_path / "scores.json").read_text())
    assert "physics" not in found and found["seconds"] == pytest.approx(12, abs=0.1)
    assert "bas_aist" in capsys.readouterr().out
