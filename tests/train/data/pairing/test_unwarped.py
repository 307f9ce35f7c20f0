"""Motions whose beats are known, with music rendered at their tempo."""

import numpy as np
import pytest
import torch

from core.errors import FootlightError
from core.motion import rotation
from core.motion.kinematics import forward
from core.motion.skeleton import SMPL22
from core.rhythm.accents import kinematic_beats
from core.types import Beats, Waveform
from train.data import synthetic
from train.data.latents import style_of
from train.data.music import arrange
from train.data.pairing import unwarped
from train.data.rates import AUDIO_RATE, MEL_FPS, MOTION_FPS


def clicks_from_the_third_beat(bpm, seconds, draw):
    """Music that begins 0.37 s before the third beat of a bar."""
    sound = synthetic.clicks(bpm, seconds, torch.Generator().manual_seed(0))
    late = round(0.37 * AUDIO_RATE)
    sound = torch.cat((torch.zeros(late), sound[:-late]))
    times = torch.arange(0.37, seconds, 60 / bpm)
    return "clicks", Waveform(sound, AUDIO_RATE), Beats(times, bpm, (torch.arange(len(times)) + 2) % 4 == 0)


@pytest.mark.parametrize("rate", [1.0, 0.92, 1.1])
def test_the_body_rests_on_the_beats_of_its_music_at_every_tempo(rate):
    motion = synthetic.swing(100, int(9 * MOTION_FPS), 0.0, 0.8)
    found = unwarped.pair(motion, 100.0, rate, clicks_from_the_third_beat, np.random.default_rng(0))
    assert found.tempo == pytest.approx(100 * rate)
    assert found.motion.seconds == pytest.approx(9 / rate, abs=0.1)
    assert len(found.tensors["mel"]) == 2 * found.motion.frames
    beats, downbeats = found.tensors["beats"], found.tensors["downbeats"]
    bar = 240 / found.tempo
    assert torch.remainder(beats[downbeats] + bar / 2, bar).sub(bar / 2).abs().max() < 1 / MEL_FPS  # from a bar's start
    rests = kinematic_beats(forward(found.motion.rotations, found.motion.root), MOTION_FPS).times
    assert len(rests) > 10
    assert (rests[:, None] - beats).abs().min(dim=1).values.max() < 0.04
    clock = torch.arange(found.motion.frames) / MOTION_FPS
    shoulder = rotation.to_axis_angle(found.motion.rotations[:, SMPL22.index("left_shoulder")])[:, 2]
    swung = 0.8 * torch.cos(torch.pi * (clock - beats[0]) * found.tempo / 60)  # to a hundredth of a beat
    assert (shoulder.abs() - swung.abs()).abs().max() < 0.03
    onset = found.tensors["onset"]  # the clicks are heard where the beats are
    at = (beats[1:-1] * MEL_FPS).round().long()
    assert torch.stack([onset[at + shift] for shift in (-2, -1, 0, 1, 2)]).amax(dim=0).min() > 5 * onset.median()


def test_a_motion_that_breaks_off_keeps_its_beats():
    """Where the start cannot be used, the music starts as much later in its bar."""
    motion = synthetic.swing(100, int(12 * MOTION_FPS), 0.0, 0.8)
    motion.root[40] += 0.5  # a jump that no body makes
    found = unwarped.pair(motion, 100.0, 1.0, clicks_from_the_third_beat, np.random.default_rng(0))
    assert 8 < found.motion.seconds < 11
    rests = kinematic_beats(forward(found.motion.rotations, found.motion.root), MOTION_FPS).times
    assert (rests[:, None] - found.tensors["beats"]).abs().min(dim=1).values.max() < 0.04


def test_a_motion_that_is_too_short_is_refused():
    motion = synthetic.swing(100, int(2 * MOTION_FPS), 0.0, 0.8)
    with pytest.raises(FootlightError, match=r"at least 2\.5 s"):
        unwarped.pair(motion, 100.0, 1.0, clicks_from_the_third_beat, np.random.default_rng(0))


def test_drums_of_the_genre_are_preferred_where_they_fit_the_tempo(monkeypatch):
    takes = (("1_1_rock_100_beat_4-4", 100.0), ("1_2_funk_104_beat_4-4", 104.0), ("1_3_hiphop_70_beat_4-4", 70.0))
    monkeypatch.setattr(arrange, "listed", lambda data, split: ((("001", 100.0),), takes))
    chosen = {arrange.choose("", "train", 100.0, seed, unwarped.drums_for("aist lock"))[1] for seed in range(20)}
    assert chosen == {"1_2_funk_104_beat_4-4"}
    chosen = {arrange.choose("", "train", 100.0, seed, unwarped.drums_for("aist krump"))[1] for seed in range(20)}
    assert "1_1_rock_100_beat_4-4" in chosen  # the only hip-hop is far too slow


def test_genres_of_a_data_set_are_styles_by_their_own_names():
    genres = {
        "aist house": "house",
        "aist break": "breakdance",
        "aist middle hip-hop": "hip-hop",
        "aist LA-style hip-hop": "LA hip-hop",
        "aist street jazz": "street jazz",
        "modern/ballet": "modern",
        "g1 dance: jazzwalk": "freestyle",
        "Tap": "tap",
        "tap-dance": "tap-dance",
    }
    assert {genre: style_of(genre) for genre in genres} == genres


def test_a_folder_is_the_style_that_it_names_however_it_is_written():
    for style in ("hip-hop", "LA hip-hop", "street jazz", "breakdance", "ballet jazz", "salsa"):
        spelt = (style, style.title(), style.replace("-", " "), style.replace(" ", "_").upper(), style.replace("-", ""))
        assert {style_of(folder) for folder in spelt} == {style}
    assert style_of("Middle Hip Hop") == "hip-hop" and style_of("LA_Style HipHop") == "LA hip-hop"
