import gc
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core import __main__ as program
from core import cli
from core.audio import io
from core.formats import bvh
from core.grid.beat_grid import UNSURE
from core.motion import kinematics, rotation
from core.motion.skeleton import SMPL22
from core.rhythm import accents
from core.types import Motion, Waveform

ROOT = Path(__file__).parents[2]


def command(*arguments, **options):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "core", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, env=env, **options)


def test_dance_from_any_folder_to_a_bvh_file(song_file, model_folder, tmp_path):
    said = ["dance", song_file, "--out", "dance.bvh", "--model", model_folder, "--seconds", 3, "--style", "robot"]
    done = command(*said, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "dance.bvh: 90 frames at 30 fps, 120 bpm" in done.stdout and ", robot, seed 0" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    motion = bvh.read_motion(tmp_path / "dance.bvh")
    assert (motion.frames, motion.fps) == (90, 30.0)
    assert "OFFSET 8.50000 -7.00000" in (tmp_path / "dance.bvh").read_text()  # y-up, centimetres
    assert os.listdir(tmp_path) == ["dance.bvh"]


def test_json_lines_tell_progress_and_result(song_file, model_folder, tmp_path, capsys):
    out = tmp_path / "dance.npz"
    arguments = ["dance", song_file, "--out", out, "--model", model_folder, "--fps", 24, "--start", 1, "--json"]
    assert cli.main([str(word) for word in arguments]) == 0
    captured = capsys.readouterr()
    events = [json.loads(line) for line in captured.out.splitlines()]
    assert {event["type"] for event in events[:-1]} == {"progress"}
    fractions = [event["fraction"] for event in events[:-1]]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    done = events[-1]
    assert (done["type"], done["frames"], done["fps"], done["seed"]) == ("done", 120, 24.0, 0)
    assert done["style"] is None  # this model has no shares to draw one by
    assert done["tempo"] == pytest.approx(120, abs=2) and set(done["downbeats"]) <= set(done["beats"])
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays["rotations"].shape == (120, 22, 4) and arrays["root"].shape == (120, 3)
        assert tuple(arrays["joints"]) == SMPL22.names and float(arrays["fps"]) == 24.0
        assert np.allclose(arrays["beats"], done["beats"], atol=1e-3)


def test_a_preview_is_a_file_and_an_event_before_the_result(model_folder, make_song, tmp_path, capsys):
    song, preview, out = tmp_path / "long.wav", tmp_path / "preview.npz", tmp_path / "dance.bvh"
    io.write(song, make_song(75.0))
    arguments = ["dance", song, "--out", out, "--preview", preview, "--model", model_folder, "--steps", 1, "--json"]
    assert cli.main([str(word) for word in arguments]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (told,) = [event for event in events if event["type"] == "preview"]
    assert told == {"type": "preview", "out": str(preview), "frames": 900, "fps": 30.0}
    assert events[events.index(told) + 1]["type"] == "progress" and events[-1]["frames"] == 2250
    with np.load(preview) as arrays:
        assert arrays["root"].shape == (900, 3)
    assert cli.main(["dance", "song.wav", "--out", str(out), "--preview", str(tmp_path / "preview.mp4")]) == 2


def test_warnings_stand_beside_the_result(song_file, model_folder, tmp_path, capsys):
    song, out = tmp_path / "cut.wav", tmp_path / "dance.npz"
    whole = song_file.read_bytes()
    song.write_bytes(whole[: len(whole) * 3 // 4])
    arguments = ["dance", str(song), "--out", str(out), "--model", str(model_folder), "--steps", "2"]
    assert cli.main(arguments) == 0
    captured = capsys.readouterr()
    said = [line for line in captured.err.splitlines() if "warning" in line]
    assert len(said) == 1 and said[0].startswith(f"footlight dance: warning: {song}: ends after 4.5 of the 6.0 s")
    assert len(captured.out.splitlines()) == 1 and out.exists()
    assert cli.main([*arguments, "--json"]) == 0
    done = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(done["warnings"]) == 1 and f"footlight dance: warning: {done['warnings'][0]}" == said[0]
    assert cli.main(["beats", str(song)]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == done["warnings"]


@pytest.mark.parametrize("ending", [".bvh", ".npz"])
def test_same_seed_same_file_other_seed_other_file(song_file, model_folder, tmp_path, ending):
    files = []
    for i, seed in enumerate((5, 5, 6)):
        files.append(tmp_path / f"{i}{ending}")
        words = ["dance", song_file, "--out", files[-1], "--model", model_folder, "--seconds", 2, "--seed", seed]
        assert cli.main([str(word) for word in words]) == 0
    first, again, other = (path.read_bytes() for path in files)
    assert first == again != other


@pytest.fixture
def bad(tmp_path, song_file, model_folder):
    """Files that cannot be used, and folders for results."""
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.mp3").write_text("this is no music\n" * 100)
    (tmp_path / "broken.bvh").write_text("HIERARCHY\nROOT hips\n{\n")
    io.write(tmp_path / "short.wav", Waveform(torch.rand(8000) - 0.5, 16_000))
    io.write(tmp_path / "silent.wav", Waveform(torch.zeros(48_000), 16_000))
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text('{"format"')
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "config.json").write_text('{"format": "footlight-model", "version": 1}')
    (tmp_path / "out").mkdir()
    (tmp_path / "song.wav").symlink_to(song_file)
    (tmp_path / "model").symlink_to(model_folder)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dance nothing.wav --out out/x.bvh", "no such file"),
        ("dance out --out out/x.bvh", "is a folder"),
        ("dance empty.wav --out out/x.bvh", "empty"),
        ("dance text.mp3 --out out/x.bvh", "not audio"),
        ("dance short.wav --out out/x.bvh", "0.50 s"),
        ("dance silent.wav --out out/x.bvh", "silent"),
        ("dance song.wav --out nowhere/x.bvh", "no folder nowhere"),
        ("dance song.wav --out out/x.fbx", ".bvh, .npz"),
        ("dance song.wav --out out", ".bvh, .npz"),
        ("dance song.wav --out out/x.bvh --model nonsense", "unknown preset 'nonsense'"),
        ("dance song.wav --out out/x.bvh --model out", "no config.json"),
        ("dance song.wav --out out/x.bvh --model foreign", "not written by Footlight"),
        ("dance song.wav --out out/x.bvh --model damaged", "is damaged"),
        ("dance song.wav --out out/x.bvh --model cut", "lacks the configuration"),
        ("dance song.wav --out out/x.bvh --model model --fps 0", "fps is 0"),
        ("dance song.wav --out out/x.bvh --model model --fps nan", "fps is nan"),
        ("dance song.wav --out out/x.bvh --model model --fps thirty", "--fps: invalid float value: 'thirty'"),
        ("dance song.wav --out out/x.bvh --model model --seconds -1", "seconds is -1"),
        ("dance song.wav --out out/x.bvh --model model --start 100", "ends at 6.00 s"),
        ("dance song.wav --out out/x.bvh --model model --seed -1", "seed is -1"),
        ("dance song.wav --out out/x.bvh --model model --moves A2", "moves is A2; expected 1 to 16 letters"),
        ("dance song.wav --out out/x.bvh --model model --moves AB --free-form", "leave one of them out"),
        ("dance song.wav --out out/x.bvh --model model --device abacus", "no device 'abacus'"),
        ("dance song.wav", "required: --out"),
        ("beats nothing.bvh", "no such file"),
        ("beats broken.bvh", "end of file"),
        ("beats text.mp3", "not audio"),
        ("jump", "invalid choice: 'jump'"),
        ("", "required"),
    ],
)
def test_bad_input_is_one_line_and_code_2_and_leaves_nothing(bad, monkeypatch, capsys, line, words):
    monkeypatch.chdir(bad)
    try:
        code = cli.main(line.split())
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    assert code == 2
    assert words in captured.err and captured.err.count("\n") == 1, captured.err
    assert captured.out == ""
    assert not list((bad / "out").iterdir())


def test_with_json_an_error_is_an_event_too(bad, monkeypatch, capsys):
    monkeypatch.chdir(bad)
    assert cli.main(["dance", "silent.wav", "--out", "out/x.bvh", "--json"]) == 2
    captured = capsys.readouterr()
    *said, last = (json.loads(line) for line in captured.out.splitlines())
    assert {event["type"] for event in said} <= {"progress"}
    assert last["type"] == "error" and "silent" in last["message"]
    assert captured.err.count("\n") == 1


def test_a_dance_that_cannot_be_written_leaves_the_old_file(song_file, model_folder, tmp_path, monkeypatch, capsys):
    out = tmp_path / "dance.npz"
    out.write_text("the one from before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    words = ["dance", song_file, "--out", out, "--model", model_folder, "--seconds", 2]
    assert cli.main([str(word) for word in words]) == 2
    assert "No space left" in capsys.readouterr().err
    assert out.read_text() == "the one from before" and os.listdir(tmp_path) == ["dance.npz"]


def test_beats_of_a_song(song_file, capsys):
    assert cli.main(["beats", str(song_file)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tempo"] == pytest.approx(120, abs=2)
    inner = [time for time in found["beats"] if 0.4 < time < 5.6]
    assert len(inner) >= 9 and all(abs(time * 2 - round(time * 2)) < 0.08 for time in inner)
    assert set(found["downbeats"]) <= set(found["beats"])


def test_no_metre_is_told_where_the_beats_are_a_guess(song_file, tmp_path, capsys):
    draw = np.random.default_rng(2)
    clicks = np.cumsum(draw.exponential(0.35, 60) + 0.04)
    samples = np.zeros(20 * 16_000, np.float32)
    for at, loud in zip(clicks[clicks < 19.9], draw.uniform(0.3, 0.9, 60), strict=False):
        samples[int(16_000 * at) :][:60] = loud
    path = tmp_path / "clicks.wav"
    io.write(path, Waveform(torch.from_numpy(samples), 16_000))
    for sound, sure in ((path, False), (song_file, True)):
        assert cli.main(["beats", str(sound)]) == 0
        captured = capsys.readouterr()
        found = json.loads(captured.out)
        assert (found["confidence"] >= UNSURE) == sure and (found["metre"] == 4) == sure
        assert (found["metre"] == 0) != sure and ("a guess" in captured.err) != sure
    assert cli.main(["beats", str(path), "--out", str(tmp_path / "beats.json")]) == 0
    assert "in bars of" not in capsys.readouterr().out


@pytest.fixture
def swinging():
    """Eight seconds of arms that swing and stop twice a second."""
    time = torch.arange(250) / 31.25
    swing = 0.8 * torch.cos(2 * math.pi * time)
    rotations = rotation.identity(250, 22)
    rotations[:, SMPL22.index("left_shoulder")] = rotation.about("z", swing)
    rotations[:, SMPL22.index("right_shoulder")] = rotation.about("z", -swing)
    return Motion(rotations, torch.tensor((0.0, 0.95, 0.0)).repeat(250, 1), 31.25)


def test_beats_go_to_a_file_and_come_back(song_file, model_folder, tmp_path, capsys):
    beats, out = tmp_path / "BEATS.json", tmp_path / "dance.npz"
    assert cli.main(["beats", str(song_file), "--out", str(beats)]) == 0
    tracked = json.loads(beats.read_text())
    assert capsys.readouterr().out == f"{beats}: {len(tracked['beats'])} beats, 120 bpm in bars of 4\n"
    assert cli.main(["beats", str(song_file)]) == 0
    printed = capsys.readouterr().out
    assert {name: json.loads(printed)[name] for name in tracked if name != "format"} == {
        name: value for name, value in tracked.items() if name != "format"
    }

    def danced(text: str) -> dict:
        beats.write_text(text)
        words = ["dance", song_file, "--out", out, "--model", model_folder, "--beats", beats, "--steps", 2, "--json"]
        assert cli.main([str(word) for word in [*words, "--start", 1]]) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    assert danced(printed)["beats"] == [round(time - 1, 4) for time in tracked["beats"] if time >= 1]
    told = danced('{"beats": [0.5, 1.5, 2.5, 3.5], "metre": 3}')
    assert (told["beats"], told["downbeats"], told["tempo"]) == ([0.5, 1.5, 2.5], [2.5], 60.0)
    beats.write_text('{"beats": [2, 1]}')
    assert cli.main(["dance", str(song_file), "--out", str(out), "--beats", str(beats)]) == 2
    assert "the beats at 2 s and 1 s" in capsys.readouterr().err
    assert cli.main(["beats", str(song_file), "--out", str(tmp_path / "beats.txt")]) == 2
    assert ".json" in capsys.readouterr().err


@pytest.mark.parametrize("centimetres", [True, False])
def test_beats_of_a_bvh_file_in_any_unit(swinging, tmp_path, capsys, centimetres):
    path = tmp_path / "dance.txt"  # known by what it holds, not by its name
    bvh.write(path, swinging, 31.25, centimetres)
    assert cli.main(["beats", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    places = kinematics.forward(swinging.rotations, swinging.root)
    assert np.allclose(found["hits"], accents.kinematic_beats(places, 31.25).times, atol=0.02)
    assert found["beats"] == found["hits"] and found["onsets"] and found["seconds"] == pytest.approx(8.0)


@pytest.mark.parametrize(("dip", "beats"), [(0.95e-3, 0), (1.05e-3, 8)])
def test_a_slow_dance_has_the_same_beats_as_bvh_and_as_npz(tmp_path, capsys, dip, beats):
    """A body that glides at 3 cm/s and slows down by ``dip`` m/s once a second. A beat is a dip of 1 mm/s and more."""
    clock = torch.arange(255, dtype=torch.float64) / 30
    smoothed = math.exp(-0.5 * (2 * math.pi * accents.BEAT_SMOOTHING) ** 2)  # of a wave of one second
    root = torch.zeros(255, 3, dtype=torch.float64)
    root[:, 0] = 0.03 * clock - dip / smoothed / (4 * math.pi) * torch.sin(2 * math.pi * (clock - 0.5))
    turns = rotation.identity(255, 22, like=root)
    gliding, found = Motion(turns, root, 30.0), []
    bvh.write(tmp_path / "slow.bvh", gliding, 30.0)
    np.savez(tmp_path / "slow.npz", rotations=turns.numpy(), root=root.numpy(), fps=30.0)
    for name in ("slow.bvh", "slow.npz"):
        assert cli.main(["beats", str(tmp_path / name)]) == 0
        found.append(json.loads(capsys.readouterr().out)["beats"])
    assert len(found[0]) == beats and np.allclose(found[0], found[1], atol=2e-3)


def test_the_program_runs_without_the_garbage_collector(monkeypatch):
    collecting = []
    monkeypatch.setattr(cli, "main", lambda: collecting.append(gc.isenabled()) or 2)
    try:
        assert program.main() == 2
        assert collecting == [False] and gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.enable()


def test_help_needs_no_torch():
    code = "import sys; from core import cli; cli.parser().format_help(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
