"""AIST++ in the layout in which it is published: real pickles, real lists and songs."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from core.audio import io
from core.errors import FootlightError
from core.motion import kinematics
from core.motion.skeleton import SMPL22
from core.types import Waveform
from train.data import shards, synthetic
from train.data.dataset import load_pairs, load_song_records
from train.data.motion import sources
from train.data.pairing import aist, user_pairs
from train.data.rates import AUDIO_RATE, MEL_FPS
from train.prepare import Prepare, main

SCALING = 93.7


class Trap:
    """Pickles as a call of whatever is named."""

    def __init__(self, function, *arguments):
        self.called = function, arguments

    def __reduce__(self):
        return self.called


TAKES = {
    "train": ["gBR_sBM_cAll_d04_mBR0_ch01", "gHO_sFM_cAll_d20_mHO2_ch07"],
    "val": ["gBR_sBM_cAll_d05_mBR3_ch02"],
    "test": ["gKR_sBM_cAll_d28_mKR4_ch03"],
}


def swing(frames, bpm):
    """An SMPL take (poses, trans) whose arms and spine swing on the beat, a pelvis' height above the floor."""
    wave = np.cos(np.pi * bpm / 60 * np.arange(frames) / 60.0)
    poses = np.zeros((frames, 24, 3))
    poses[:, 16, 2], poses[:, 17, 2], poses[:, 3, 1] = 0.6 * wave, 0.6 * wave, 0.3 * wave
    poses[:, 22:] = 0.4  # hands, which are left out
    trans = np.tile(np.array([12.0, 1.17 * SCALING, -30.0]), (frames, 1))
    trans[:, 0] += 4 * wave
    return poses.reshape(frames, 72), trans


def write(path, frames=360, bpm=100, protocol=4, **change):
    poses, trans = swing(frames, bpm)
    value = {"smpl_loss": 0.5, "smpl_poses": poses, "smpl_scaling": np.array([SCALING]), "smpl_trans": trans, **change}
    path.write_bytes(pickle.dumps(value, protocol=protocol))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aist")
    for part in ("motions", "splits", "music"):
        (folder / part).mkdir()
    lists = {split: list(names) for split, names in TAKES.items()}
    for name in (name for names in TAKES.values() for name in names):
        write(folder / "motions" / f"{name}.pkl", bpm=aist.tempo_of(aist.genre_and_music(name)[1]))
    spoilt = {
        "gBR_sBM_cAll_d04_mBR0_ch02": "ignore",
        "gBR_sBM_cAll_d04_mBR0_ch03": "in two",
        "gBR_sBM_cAll_d04_mBR0_ch04": "in none",
        "gBR_sBM_cAll_d04_mBR5_ch05": "without music",
        "gBR_sBM_cAll_d04_mBR0_ch06": "nan",
        "gBR_sBM_cAll_d04_mBR0_ch07": "trap",
        "breaking": "other name",
    }
    for name, fault in spoilt.items():
        path = folder / "motions" / f"{name}.pkl"
        write(path, **({"smpl_trans": np.full((360, 3), np.nan)} if fault == "nan" else {}))
        if fault == "trap":
            path.write_bytes(pickle.dumps(Trap(os.system, "touch trapped")))
        if fault != "in none":
            lists["train"].append(name)
        if fault == "in two":
            lists["test"].append(name)
    lists["train"].append("gBR_sBM_cAll_d04_mBR0_ch08")  # listed, but there is no such file
    for split, names in lists.items():
        (folder / "splits" / f"crossmodal_{split}.txt").write_text("\n".join(names) + "\n")
    (folder / "ignore_list.txt").write_text("gBR_sBM_cAll_d04_mBR0_ch02\ngXX_not_here\n")
    for code in ("mBR0", "mHO2", "mBR3", "mKR4"):
        clicks = synthetic.clicks(aist.tempo_of(code), 8.0, torch.Generator().manual_seed(0))
        io.write(folder / "music" / f"{code}.wav", Waveform(clicks, AUDIO_RATE))
    return folder


@pytest.fixture(scope="module")
def prepared(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared")
    return out, main(Prepare(out=out, aist=data, workers=1))


def test_takes_keep_their_music_and_their_split(prepared):
    out, lines = prepared
    assert {line["motion"]: line["split"] for line in lines} == {
        name: split for split, names in TAKES.items() for name in names
    }
    assert {line["genre"] for line in lines} == {"break", "house", "krump"}
    for split in TAKES:
        for pair in load_pairs(out, split):
            assert pair.music_name == pair.motion_name.split("_")[4] + ".wav"
            assert pair.tempo == pytest.approx(aist.tempo_of(pair.music_name[:4]), rel=0.02)
            assert pair.motion().seconds == pytest.approx(6.0, abs=0.05)
            assert pair.mel.shape == (2 * len(pair.root), 80)
            at = (pair.beats[1:-1] * MEL_FPS).round().long()
            near = torch.stack([pair.onset[at + shift] for shift in range(-3, 4)]).amax(dim=0)
            assert near.median() > 5 * pair.onset.median().clamp(min=0.01)
    songs = {split: {song.id for song in load_song_records(out, split)} for split in ("train", "val")}
    assert songs == {"train": {"mBR0", "mHO2"}, "val": {"mBR3", "mKR4"}}


def test_what_is_not_used_is_named_with_the_reason(prepared):
    out, _ = prepared
    dropped = {Path(line["source"]).stem: line["reason"] for line in shards.read_index(out / "dropped-pairs.jsonl")}
    words = {
        "gBR_sBM_cAll_d04_mBR0_ch02": "to ignore",
        "gBR_sBM_cAll_d04_mBR0_ch03": "more than one split list: train and test",
        "gBR_sBM_cAll_d04_mBR0_ch04": "none of the three",
        "gBR_sBM_cAll_d04_mBR5_ch05": "no music mBR5",
        "gBR_sBM_cAll_d04_mBR0_ch06": "not finite",
        "gBR_sBM_cAll_d04_mBR0_ch07": "system, which is not run",
        "gBR_sBM_cAll_d04_mBR0_ch08": "no such file",
        "breaking": "rename the file",
    }
    assert dropped.keys() == words.keys()
    assert all(word in dropped[name] for name, word in words.items()), dropped


@pytest.mark.parametrize("missing", ["splits/crossmodal_val.txt", "ignore_list.txt", "motions", "music"])
def test_a_folder_of_another_layout_is_refused(data, tmp_path, missing):
    for path in data.rglob("*"):
        wanted = path.relative_to(data)
        if path.is_file() and not wanted.is_relative_to(missing):
            (tmp_path / wanted).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / wanted).write_bytes(path.read_bytes())
    with pytest.raises(FootlightError, match=missing):
        aist.aist_jobs(tmp_path, tmp_path / "out")
    if missing == "music":  # it may be elsewhere
        songs, takes, _ = aist.aist_jobs(tmp_path, tmp_path / "out", data / "music")
        assert len(songs) == 4 and len(takes) == 6


def test_the_path_is_in_metres_and_the_dancer_stands_on_the_floor(tmp_path):
    poses, trans = swing(240, 100)
    trans[:, 0] = np.linspace(0, 2 * SCALING, 240)  # a glide of two metres of theirs
    write(tmp_path / "take.pkl", smpl_poses=poses, smpl_trans=trans)
    source = sources.load(tmp_path / "take.pkl")
    assert source.report["dropped"] is None
    moved = float(source.motion.root[-1, 0] - source.motion.root[0, 0])
    assert moved == pytest.approx(2 * 0.80 / 0.82, rel=0.02)
    places = kinematics.forward(source.motion.rotations, source.motion.root)
    assert places[:, SMPL22.index("left_foot"), 1].median() == pytest.approx(0.02, abs=0.01)
    assert places[:, SMPL22.index("head"), 1].median() > 1.3


def test_a_song_that_validation_is_danced_to_is_not_trained_on(tmp_path):
    names = {"train": ["gBR_sBM_cAll_d04_mBR0_ch01"], "val": ["gBR_sBM_cAll_d05_mBR0_ch02"], "test": []}
    for part in ("motions", "splits", "music"):
        (tmp_path / part).mkdir()
    for split, some in names.items():
        (tmp_path / "splits" / f"crossmodal_{split}.txt").write_text("\n".join(some))
        for name in some:
            (tmp_path / "motions" / f"{name}.pkl").write_bytes(b"capture")
    (tmp_path / "ignore_list.txt").write_text("")
    (tmp_path / "music" / "mBR0.wav").write_bytes(b"sound")
    songs, takes, dropped = aist.aist_jobs(tmp_path, tmp_path / "out")
    assert [job.shard.name for job in songs] == ["songs-val-mBR0.safetensors"]
    assert len(takes) == 2 and not dropped


def test_beats_are_even_at_the_composers_tempo_where_tracking_finds_another():
    onset = torch.zeros(round(20 * MEL_FPS))
    beats = torch.arange(0.37, 20, 60 / 130)
    onset[(beats * MEL_FPS).round().long()] = 1
    found = user_pairs.steady_beats(onset, 130.0)
    assert len(found) == len(beats) and (found - beats).abs().max() < 0.02


def test_tempi_of_the_pieces():
    assert [aist.tempo_of(code) for code in ("mBR0", "mJB5", "mHO0", "mHO5", "mBR9")] == [80, 130, 110, 135, 0]
