"""Which files of a user's folder belong together."""

from functools import partial
from pathlib import Path

import pytest
import torch

from core.audio import io
from core.formats import bvh
from core.types import Waveform
from train.data import synthetic
from train.data.pairing import user_pairs
from train.data.pairing.user_pairs import Take, recorded_pair, user_jobs
from train.data.rates import AUDIO_RATE, MOTION_FPS


def test_music_may_be_any_sound_and_the_best_is_taken(tmp_path):
    capture, out = tmp_path / "capture", tmp_path / "out"
    (capture / "house").mkdir(parents=True)
    for name in ("phone.bvh", "phone.m4a", "house/film.npz", "house/film.mp4", "both.bvh", "both.MP3", "both.wav"):
        (capture / name).write_text(name)
    for name in ("alone.bvh", "song.m4a", "._phone.bvh", "._both.wav"):
        (capture / name).write_text(name)
    jobs, dropped = user_jobs(capture, out)
    songs = {Path(job.source).stem: job.make.args[1].name for job in jobs if isinstance(job.make, partial)}
    assert songs == {"phone": "phone.m4a", "film": "film.mp4", "both": "both.wav"}
    reasons = {Path(drop["source"]).name: drop["reason"] for drop in dropped}
    assert set(reasons) == {"alone.bvh", "song.m4a"}
    assert "alone.wav, .flac, .ogg" in reasons["alone.bvh"] and "song.bvh, .npz" in reasons["song.m4a"]


@pytest.mark.parametrize(("known", "even"), [(0.0, False), (117.0, False), (100.0, True)])
def test_beats_are_laid_evenly_where_tracking_is_far_from_the_tempo_that_is_known(known, even, tmp_path):
    """Clicks at 120 a minute: with 117 in its name a song is still heard at 120."""
    io.write(tmp_path / "song.wav", Waveform(synthetic.clicks(120, 12.0, torch.Generator().manual_seed(0)), AUDIO_RATE))
    bvh.write(tmp_path / "dance.bvh", synthetic.swing(120, round(10 * MOTION_FPS), 0.0, 0.8), fps=60.0)
    take = Take("own", "dance", "own", "train", "own", known)
    ((line, parts),) = recorded_pair(tmp_path / "dance.bvh", tmp_path / "song.wav", take, False, "shard")
    assert line["tempo"] == pytest.approx(known if even else 120.0, rel=0.01)
    assert 60 / float(parts["beats"].diff().mean()) == pytest.approx(line["tempo"], rel=0.01)


def test_takes_of_a_list_may_lie_on_another_drive(tmp_path, monkeypatch):
    """On Windows there is no way from one to the other, and Python says so by a ValueError."""

    def apart(_path, _start):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    for name in ("take.bvh", "song.wav"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "pairs.csv").write_text("take,song\ntake.bvh,song.wav\n")
    monkeypatch.setattr(user_pairs.os.path, "relpath", apart)
    (one,), dropped = user_pairs.listed(tmp_path / "pairs.csv")
    assert one.name == (tmp_path / "take").as_posix() and not dropped
