"""``footlight score``, ``duet`` and ``styles``: files in, files out, and what cannot be used."""

import json

import numpy as np
import pytest
import soundfile
import torch

from core import cli
from core.formats import bvh
from core.motion import kinematics
from tests.core.test_cli import command
from tests.core.vocoder.test_bigvgan import SETTINGS, published


def ran(*words) -> int:
    return cli.main([str(word) for word in words])


def test_a_motion_becomes_music_of_its_length(swinging, model_folder, tmp_path):
    done = command("score", swinging, "--out", "music.wav", "--model", model_folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "music.wav: 4.00 s, 120 bpm" in done.stdout and len(done.stdout.splitlines()) == 1
    samples, rate = soundfile.read(tmp_path / "music.wav")
    assert (samples.shape, rate) == ((64_000, 2), 16_000) and np.abs(samples).max() < 1


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg"])
def test_every_format_mono_and_a_part(swinging, model_folder, tmp_path, ending):
    out = tmp_path / f"music.{ending}"
    assert ran("score", swinging, "--out", out, "--model", model_folder, "--mono", "--start", 1, "--seconds", 2) == 0
    assert soundfile.info(out).channels == 1 and soundfile.info(out).duration == pytest.approx(2.0, abs=0.01)


def test_same_seed_same_music_other_seed_other_music(swinging, model_folder, tmp_path):
    made = []
    for number, seed in enumerate((5, 5, 6)):
        made.append(tmp_path / f"{number}.wav")
        assert ran("score", swinging, "--out", made[-1], "--model", model_folder, "--seed", seed, "--steps", 2) == 0
    first, again, other = (path.read_bytes() for path in made)
    assert first == again != other


def test_openpose_is_read_and_needs_no_body_in_space(swinging, model_folder, tmp_path):
    motion = bvh.read_motion(swinging)
    places = kinematics.forward(motion.rotations, motion.root)[:, :, :2] * torch.tensor([200.0, -200.0]) + 500
    folder = tmp_path / "film"
    folder.mkdir()
    ours = (15, 12, 17, 19, 21, 16, 18, 20, 0, 2, 5, 8, 1, 4, 7)  # nearest of our joints to BODY_25's first 15
    for frame, body in enumerate(places[:, list(ours)].tolist()):
        points = [value for x, y in body for value in (x, y, 0.9)] + [0.0] * 30
        document = {"people": [{"pose_keypoints_2d": points}]}
        (folder / f"film_{frame:012d}_keypoints.json").write_text(json.dumps(document))
    out = tmp_path / "music.wav"
    assert ran("score", folder, "--fps", 30, "--out", out, "--model", model_folder, "--steps", 2) == 0
    assert soundfile.info(out).duration == pytest.approx(4.0, abs=0.05)


def test_json_lines_and_midi(swinging, model_folder, tmp_path, capsys):
    words = ["score", swinging, "--out", tmp_path / "m.wav", "--midi", tmp_path / "m.mid", "--model", model_folder]
    assert ran(*words, "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    fractions = [event["fraction"] for event in events[:-1]]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert events[-1]["seconds"] == 4.0 and events[-1]["tempo"] == pytest.approx(120, abs=3)
    assert (tmp_path / "m.mid").read_bytes().startswith(b"MThd")


def test_a_duet_is_two_files_of_one_length(model_folder, tmp_path, capsys):
    dance, music = tmp_path / "a.bvh", tmp_path / "a.wav"
    words = ["duet", "--seconds", 6, "--out-motion", dance, "--out-music", music, "--model", model_folder]
    assert ran(*words, "--style", "salsa:0.5,robot:0.5", "--steps", 2) == 0
    assert bvh.read_motion(dance).frames == 180
    assert soundfile.info(music).duration == 6.0
    assert "180 frames at 30 fps" in capsys.readouterr().out


def test_styles_are_listed(model_folder, capsys):
    assert ran("styles", "--model", model_folder) == 0
    assert capsys.readouterr().out.split() == ["salsa", "robot"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["score", "none.bvh", "--out", "a.wav"], "none.bvh"),
        (["score", "{motion}", "--out", "a.mp3"], "ending"),
        (["score", "{motion}", "--out", "nowhere/a.wav"], "no folder"),
        (["score", "{motion}", "--out", "a.wav", "--midi", "a.txt"], "ending"),
        (["score", "{motion}", "--out", "a.wav", "--style", "polka"], "polka"),
        (["score", "{motion}", "--out", "a.wav", "--start", "9"], "start"),
        (["score", "{motion}", "--out", "a.wav", "--rest", "zerro"], "rest is 'zerro'; expected zero, first-frame"),
        (["score", "{motion}", "--out", "a.wav", "--vocoder", "none.pt"], "none.pt: there is no such checkpoint"),
        (["duet", "--out-motion", "a.bvh", "--out-music", "a.wav", "--seconds", "2"], "seconds"),
        (["duet", "--out-motion", "a.wav", "--out-music", "a.wav"], "ending"),
        (["duet", "--out-motion", "a.bvh", "--out-music", "a.wav", "--switch", "2"], "switch"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_leaves_nothing(
    swinging, model_folder, tmp_path, monkeypatch, capsys, words, said
):
    monkeypatch.chdir(tmp_path)
    assert ran(*(word.format(motion=swinging) for word in words), "--model", model_folder) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert said in error and error.startswith(f"footlight {words[0]}: ")
    assert list(tmp_path.iterdir()) == []


def test_another_vocoder_can_be_given(swinging, model_folder, tmp_path):
    weights = tmp_path / "bigvgan_generator.pt"
    torch.save({"generator": published(SETTINGS)}, weights)
    (tmp_path / "config.json").write_text(json.dumps(SETTINGS))
    heard = []
    for name, more in (("own", []), ("lim", ["--vocoder", "griffin-lim"]), ("big", ["--vocoder", weights])):
        out = tmp_path / f"{name}.wav"
        assert ran("score", swinging, "--out", out, "--model", model_folder, "--steps", 1, "--mono", *more) == 0
        heard.append(soundfile.read(out)[0])
    assert all(len(samples) == 64_000 and np.abs(samples).max() > 0.01 for samples in heard)
    assert not np.allclose(heard[0], heard[1]) and not np.allclose(heard[0], heard[2])
    assert ran("score", swinging, "--out", tmp_path / "x.wav", "--model", model_folder, "--vocoder", "none.pt") == 2
