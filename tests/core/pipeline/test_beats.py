"""Beats that the user gives, in place of those that would be tracked."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import torch

from core import cli, pipeline
from core.audio import io
from core.errors import FootlightError, collected_warnings
from core.formats.motion import read_motion
from core.grid import beats_file
from core.grid.beat_grid import Grid, continued, halved, shifted_half, with_metre
from core.grid.beats_file import to_json
from core.motion import rotation
from core.pipeline import DanceOptions, Model
from core.protocol import DanceRequest
from core.rhythm import features
from core.rhythm.features import RHYTHM_CHANNELS
from core.types import Motion, Waveform


@pytest.fixture(scope="module")
def model(model_folder):
    return Model.load(model_folder, "cpu")


@pytest.fixture
def written(tmp_path):
    def write(grid: Grid):
        path = tmp_path / "BEATS.json"
        path.write_text(to_json(grid))
        return path

    return write


GRID = Grid.of(0.25 + np.arange(20) * 0.75, np.arange(20) % 3 == 1)


def test_the_grid_takes_the_place_of_the_tracked_beats(model, make_song, written, monkeypatch):
    """The song has 120 beats a minute from 0 on, the grid 80 in three from 0.25 on."""
    monkeypatch.setattr(features, "track_beats", lambda _: pytest.fail("nothing is tracked"))
    beats = pipeline.read_beats(written(GRID), 0.0, 6.0)
    made = pipeline.generate_dance(model, make_song(6.0), DanceOptions(steps=2), beats)
    assert made.beats is beats and beats.metre == 3 and beats.tempo == pytest.approx(80)
    assert made.metrics == pipeline.judge(made.motion, beats)

    pulse = pipeline.hear_song(model, make_song(6.0), beats).condition.rhythm
    assert pulse is not None
    clock = torch.arange(pulse.shape[1]) / model.config.latent_fps
    for name, period, first in (("beat", 0.75, 0.25), ("bar", 2.25, 1.0)):
        told = pulse[0, :, RHYTHM_CHANNELS.index(f"{name}_cos")]
        assert torch.allclose(told, torch.cos(2 * math.pi * (clock - first) / period), atol=1e-3)


def test_other_beats_make_another_dance_and_the_tracked_ones_the_same(model, make_song, written):
    song, options = make_song(6.0), DanceOptions(steps=2, beat_snap=1.0)
    tracked = pipeline.generate_dance(model, song, options)
    again = pipeline.generate_dance(model, song, options, tracked.beats)
    assert torch.equal(tracked.motion.rotations, again.motion.rotations)

    def later(grid):
        return continued(shifted_half(grid), 0.0, 6.0)  # without the beat that is now before the song

    for correct in (halved, later, lambda grid: with_metre(grid, 3)):
        beats = pipeline.read_beats(written(correct(pipeline.grid_of(tracked.beats))), 0.0, 6.0)
        made = pipeline.generate_dance(model, song, options, beats)
        assert not torch.equal(tracked.motion.rotations, made.motion.rotations)


def test_movements_are_moved_onto_the_given_beats(written):
    """Arms that arrive on every half second, told that the beats are a tenth of a second later."""
    clock = torch.arange(0, 8, 1 / 30)
    turns = torch.zeros(len(clock), 22, 3)
    turns[:, 16:18, 2] = 0.6 * torch.cos(2 * math.pi * clock)[:, None]
    root = torch.tensor([0.0, 0.9, 0.0]).repeat(len(clock), 1)
    raw = Motion(rotation.from_axis_angle(turns), root, 30.0, torch.ones(len(clock), 4))
    later = pipeline.read_beats(written(Grid.of(np.arange(16) * 0.5 + 0.1)), 0.0, 8.0)
    scores = [pipeline.judge(pipeline.finish(raw, later, 8.0, 30.0, snap), later)["beat"] for snap in (0.0, 1.0)]
    assert scores[1] > scores[0] + 0.5


def test_a_part_of_the_song_has_its_part_of_the_grid(written):
    beats = pipeline.read_beats(written(GRID), 2.0, 3.0)
    np.testing.assert_allclose(beats.times, [0.5, 1.25, 2.0, 2.75])
    assert beats.downbeats is not None and beats.downbeats.tolist() == [False, True, False, False]
    with pytest.raises(FootlightError, match=r"1 of its beats are between 2 s and 3 s"):
        pipeline.read_beats(written(GRID), 2.0, 1.0)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "this is no JSON"),
        (b"\xc3\x28", "this is no JSON"),
        (b"{}", "BEATS.json: beats: the field 'beats'"),
    ],
)
def test_a_file_that_is_none_is_told_with_its_name(tmp_path, content, told):
    path = tmp_path / "BEATS.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FootlightError, match=told):
        pipeline.read_beats(path, 0.0, 10.0)


def test_given_beats_are_no_guess(model, written):
    noise = Waveform(0.1 * torch.randn(96_000, generator=torch.Generator().manual_seed(0)), 16_000)
    for beats, count in ((None, 1), (pipeline.read_beats(written(GRID), 0.0, 6.0), 0)):
        with collected_warnings() as said:
            pipeline.hear_song(model, noise, beats)
        assert len(said) == count


def test_music_for_a_motion_is_on_the_given_beats(model, swinging, written):
    clip = read_motion(swinging)
    grid = Grid.of(np.arange(8) * 0.5 + 0.1, np.arange(8) % 4 == 0)
    beats = pipeline.read_beats(written(grid), 0.0, 4.0)
    made = pipeline.score_motion(model, clip, pipeline.ScoreOptions(steps=2), beats)
    assert made.beats is beats
    barless = pipeline.read_beats(written(replace(grid, downbeats=(False,) * 8)), 0.0, 4.0)
    made = pipeline.score_motion(model, clip, pipeline.ScoreOptions(steps=2), barless)
    assert torch.equal(made.beats.times, barless.times) and made.beats.metre == 4


def test_a_song_is_heard_once_for_many_dances(model, make_song):
    song = make_song(4.0)
    heard = pipeline.hear_song(model, song)
    for seed in (3, 4):
        options = DanceOptions(seed=seed, steps=2, style=model.config.styles[0])
        once, anew = pipeline.dance_to(model, heard, options), pipeline.generate_dance(model, song, options)
        assert torch.equal(once.motion.rotations, anew.motion.rotations) and once.metrics == anew.metrics


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_beats_of_a_film_whose_sound_begins_late_fit_on_both_clocks(make_song, tmp_path, capsys):
    """By the command line, which counts from the picture, and by one who counts from the sound, such as a sequencer."""
    song, film, out = tmp_path / "song.wav", tmp_path / "film.mkv", tmp_path / "BEATS.json"
    io.write(song, make_song(8.0))
    picture = ["-f", "lavfi", "-i", "color=size=32x32:rate=25:duration=10"]
    command = ["ffmpeg", "-v", "error", *picture, "-itsoffset", "1.5", "-i", song, "-map", "0:v", "-map", "1:a"]
    if subprocess.run([*command, "-c:v", "mpeg4", "-c:a", "pcm_s16le", film], capture_output=True).returncode:
        pytest.skip("this ffmpeg has no such encoder")
    assert cli.main(["beats", str(film), "--out", str(out)]) == 0
    capsys.readouterr()
    assert cli.main(["beats", str(film)]) == 0
    printed = json.loads(capsys.readouterr().out)
    written = json.loads(out.read_text())
    assert written["sound_begins"] == printed["sound_begins"] == pytest.approx(1.5, abs=0.02)
    heard = np.array(beats_file.from_json(out.read_bytes(), lambda: 0.0).times)
    tracked = pipeline.beats_of(pipeline.read_song(song)).times.numpy()
    same = np.abs(heard[(heard > 0.25) & (heard < 7.75), None] - tracked).min(axis=1)
    assert len(same) > 8 and same.max() < 0.05, "a click is a beat on both"
    asked = DanceRequest(song=str(film), out="dance.npz", beats=str(out))
    assert pipeline.beats_given(asked, 10.0).times.numpy() == pytest.approx(np.array(written["beats"]), abs=1e-4)
    out.write_text(beats_file.to_json(Grid.of(heard[heard > 0]), 0.0))
    moved = pipeline.beats_given(asked, 10.0).times.numpy()
    assert moved == pytest.approx(heard[heard > 0] + written["sound_begins"], abs=1e-3)
    assert pipeline.beats_given(replace(asked, song=str(song)), 8.0).times.numpy() == pytest.approx(
        heard[(heard > 0) & (heard < 8)], abs=1e-3
    )
