"""Music for scenes and duets in batches, with an engine that does what it is told; Blender says what came out."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.blender_addon.obedient import obedient, save_dance

BATCH = Path(__file__).parents[3] / "train" / "render_batch.py"

pytestmark = pytest.mark.blender

SCENE = """
import sys
import bpy
sys.path.insert(0, {root!r})
from blender_addon.scene import actions
from blender_addon.scene.dancer import add_dancer
bpy.ops.wm.read_homefile(use_empty=True)
scene = bpy.context.scene
scene.render.fps, scene.frame_start, scene.frame_end = 25, 101, 160
bpy.context.collection.objects.link(bpy.data.objects.new("Door", bpy.data.armatures.new("Door")))
bpy.ops.wm.save_as_mainfile(filepath={folder!r} + "/nobody.blend")
mary = add_dancer(bpy.context)
mary.name = "Mary"
bpy.ops.wm.save_as_mainfile(filepath={folder!r} + "/still.blend")
actions.write_dance({folder!r} + "/dance.npz", mary, 101)
bpy.ops.wm.save_as_mainfile(filepath={folder!r} + "/moving.blend")
"""


@pytest.fixture
def batch(run, tmp_path):
    """Run render_batch with the obedient engine, which is told what to do by the file ``how``."""
    save_dance(tmp_path)
    python = obedient(tmp_path)

    def batch(*arguments: object, how: str = "well") -> subprocess.CompletedProcess:
        (tmp_path / "how").write_text(how)
        return run(BATCH, *arguments, "--python", python)

    return batch


def test_scenes_get_their_music(batch, run, look, tmp_path):
    script, out = tmp_path / "scene.py", tmp_path / "out"
    script.write_text(SCENE.format(root=str(BATCH.parents[1]), folder=str(tmp_path)))
    made = run(script)
    scenes = [tmp_path / f"{name}.blend" for name in ("nobody", "still", "moving")]
    assert scenes[2].is_file(), made.stdout + made.stderr
    arguments = ("--score", *scenes, "--out", out, "--seed", 4, "--style", "salsa:0.7,pop:0.3")
    before = scenes[2].read_bytes()
    answer = batch(*arguments)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "no body that Footlight knows" in answer.stdout and "does not move" in answer.stdout
    assert scenes[2].read_bytes() == before
    assert sorted(path.name for path in out.iterdir()) == ["moving_score_4.blend", "moving_score_4.wav"]
    asked = json.loads((tmp_path / "asked.json").read_text())
    assert (asked["op"], asked["seed"], asked["style"]) == ("score", 4, "salsa:0.7,pop:0.3")
    motion = np.load(tmp_path / "asked.npz")
    assert motion["rotations"].shape == (60, 22, 4) and motion["fps"] == 25.0
    assert abs(soundfile.info(out / "moving_score_4.wav").duration - 60 / 25) < 1e-3
    scene = look("music.py", out / "moving_score_4.blend")
    assert scene == {"strips": [["//moving_score_4.wav", 101, 161]], "frames": [101, 160], "actions": ["Dance"]}
    assert "skipped" in batch(*arguments, "--skip-existing").stdout.split("moving.blend")[-1]


def test_duets_by_the_number(batch, look, tmp_path):
    out = tmp_path / "out"
    answer = batch("--duet", 5, "--count", 2, "--seed", 7, "--fps", 24, "--out", out)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    names = [f"duet_{seed}.{ending}" for seed in (7, 8) for ending in ("blend", "wav")]
    assert sorted(path.name for path in out.iterdir()) == names
    asked = json.loads((tmp_path / "asked.json").read_text())
    assert (asked["op"], asked["seed"], asked["seconds"], asked["fps"]) == ("duet", 8, 5.0, 24.0)
    scene = look("music.py", out / "duet_8.blend")
    assert scene == {"strips": [["//duet_8.wav", 1, 121]], "frames": [1, 120], "actions": ["Dance and Music - seed 8"]}


def test_an_engine_that_refuses_leaves_nothing(batch, tmp_path):
    answer = batch("--duet", 5, "--out", tmp_path / "out", how="refuse")
    assert answer.returncode == 1 and "duet 0  failed" in answer.stdout and "the song is silent" in answer.stdout
    assert not list((tmp_path / "out").iterdir())


def test_a_batch_that_is_interrupted_says_what_it_made(blender, tmp_path):
    save_dance(tmp_path)
    python, out = obedient(tmp_path), tmp_path / "out"
    songs = [str(tmp_path / f"{name}.wav") for name in ("a", "hang", "z")]  # the engine goes by the names
    for path in songs:
        soundfile.write(path, np.sin(np.arange(32_000) / 10), 16_000)
    command = [
        *blender,
        str(BATCH),
        *(["--"] if "-b" in blender else []),
        *songs,
        "--out",
        str(out),
        "--python",
        python,
    ]
    environment = dict(os.environ, BLENDER_USER_RESOURCES=str(tmp_path), FOOTLIGHT_TEST_FOLDER=str(tmp_path))
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    )
    asked = tmp_path / "asked.json"
    for _ in range(600):
        if asked.is_file() and "hang.wav" in asked.read_text():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said, told = process.communicate(timeout=60)
    assert process.returncode == 130, said + told
    assert "a.wav" in said.split("result\n")[1] and "interrupted: 2 of 3 were not made" in said
    assert "Traceback" not in told and sorted(path.name for path in out.iterdir()) == ["a.blend"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no folder in which even root makes no other")
def test_a_folder_that_cannot_be_made_is_said(batch):
    answer = batch("--duet", 5, "--out", "/proc/films")
    assert answer.returncode == 2 and "/proc/films: no folder to write to" in answer.stderr, answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_folder_of_films_is_told_how_they_are_taken(batch, tmp_path):
    films = tmp_path / "films"
    films.mkdir()
    answer = batch(films, "--out", tmp_path / "out")
    assert answer.returncode == 2 and answer.stderr.endswith("films: there is no song in this folder\n"), answer.stderr
    (films / "film.mp4").write_bytes(b"")
    answer = batch(films, "--out", tmp_path / "out")
    assert answer.returncode == 2 and f"films are taken by their names, as {films / 'film.mp4'}" in answer.stderr
