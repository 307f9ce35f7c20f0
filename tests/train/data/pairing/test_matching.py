"""Which music suits a motion: agreement of beats, tempo, phase and energy; and which part of a capture is paired."""

import numpy as np
import pytest
import torch

from core.motion.resample import resample
from train.data import synthetic
from train.data.dataset import SongRecord
from train.data.pairing import matching
from train.data.rates import MEL_FPS, MOTION_FPS


def test_agreement_is_one_on_beats_and_zero_for_chance():
    beats = np.arange(0, 60, 0.6)
    on = beats[3:80:2]
    assert matching.agreement(on, np.ones(len(on)), beats, np.zeros(1))[0] > 0.95
    anywhere = np.random.default_rng(0).uniform(0, 50, 4000)
    assert abs(matching.agreement(anywhere, np.ones(4000), beats, np.zeros(1))[0]) < 0.03


def test_tempo_and_phase_of_a_regular_motion_are_found():
    motion = resample(synthetic.swing(97, 600, 0.0, 0.8), MOTION_FPS)
    body = matching.body_of(motion)
    bpm, start = matching.tempo_candidates(body, (94.0, 118.0))[0]
    assert bpm == pytest.approx(97, abs=1.0)
    to_beat = (body.kinematic_beats + start) * bpm / 60
    assert np.abs(to_beat - to_beat.round()).max() < 0.2


def test_sliding_correlation_against_numpy():
    draw = np.random.default_rng(0)
    short, long = draw.normal(size=20), draw.normal(size=100)
    wanted = [np.corrcoef(short, long[i : i + 20])[0, 1] for i in range(81)]
    assert np.allclose(matching.sliding_correlation(short, long), wanted)


def test_stillness_at_the_ends_is_cut_off():
    dance = synthetic.swing(100, 300, 0.0, 0.8)
    still = dance.cut(0, 1)
    waited = type(dance)(
        torch.cat((still.rotations.expand(90, -1, -1), dance.rotations)),
        torch.cat((still.root.expand(90, -1), dance.root)),
        dance.fps,
    )
    cut = matching.without_still_ends(waited)
    assert 300 <= cut.frames <= 300 + 16


def test_a_motion_is_cut_where_it_breaks():
    whole = synthetic.swing(100, 300, 0.0, 0.8)
    root = whole.root.clone()
    root[90:95, 0] += 1.0  # the body stands a metre aside for five frames
    kept = matching.unbroken(type(whole)(whole.rotations, root, whole.fps))
    assert 190 <= kept.frames <= 205
    assert torch.equal(kept.root, root[300 - kept.frames :])
    assert matching.unbroken(whole).frames == 300


def test_what_is_within_a_fifth_of_a_second_of_a_break_is_left_out_too():
    whole = synthetic.swing(100, 300, 0.0, 0.8)
    whole.root[200:, 0] += 1.0  # the body stands a metre aside from then on
    assert matching.unbroken_range(whole) == (0, pytest.approx(200 - 0.2 * MOTION_FPS, abs=3))
    whole.root[:200, 0] += 1.0
    whole.root[:100, 0] -= 1.0
    assert matching.unbroken_range(whole) == (pytest.approx(100 + 0.2 * MOTION_FPS, abs=3), 300)


def test_a_song_is_paired_where_its_beats_are_steady():
    """The second half of the song has a beat that limps as the dance does, and is not taken all the same."""
    steady, limping = np.arange(0.0, 30.0, 0.6), 30.0 + np.cumsum(np.tile((0.45, 0.75), 30)) - 0.45
    beats = torch.from_numpy(np.concatenate((steady, limping))).float()
    frames = round(66 * MEL_FPS)
    song = SongRecord(
        id="song",
        path="",
        exact=False,
        tempo=100.0,
        mel=torch.zeros(frames, 4),
        onset=torch.zeros(frames),
        loudness=torch.zeros(frames),
        beats=beats,
        downbeats=torch.zeros(len(beats), dtype=torch.bool),
    )
    motion = synthetic.swing(100, round(8 * MOTION_FPS), 0.0, 0.8)
    hits = np.cumsum(np.tile((0.45, 0.75), 6))
    body = matching.Body(motion, hits, np.ones(len(hits)), np.zeros(32), 0.0)
    found = matching.song_section(body, (94.0, 118.0), [song], {"song": 0.0}, np.random.default_rng(0))
    assert found is not None and np.ptp(np.diff(found.beats)) < 0.01


def test_a_capture_that_is_danced_throughout_keeps_its_last_frame():
    dance = synthetic.swing(100, 300, 0.0, 0.8)
    assert matching.without_still_ends(dance).frames == 300
