"""Shards that are made from sources, one each."""

import pytest
import torch
from tqdm import tqdm

from core.errors import FootlightError
from train.data import jobs, shards
from train.data.music.songs import song_jobs


def make(shard):
    return [({"id": "one", "shard": shard}, {"beats": torch.zeros(2)})]


def test_two_sources_of_one_shard_are_refused_by_name(tmp_path):
    """The second would take the place of the first without a word."""
    shard = tmp_path / "pairs-walk.safetensors"
    work = [jobs.Job(source, shard, "key", make) for source in ("a/walk.bvh", "b/walk.bvh")]
    with pytest.raises(FootlightError, match=r"a/walk\.bvh and b/walk\.bvh .*pairs-walk.*rename"):
        jobs.run(work, 1, tqdm(disable=True))
    assert not list(tmp_path.iterdir())


def test_songs_with_names_in_any_script_have_shards_of_their_own(tmp_path):
    entries = [{"path": f"audio/{name}.mp3", "split": "train", "genre": "pop"} for name in ("夏の歌", "冬の歌", "Лето")]
    (tmp_path / "audio").mkdir()
    for entry in entries:
        (tmp_path / entry["path"]).write_bytes(b"")
    work = song_jobs(tmp_path, tmp_path, entries)
    assert len({job.shard for job in work}) == 3


def test_names_that_hold_ends_of_lines_are_read_back(tmp_path):
    """Names of songs come from the web, and some hold U+2028 or U+0085, at which ``str.splitlines`` would cut."""
    lines = [{"id": "one", "path": "Night\u2028Drive.mp3"}, {"id": "two", "path": "a\x85b.mp3"}]
    shards.write_index(tmp_path / "songs.jsonl", lines)
    assert shards.read_index(tmp_path / "songs.jsonl") == lines
