"""Preparing data end to end on a small folder made here, and what the loaders give back."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.audio import io
from core.audio.mel import log_mel
from core.audio.representation import to_float
from core.config import SignalConfig, preset
from core.errors import FootlightError
from core.formats import bvh
from core.motion.kinematics import forward
from core.rhythm.accents import kinematic_beats
from core.types import Waveform
from tests.core.formats.test_published import aist, amass, joints_npz, take
from train.data import shards, synthetic
from train.data.dataset import load_pairs, load_song_records, load_songs
from train.data.pairing import pairs
from train.data.pairing.user_pairs import split_of
from train.data.rates import AUDIO_RATE, MEL_FPS, MOTION_FPS
from train.data.splits import validated_on
from train.fit import load_training_pairs, load_training_songs
from train.options import Fit, model_config
from train.prepare import Prepare, main
from train.tasks.autoencoder import AutoencoderTask, AutoencoderTaskConfig
from train.tasks.mel_vae import MelVAEConfig, MelVAETask

SETTINGS = pairs.Settings(rendered_share=0.0)


def song(path, bpm, seconds=30.0):
    clicks = synthetic.clicks(bpm, seconds, torch.Generator().manual_seed(0))
    io.write(path, Waveform(clicks, AUDIO_RATE))


def dance(path, bpm, seconds=14.0, phase=0.0):
    motion = synthetic.swing(bpm, int(seconds * MOTION_FPS), phase, 0.8)
    bvh.write(path, motion, fps=60.0)
    return motion


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two songs and two motions for training, one of each for validation, one broken file; and a user's capture."""
    folder = tmp_path_factory.mktemp("data")
    lines = []
    for name, split, bpm in (("slow", "train", 84), ("fast", "train", 128), ("other", "val", 104)):
        song(folder / f"{name}.wav", bpm)
        lines.append({"path": f"{name}.wav", "kind": "audio", "split": split, "genre": "clicks"})
    for name, split, bpm in (("one", "train", 80), ("two", "train", 124), ("three", "val", 100)):
        dance(folder / f"{name}.bvh", bpm)
        lines.append({"path": f"{name}.bvh", "kind": "motion", "split": split, "genre": "swing", "group": name})
    (folder / "broken.bvh").write_text("HIERARCHY\nROOT Hips\n{\n")
    lines.append({"path": "broken.bvh", "kind": "motion", "split": "train", "genre": "swing"})
    (folder / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    own = folder / "own"
    (own / "house").mkdir(parents=True)
    dance(own / "house" / "mine.bvh", 120)
    song(own / "house" / "mine.wav", 120)
    dance(own / "lonely.bvh", 120)
    dance(own / "mute.bvh", 120)
    (own / "mute.ogg").write_bytes(b"no sound")
    return folder


@pytest.fixture(scope="module")
def prepared(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared")
    lines = main(Prepare(data, out, pairs=data / "own", rendered=0, workers=1, settings=SETTINGS))
    return out, lines


def test_every_pair_is_on_one_clock_and_in_its_split(prepared):
    out, lines = prepared
    train, val = load_pairs(out, "train"), load_pairs(out, "val")
    assert {pair.motion_name for pair in train} >= {"one", "two"}
    assert {pair.motion_name for pair in val} - {"house/mine"} == {"three"}
    assert {pair.music_name for pair in train} & {pair.music_name for pair in val} == set()
    assert len(train) + len(val) == len(lines)
    for pair in train + val:
        frames = len(pair.root)
        assert pair.rotations.shape == (frames, 22, 4)
        assert pair.mel.shape == (2 * frames, 80)
        assert pair.onset.shape == pair.loudness.shape == (2 * frames,)
        assert torch.allclose(pair.rotations.norm(dim=-1), torch.ones(frames, 22), atol=1e-5)
        assert pair.beats.min() >= 0 and pair.beats.max() < frames / MOTION_FPS
        assert pair.rhythm(frames // 2, MOTION_FPS / 2).shape == (frames // 2, 10)
        # The clicks are where the beats say: the onset strength peaks there.
        at = (pair.beats[1:-1] * MEL_FPS).round().long()
        near = torch.stack([pair.onset[at + shift] for shift in range(-3, 4)]).amax(dim=0)
        assert near.median() > 5 * pair.onset.median().clamp(min=0.01)


def test_warping_puts_kinematic_beats_on_musical_ones_within_the_limits(prepared):
    _, lines = prepared
    made = {line["id"]: line for line in lines if "bas" in line}
    for name in ("one-00", "two-20", "three-10"):  # song and motion of nearly one tempo
        assert made[name]["bas"]["final"] > 0.85
    for line in made.values():
        assert line["bas"]["final"] > line["bas"]["unwarped"]
        assert line["miss_ms"][1] < 150
        assert 0.75 - 1e-3 <= line["rate"][0] <= line["rate"][1] <= 1.25 + 1e-3
        assert line["rate_with_accent"][0] >= 0.75 * 0.75 - 1e-2
        assert line["rate_with_accent"][1] <= 1.25 * 1.25 + 1e-2


def test_unusable_files_are_named_with_the_reason_and_the_rest_goes_on(prepared):
    out, lines = prepared
    dropped = {
        line["source"].rsplit("/", 1)[-1]: line["reason"] for line in shards.read_index(out / "dropped-pairs.jsonl")
    }
    assert "broken.bvh" in dropped["broken.bvh"]
    assert "no music beside it" in dropped["lonely.bvh"]
    assert "mute.ogg" in dropped["mute.bvh"]
    mine = next(line for line in lines if line["motion"] == "house/mine")
    assert mine["genre"] == "house"
    assert "bas" not in mine  # recorded together: not warped


def test_own_capture_is_not_warped(prepared, data):
    out, _ = prepared
    pair = next(p for s in ("train", "val") for p in load_pairs(out, s) if p.motion_name == "house/mine")
    source = synthetic.swing(120, int(14 * MOTION_FPS), 0.0, 0.8)
    wanted = kinematic_beats(forward(source.rotations, source.root), source.fps).times
    motion = pair.motion()
    found = kinematic_beats(forward(motion.rotations, motion.root), motion.fps).times
    assert len(found) == len(wanted)
    assert (found - wanted).abs().max() < 0.04


def test_a_repeated_run_reuses_what_is_done_and_a_changed_source_is_made_anew(prepared, data, tmp_path):
    out, lines = prepared
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.safetensors")}
    again = main(Prepare(data, out, pairs=data / "own", rendered=0, workers=1, settings=SETTINGS))
    assert again == lines
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("*.safetensors")} == before
    changed = tmp_path / "changed"
    shutil.copytree(data, changed)
    dance(changed / "two.bvh", 118)
    main(Prepare(changed, out, pairs=data / "own", rendered=0, workers=1, settings=SETTINGS))
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("*.safetensors")}
    assert {name for name in after if after[name] != before[name]} == {"pairs-train-two.safetensors"}


def test_songs_are_whole(prepared):
    out, _ = prepared
    assert [round(len(mel) / MEL_FPS) for mel in load_songs(out, "train")] == [30, 30]
    record = load_song_records(out, "val")[0]
    assert record.tempo == pytest.approx(104, rel=0.03)
    assert not record.exact


def test_waveforms_are_kept_on_demand_and_nothing_else_changes(prepared, data, tmp_path):
    out, full = tmp_path / "plain", tmp_path / "full"
    shutil.copytree(prepared[0], out)
    plainly = Prepare(data, out, pairs=data / "own", rendered=0, workers=1, settings=SETTINGS)
    lines = main(plainly)
    with pytest.raises(FootlightError, match=r"no waveforms: .*--waveforms"):
        load_pairs(out, "train", waveforms=True)
    shutil.copytree(out, full)
    assert main(replace(plainly, out=full, waveforms=True)) == lines
    for split in ("train", "val"):
        for plain, more in zip(load_pairs(out, split), load_pairs(full, split, waveforms=True), strict=True):
            assert plain.wave is None and more.wave.dtype == torch.int16
            assert torch.equal(plain.mel, more.mel) and torch.equal(plain.rotations, more.rotations)
            # What was kept is the sound of the mel beside it; a section's own mel knows nothing beyond its ends.
            again = log_mel(to_float(more.wave), SignalConfig())
            assert again.shape == more.mel.shape
            assert (again - more.mel.float())[2:-2].abs().mean() < 0.02
        for plain, more in zip(load_song_records(out, split), load_song_records(full, split, True), strict=True):
            assert len(more.wave) == 256 * len(plain.mel) and torch.equal(plain.mel, more.mel)
    assert all(pair.wave is None for pair in load_pairs(full, "train"))
    before = {path.name: path.stat().st_mtime_ns for path in full.glob("*.safetensors")}
    main(replace(plainly, out=full, waveforms=True))
    assert {path.name: path.stat().st_mtime_ns for path in full.glob("*.safetensors")} == before


def test_pairs_with_waveforms_need_songs_with_waveforms(prepared, data, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(prepared[0], out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(FootlightError, match="no waveforms for the pairs"):
        main(Prepare(data, out, only="pairs", rendered=0, workers=1, settings=SETTINGS, waveforms=True))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_damaged_shard_and_a_folder_that_is_none_are_refused(prepared, tmp_path):
    out, _ = prepared
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    shard = next(copy.glob("pairs-train-one*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(FootlightError, match="missing or damaged"):
        load_pairs(copy, "train")
    with pytest.raises(FootlightError, match="no such index"):
        load_pairs(tmp_path / "nothing", "train")
    with pytest.raises(FootlightError, match="index"):
        main(Prepare(tmp_path / "nothing", tmp_path / "out", rendered=0, settings=SETTINGS))


def test_stored_rotations_keep_a_fiftieth_of_a_millimetre():
    q = torch.nn.functional.normalize(torch.randn(1000, 22, 4, generator=torch.Generator().manual_seed(0)), dim=-1)
    back = shards.unpack("rotations", shards.pack("rotations", q))
    angle = 2 * (q - back).norm(dim=-1).max()
    assert angle < 1e-4


def test_own_capture_may_be_of_other_kinds_than_bvh(tmp_path, capsys):
    """SMPL's poses beside their music, and a BVH file that announces a frame too many, which is said."""
    own = tmp_path / "own"
    song(tmp_path / "song.wav", 100, 7.0)
    for name, make in (("amass", amass), ("aist", aist), ("joints", joints_npz)):
        (own / name).mkdir(parents=True)
        path = make(own / name, *take({"amass": 120.0, "aist": 60.0, "joints": 30.0}[name], seconds=6.0))
        shutil.copy(tmp_path / "song.wav", path.with_suffix(".wav"))
    dance(own / "bvh.bvh", 100)
    (own / "bvh.bvh").write_text(re.sub(r"Frames: (\d+)", "Frames: 9\\1", (own / "bvh.bvh").read_text()))
    shutil.copy(tmp_path / "song.wav", own / "bvh.wav")
    for _ in range(2):  # a second run reuses the shards, and says it again
        lines = main(Prepare(out=tmp_path / "out", pairs=own, workers=1))
        assert {line["genre"] for line in lines} == {"amass", "aist", "joints", "own"}
        assert all(line["seconds"] == pytest.approx(6.0, abs=0.1) for line in lines if line["genre"] != "own")
        out = capsys.readouterr().out
        assert "used with a warning" in out and "frames announced" in out


def test_own_capture_alone_is_enough_to_train_on(tmp_path):
    """Its music trains the music autoencoder too: there are no other songs."""
    own = tmp_path / "own"
    own.mkdir()
    for name in ("one", "two"):
        dance(own / f"{name}.bvh", 100)
        song(own / f"{name}.wav", 100, 7.0)
    main(Prepare(out=tmp_path / "out", pairs=own, workers=1))
    args = Fit("mel-vae", tmp_path / "out", tmp_path / "run", preset="tiny")
    pairs = validated_on(load_training_pairs(args), "pairs", lambda pair: len(pair.rotations))
    config = preset("tiny")
    songs = load_training_songs(args, config, pairs)
    assert sorted(map(len, songs["train"])) == sorted(len(pair.mel) for pair in pairs["train"]) and songs["val"]
    frames = min(map(len, songs["train"])) // 2
    batch = MelVAETask(config, MelVAEConfig(frames=frames), songs).batch(2, torch.Generator().manual_seed(0))
    assert batch["music"].shape[:2] == (2, frames)
    with pytest.raises(FootlightError, match=r"the songs to train on last \d\.\d s at most, and 160\.0 s are needed"):
        MelVAETask(config, MelVAEConfig(frames=10_000), songs)
    features = torch.zeros(round(2 * config.modalities["motion"].fps) + 10, 4)
    clips = {split: [{"features": features}] for split in ("train", "val")}
    with pytest.raises(FootlightError, match="the clips to train on last 2"):
        AutoencoderTask(config, "motion", AutoencoderTaskConfig(), clips)


def test_a_single_capture_is_trained_on_whatever_its_name(tmp_path):
    """Of the names of captures every tenth is held out. Its genre is a style then too."""
    own = tmp_path / "own"
    own.mkdir()
    name = next(name for name in map("take{}".format, range(1000)) if split_of(name) == "val")
    dance(own / f"{name}.bvh", 100, 6.0)
    song(own / f"{name}.wav", 100, 6.0)
    main(Prepare(out=tmp_path / "out", pairs=own, workers=1))
    args = Fit("mel-vae", tmp_path / "out", tmp_path / "run", preset="tiny")
    pairs = load_training_pairs(args)
    assert [len(pairs[split]) for split in ("train", "val")] == [1, 0]
    assert model_config(args, pairs).styles == ("own",)


def test_a_capture_that_is_longer_than_its_music_is_said(tmp_path, capsys):
    """As one at 24 frames a second that was recorded at 30."""
    own = tmp_path / "own"
    own.mkdir()
    dance(own / "long.bvh", 100, seconds=10.0)
    dance(own / "short.bvh", 100, seconds=6.0)
    for name in ("long", "short"):
        song(own / f"{name}.wav", 100, 8.0)
    lines = main(Prepare(out=tmp_path / "out", pairs=own, workers=1))
    assert sorted(line["seconds"] for line in lines) == pytest.approx([6.0, 8.0], abs=0.1)
    (said,) = [line for line in capsys.readouterr().out.splitlines() if "warning" in line]
    assert "long.bvh: lasts 10.0 s, and its music 8.0 s" in said


def test_a_capture_that_is_read_too_fast_is_said(tmp_path, capsys):
    """As one at 60 frames a second whose file says 120. One whose music goes on for a while is none."""
    own = tmp_path / "own"
    own.mkdir()
    for name, seconds in (("twice", 4.0), ("part", 5.0)):
        dance(own / f"{name}.bvh", 100, seconds=seconds)
        song(own / f"{name}.wav", 100, 8.0)
    main(Prepare(out=tmp_path / "out", pairs=own, workers=1))
    (said,) = [line for line in capsys.readouterr().out.splitlines() if "warning" in line]
    assert "twice.bvh: lasts 4.0 s, and its music 2 times as long" in said


def test_a_capture_that_does_not_say_its_frame_rate_is_given_one(tmp_path, capsys):
    """And what has been read in one way is not taken for what is asked for in another."""
    own = tmp_path / "own"
    own.mkdir()
    dance(own / "slow.bvh", 100, seconds=6.0)
    text = (own / "slow.bvh").read_text()
    frames = int(re.search(r"Frames: (\d+)", text)[1])
    (own / "slow.bvh").write_text(re.sub(r"Frame Time: .*\n", "", text))
    song(own / "slow.wav", 100, 30.0)
    for fps in (60.0, 20.0):
        (line,) = main(Prepare(out=tmp_path / "out", pairs=own, pairs_fps=fps, workers=1))
        assert line["seconds"] == pytest.approx(frames / fps, abs=0.1)
    assert "does not say its frame time" not in capsys.readouterr().out
    with pytest.raises(FootlightError, match="fps is 0"):
        main(Prepare(out=tmp_path / "out", pairs=own, pairs_fps=0.0, workers=1))


def test_the_rest_pose_of_own_capture_is_given(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    dance(own / "one.bvh", 100, seconds=6.0)
    song(own / "one.wav", 100, 6.0)
    read = []
    for rest in ("zero", "first-frame"):  # the first frame of a dance is no T-pose, so these are other bodies
        main(Prepare(out=tmp_path / rest, pairs=own, pairs_rest=rest, workers=1))
        read += load_pairs(tmp_path / rest, "train") + load_pairs(tmp_path / rest, "val")
    zero, first = read
    assert not torch.allclose(zero.rotations, first.rotations[: len(zero.rotations)], atol=0.05)
    with pytest.raises(FootlightError, match="rest is 'sitting'; expected zero"):
        main(Prepare(out=tmp_path / "out", pairs=own, pairs_rest="sitting", workers=1))


def test_a_data_folder_without_an_index_is_said(tmp_path):
    with pytest.raises(FootlightError, match=r"index\.jsonl: no such index; a data folder names .* --pairs"):
        main(Prepare(tmp_path, tmp_path / "out"))


def test_what_lies_beside_music_and_is_no_capture_is_said_in_the_options_of_the_program(tmp_path, capsys):
    own = tmp_path / "own"
    (own / "film").mkdir(parents=True)
    (own / "film" / "film_000000000000_keypoints.json").write_text("{}")
    (own / "actor.fbx").write_bytes(b"Kaydara FBX Binary")
    motion = synthetic.swing(100, int(6 * MOTION_FPS), 0.0, 0.8)
    np.savez(own / "bare.npz", positions=forward(motion.rotations, motion.root).numpy())
    dance(own / "whole.bvh", 100, seconds=6.0)
    for name in ("film", "actor", "bare", "whole"):
        song(own / f"{name}.wav", 100, 6.0)
    main(Prepare(out=tmp_path / "out", pairs=own, workers=1))
    said = {Path(line.split(": ")[1]).name: line for line in capsys.readouterr().out.splitlines() if ": " in line}
    assert "the folder film seems to hold OpenPose files, which are flat" in said["film.wav"]
    assert "of actor.fbx: open it in Blender" in said["actor.wav"] and "export it as BVH" in said["actor.wav"]
    assert said["bare.npz"].endswith("or give --pairs-fps")


def test_a_gap_of_a_capture_is_bridged_and_a_long_one_is_not_learned(tmp_path, capsys):
    own = tmp_path / "own"
    own.mkdir()
    for name, gap in (("short", range(200, 220)), ("long", range(200, 300))):
        dance(own / f"{name}.bvh", 100)
        song(own / f"{name}.wav", 100, 14.0)
        lines = (own / f"{name}.bvh").read_text().splitlines()
        first = next(k for k, line in enumerate(lines) if line.startswith("Frame Time")) + 1
        for row in gap:
            lines[first + row] = " ".join(["0.000000"] * len(lines[first + row].split()))
        (own / f"{name}.bvh").write_text("\n".join(lines) + "\n")
    main(Prepare(out=tmp_path / "out", pairs=own, workers=1))
    said = capsys.readouterr().out
    assert re.search(r"not used: .*long.bvh: holds no body in frames 200-299", said)
    assert re.search(r"with a warning: .*short.bvh: holds no body in frames 200-219", said)
    (pair,) = load_pairs(tmp_path / "out", "train") + load_pairs(tmp_path / "out", "val")
    places = forward(pair.rotations, pair.root)
    speed = (places[1:] - places[:-1]).norm(dim=-1).amax(1) * MOTION_FPS
    near = speed[int(190 * MOTION_FPS / 60) : int(230 * MOTION_FPS / 60)]
    assert near.max() < 1.5 * speed[: int(180 * MOTION_FPS / 60)].max()


def test_a_list_says_which_take_was_danced_to_which_song_and_from_when(tmp_path, capsys):
    """One song for three takes: it begins with the first, in the middle of the second, and before the third. One more
    take has two songs after another, and two lines name what is not there.
    """
    own = tmp_path / "own"
    (own / "monday").mkdir(parents=True)
    for name, seconds in (("a", 8.0), ("b", 11.2), ("c", 5.0), ("session", 20.0)):
        dance(own / "monday" / f"{name}.bvh", 100, seconds=seconds)
    song(own / "anthem.wav", 100, 8.0)
    song(own / "other.wav", 100, 8.0)
    (own / "pairs.csv").write_text(
        "take,song,start,genre\nmonday/a.bvh,anthem.wav\nmonday/b.bvh,anthem.wav,3.2,house\n"
        "monday/c.bvh,anthem.wav,-2.4\nmonday/session.bvh,anthem.wav,1\nmonday/session.bvh,other.wav,10.5\n"
        "monday/lost.bvh,anthem.wav\nmonday/a.bvh,notes.txt\nmonday/a.bvh,other.wav,30\n"
    )
    (own / "notes.txt").write_text("no song")
    main(Prepare(out=tmp_path / "out", pairs=own / "pairs.csv", workers=1))
    said = capsys.readouterr().out
    assert re.search(r"not used: .*pairs\.csv, line 7: .*lost\.bvh: no such file", said)
    assert re.search(r"not used: .*pairs\.csv, line 8: .*notes\.txt: expected \.wav", said)
    assert re.search(r"not used: .*a\.bvh: .*share only 0\.0 s where the music starts at second 30", said)
    assert "used with a warning" not in said  # what is longer than its music is known to be
    made = load_pairs(tmp_path / "out", "train") + load_pairs(tmp_path / "out", "val")
    assert len(made) == 5
    source = synthetic.swing(100, int(20 * MOTION_FPS), 0.0, 0.8)
    swung = kinematic_beats(forward(source.rotations, source.root), source.fps).times
    clicks = torch.arange(0, 8, 0.6)
    for pair, start, seconds in zip(
        sorted(made, key=lambda pair: (pair.motion_name, pair.music_name)),
        (0.0, 3.2, -2.4, 1.0, 10.5),
        (8.0, 8.0, 5.0, 8.0, 8.0),
        strict=True,
    ):
        assert pair.genre == ("house" if start == 3.2 else "monday")
        length = len(pair.rotations) / MOTION_FPS
        assert length == pytest.approx(seconds, abs=0.1)
        begins = max(0.0, start)  # of the pair, in its take
        motion = pair.motion()
        found = kinematic_beats(forward(motion.rotations, motion.root), motion.fps).times
        inside = swung - begins
        inside = inside[(inside > 0.3) & (inside < length - 0.3)]
        assert (found[:, None] - inside).abs().amin(0).max() < 0.05
        true = clicks + start - begins
        true = true[(true > 0.3) & (true < length - 0.3)]
        assert (pair.beats[:, None] - true).abs().amin(0).max() < 0.05


def test_a_folder_with_a_list_says_that_the_list_itself_has_to_be_given(tmp_path, capsys):
    own = tmp_path / "own"
    own.mkdir()
    dance(own / "take.bvh", 100, seconds=6.0)
    song(own / "anthem.wav", 100, 6.0)
    (own / "pairs.csv").write_text("take,song\ntake.bvh,anthem.wav\n")
    assert main(Prepare(out=tmp_path / "out", pairs=own, workers=1)) == []
    assert "if pairs.csv says which it is, give that file to --pairs" in capsys.readouterr().out
    assert len(main(Prepare(out=tmp_path / "out", pairs=own / "pairs.csv", workers=1))) == 1
