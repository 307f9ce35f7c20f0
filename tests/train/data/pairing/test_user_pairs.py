"""Which files of a user's folder belong together."""

from functools import partial
from pathlib import Path

from train.data.pairing.user_pairs import user_jobs


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
