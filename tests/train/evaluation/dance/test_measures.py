"""The measures of a dance, and those of a genre."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.formats.motion import MotionClip
from core.metrics import physics
from core.motion import kinematics, rotation
from core.motion.skeleton import REST_HEIGHT
from core.rhythm.features import Rhythm
from core.types import Beats, Motion, Waveform
from tests.train.evaluation.material import swaying
from train.data import synthetic
from train.data.rates import MOTION_FPS
from train.evaluation.dance import footwork, genres, measures
from train.evaluation.dance.material import Capture, Excerpt


def test_flat_positions_are_scored_as_far_as_they_can_be():
    motion, music = swaying(100, 12.0), Beats(torch.arange(1, 20) * 0.6)
    solid = measures.evaluate(motion, music)
    side = kinematics.forward(motion.rotations, motion.root)
    side[..., 2] = 0
    drawn = measures.evaluate(MotionClip(side[..., :2], MOTION_FPS), music)
    for bodily in ("physics", "footwork"):
        assert bodily in solid and bodily not in drawn
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


def test_a_style_is_judged_on_songs_as_fast_as_its_own():
    motion = swaying(100, 2.0)
    clips = [Capture("a", "house", "train", motion, 110), Capture("b", "house", "val", motion, 140)]
    clips.append(Capture("c", "salsa", "train", motion))
    tempi = (90.0, 0.0, 130.0, 120.0, 62.0)
    silence, flat = Waveform(torch.zeros(1, 9), 9), torch.zeros(9)
    songs = [Excerpt(f"{bpm:g}", silence, Rhythm(Beats(torch.ones(1), bpm), flat, flat)) for bpm in tempi]
    assert [song.name for song in genres.songs_of("house", songs, clips, 3)] == ["120", "130", "90"]
    assert genres.songs_of("salsa", songs, clips, 2) == songs[:2]


def test_footwork_is_weighted_by_seconds_and_knows_no_frozen_feet_in_the_air():
    frames = round(20 * MOTION_FPS)
    root = torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(frames, 1)
    standing = Motion(rotation.identity(frames, 22), root, MOTION_FPS)
    high = replace(standing.cut(0, frames // 2), root=root[: frames // 2] + torch.tensor([0.0, 1.0, 0.0]))
    walking = replace(standing, root=root + torch.arange(frames)[:, None] / MOTION_FPS * torch.tensor([0.6, 0, 0]))
    assert "frozen" not in measures.footwork_of(high)
    found = genres.of_motions([standing, high])["footwork"]
    assert found["frozen"] == found["still"] == 1
    mean = genres.of_motions([walking, high])["footwork"]["travel"]
    assert mean == pytest.approx(2 / 3 * 0.6, rel=1e-2)
    capture = {"all": {"footwork": found}, "val": None, "genres": {"swing": {"all": {"footwork": found, "mean": {}}}}}
    systems = {"ours": {"footwork": found, "genres": {"swing": {"footwork": {"still": 0.5}}}}}
    whole, by_genre = footwork.footwork_tables({"capture": capture, "systems": systems})
    assert whole.rows[0][:3] == ("ours", "0.00", "1.00 (1.00 x)")
    assert by_genre.rows[0][2] == "0.50 (0.50 x)" and by_genre.rows[1][0].strip() == "motion capture"


@pytest.mark.parametrize(("seconds", "pieces"), [(3.0, [3]), (13.0, [10]), (14.5, [10, 4.5]), (20.0, [10, 10])])
def test_windows_are_ten_seconds_long_and_a_short_rest_does_not_count(seconds, pieces):
    found = genres.windows(swaying(100, seconds))
    assert [window.seconds for window in found] == pytest.approx(pieces, abs=0.05)


def test_the_phase_of_a_body_that_rests_on_beats_is_half_a_turn():
    """Its speed is |sin| of the beat's phase. The first harmonic of that has its trough on the beat, to a hundredth."""
    motion = synthetic.swing(100, round(20 * MOTION_FPS), 0.0, 0.4)
    beats = Beats(torch.arange(0, 20, 0.6))
    curve = np.array(measures.phase([measures.Clip("ours", "song", 0, beats, motion)]))
    turned = np.angle(np.sum(curve * np.exp(2j * np.pi * (np.arange(40) / 40 - 0.5)))) / (2 * np.pi)
    assert abs(abs(turned) - 0.5) < 0.01, "half a frame would be 0.027"
    assert curve.argmin() == 20 and curve.mean() == pytest.approx(1.0, abs=0.02)
    still = measures.Clip("ours", "song", 0, Beats(torch.arange(3.0)), motion)
    assert measures.phase([still]) is None
