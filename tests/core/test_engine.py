"""The engine as what it is: a process that is spoken to, cancelled, fed nonsense, left alone and killed."""

import hashlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blender_addon.engine.client import Engine as Client
from blender_addon.engine.job import Job, JobState
from core import __version__
from core.audio import io
from core.motion.skeleton import SMPL22
from core.protocol import DanceRequest

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds: only a hanging test waits so long

MISCHIEF = """
import os, sys
from core import engine, pipeline
reading = pipeline.read_song
def read_song(path, *part):
    print("a library talks")
    os.write(1, b"a C library too\\n")
    if "memory" in path:
        raise MemoryError
    if "bug" in path:
        raise ZeroDivisionError("line one\\nline two")
    return reading(path, *part)
pipeline.read_song = read_song
sys.exit(engine.main(sys.argv[1:]))
"""


class Process:
    """An engine at the other end of two pipes."""

    def __init__(self, model_folder, program=("-m", "core.engine")):
        command = [sys.executable, *program, "--model", str(model_folder), "--device", "cpu"]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, **pipes)
        self.lines: queue.Queue[bytes] = queue.Queue()
        self.seen: list[dict] = []
        threading.Thread(target=lambda: [self.lines.put(line) for line in self.process.stdout], daemon=True).start()

    def send(self, *messages):
        for message in messages:
            line = message if isinstance(message, bytes) else json.dumps(message).encode()
            self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def until(self, **wanted):
        """The next event that has these values; all events before it go to ``seen``. Every line must be JSON."""
        while True:
            event = json.loads(self.lines.get(timeout=PATIENCE))
            self.seen.append(event)
            if all(event.get(name) == value for name, value in wanted.items()):
                return event

    def end(self):
        self.process.stdin.close()
        return self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def warm(model_folder):
    """One engine that serves many tests, as it serves many dances."""
    engine = Process(model_folder)
    ready = engine.until(type="ready")
    assert engine.seen == [ready] and ready["device"] == "cpu" and ready["protocol"] == 6
    yield engine
    assert engine.end() == 0


@pytest.fixture(scope="module")
def long_song(tmp_path_factory, make_song):
    path = tmp_path_factory.mktemp("long") / "long.wav"
    io.write(path, make_song(60.0))
    return str(path)


def test_a_dance_arrives_whole(warm, song_file, tmp_path):
    out = tmp_path / "dance.npz"
    warm.seen.clear()
    warm.send({"id": 1, "op": "dance", "song": str(song_file), "fps": 24, "seed": 7, "out": str(out)})
    done = warm.until(type="done", id=1)
    progress = [event for event in warm.seen if event["type"] == "progress"]
    fractions = [event["fraction"] for event in progress]
    assert len(fractions) > 6 and fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] <= 1
    assert all(isinstance(event["stage"], str) and event["id"] == 1 for event in progress)
    assert done["out"] == str(out) and done["frames"] == 144 and done["tempo"] == pytest.approx(120, abs=2)
    assert len(done["beats"]) == len(done["downbeats"]) and 0 <= done["metrics"]["beat_f"] <= 1
    with np.load(out, allow_pickle=False) as file:
        arrays = dict(file)
    shapes = {name: arrays[name].shape for name in ("rotations", "root", "contacts")}
    assert shapes == {"rotations": (144, 22, 4), "root": (144, 3), "contacts": (144, 4)}
    assert np.allclose(arrays["beats"], done["beats"]) and arrays["downbeats"].tolist() == done["downbeats"]
    assert tuple(arrays["joints"]) == SMPL22.names and tuple(arrays["parents"]) == SMPL22.parents
    texts = {name: str(arrays[name]) for name in ("seed", "model", "engine", "tempo", "audio_sha256")}
    digest = hashlib.sha256(song_file.read_bytes()).hexdigest()
    tempo = f"{done['tempo']:.3f}"
    assert texts == {"seed": "7", "model": "tiny", "engine": __version__, "tempo": tempo, "audio_sha256": digest}
    assert float(arrays["fps"]) == 24.0


def test_same_seed_same_bytes(warm, song_file, tmp_path):
    for number, seed in ((11, 1), (12, 1), (13, 2)):
        out = str(tmp_path / f"{number}.npz")
        warm.send({"id": number, "op": "dance", "song": str(song_file), "seconds": 2.0, "seed": seed, "out": out})
        warm.until(type="done", id=number)
    first, again, other = ((tmp_path / f"{number}.npz").read_bytes() for number in (11, 12, 13))
    assert first == again
    assert first != other


def test_a_song_is_heard_once_for_dances_in_a_row(warm, song_file, tmp_path):
    """Heard anew for another part, other beats, or other contents under the same name; warned of every time."""
    song, beats = tmp_path / "song.wav", tmp_path / "BEATS.json"
    whole = song_file.read_bytes()
    song.write_bytes(whole[: len(whole) * 3 // 4])
    beats.write_text('{"beats": [0.2, 1.0, 1.8, 2.6, 3.4], "metre": 3}')

    def asked(number, **options):
        warm.seen.clear()
        out = str(tmp_path / f"{number}.npz")
        warm.send({"id": number, "op": "dance", "song": str(song), "steps": 2, "out": out, **options})
        done = warm.until(type="done", id=number)
        return done, any(event.get("stage") == "Finding the beat" for event in warm.seen)

    first, heard = asked("a", seed=1)
    assert heard and len(first["warnings"]) == 1
    second, heard = asked("b", seed=2)
    assert not heard and second["warnings"] == first["warnings"] and second["beats"] == first["beats"]
    again, heard = asked("c", seed=1, beats=str(beats))
    assert heard and again["beats"] == pytest.approx([0.2, 1.0, 1.8, 2.6, 3.4]) and again["metre"] == 3
    assert again["downbeats"] == [True, False, False, True, False] and again["confidence"] is None
    beats.write_text('{"beats": [0.2, 1.0, 1.8, 2.6, 3.4]}')
    assert asked("d", beats=str(beats))[1] and asked("e")[1] and asked("f", seconds=3.0)[1]
    assert (tmp_path / "a.npz").read_bytes() != (tmp_path / "c.npz").read_bytes()
    song.write_bytes(whole)
    assert asked("g", seconds=3.0)[1]
    warm.send({"id": "free", "op": "free"})
    warm.until(type="done", id="free")
    assert asked("h", seconds=3.0)[1]
    whole_again, _ = asked("i", seed=1)
    assert whole_again["frames"] > first["frames"] and not whole_again["warnings"]


def test_beats_and_free(warm, song_file):
    warm.send({"id": "b", "op": "beats", "song": str(song_file), "start": 1.0}, {"id": "f", "op": "free"})
    beats = warm.until(type="done", id="b")
    assert beats["beats"][0] < 0.55 and beats["beats"][-1] < 5 and beats["tempo"] == pytest.approx(120, abs=2)
    assert warm.until(type="done", id="f")


@pytest.mark.parametrize(
    ("message", "kind", "words"),
    [
        (b"what?", "protocol", "one JSON object"),
        (b"\xff\xfe\x00", "protocol", "one JSON object"),
        (b"[" * 100_000, "protocol", "one JSON object"),
        (b'["dance"]', "protocol", "one JSON object"),
        ({"op": 3}, "protocol", "one JSON object"),
        ({"op": "dance"}, "protocol", "needs an id"),
        ({"id": [1], "op": "dance"}, "protocol", "needs an id"),
        ({"id": 20, "op": "sing"}, "protocol", "unknown operation 'sing'"),
        ({"id": 21, "op": "dance"}, "input", "the field 'song' is missing"),
        ({"id": 22, "op": "dance", "song": "nothing.wav", "out": "/tmp/x"}, "input", "no such file"),
        ({"id": 23, "op": "dance", "song": 5, "out": "/tmp/x"}, "input", "dance.song: expected str"),
        ({"id": 24, "op": "dance", "song": "a", "out": "/tmp/x", "speed": 2}, "input", "unknown field 'speed'"),
        ({"id": 25, "op": "dance", "song": "a", "out": "/no/where/x"}, "input", "no folder"),
        ({"id": 26, "op": "beats", "song": "core"}, "input", "folder"),
    ],
)
def test_nonsense_is_answered_and_survived(warm, message, kind, words):
    warm.send(message)
    event = warm.until(type="failed")
    assert event["kind"] == kind and words in event["message"] and "\n" not in event["message"]
    if isinstance(message, dict) and isinstance(message.get("id"), int):
        assert event["id"] == message["id"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fps": 0}, "fps is 0"),
        ({"seconds": float("nan")}, "seconds is nan"),
        ({"steps": 10**6}, "steps is"),
        ({"beat_snap": -1}, "beat snap"),
        ({"moves": "1122"}, "moves is 1122"),
    ],
)
def test_senseless_numbers_are_answered(warm, song_file, tmp_path, change, words):
    warm.send({"id": 30, "op": "dance", "song": str(song_file), "out": str(tmp_path / "x"), **change})
    event = warm.until(type="failed", id=30)
    assert event["kind"] == "input" and words in event["message"]
    assert not list(tmp_path.iterdir())


def test_cancel_ends_what_runs_and_what_waits_and_nothing_else(warm, long_song, song_file, tmp_path):
    slow = {"op": "dance", "song": long_song, "steps": 1000}
    warm.seen.clear()
    warm.send({"op": "cancel", "id": 40}, {"op": "cancel", "id": "never"})  # before there is such a request: nothing
    warm.send({**slow, "id": 40, "out": str(tmp_path / "40")}, {**slow, "id": 41, "out": str(tmp_path / "41")})
    warm.until(type="progress", id=40, stage="Dancing")
    warm.send({"op": "cancel", "id": 41}, {"op": "cancel", "id": 40})
    warm.until(type="cancelled", id=40)
    warm.until(type="cancelled", id=41)
    steps = [event for event in warm.seen if event.get("stage") == "Dancing"]
    assert len(steps) < 900  # it did not run to its end
    assert not [event for event in warm.seen if event["type"] == "progress" and event["id"] == 41]
    warm.send({"id": 40, "op": "dance", "song": str(song_file), "seconds": 2, "out": str(tmp_path / "again")})
    warm.until(type="done", id=40)
    assert os.listdir(tmp_path) == ["again"]


@pytest.mark.parametrize("stage", ["Reading the song", "Finding the beat", "Planting the feet", "Judging the dance"])
def test_cancel_within_a_step_keeps_the_engine(warm, long_song, song_file, tmp_path, stage):
    warm.seen.clear()
    warm.send({"id": 45, "op": "dance", "song": long_song, "steps": 1, "out": str(tmp_path / "45")})
    warm.until(type="done", id=45)
    inside = [event for event in warm.seen if event.get("stage") == stage]
    assert len(inside) >= 5  # so often it may be stopped there: in a minute of song, in proportion in a longer one
    part = {"start": 0.5}  # another one: the song that was heard last is not heard again
    warm.send({"id": 46, "op": "dance", "song": long_song, "steps": 1, "out": str(tmp_path / "46"), **part})
    warm.until(type="progress", id=46, stage=stage)
    warm.send({"op": "cancel", "id": 46})
    warm.until(type="cancelled", id=46)
    warm.seen.clear()
    warm.send({"id": 47, "op": "dance", "song": str(song_file), "seconds": 2, "out": str(tmp_path / "47")})
    warm.until(type="done", id=47)
    assert not [event for event in warm.seen if event.get("stage") == "Loading the model"]
    assert sorted(os.listdir(tmp_path)) == ["45", "47"]


@pytest.fixture(scope="module")
def longer_song(tmp_path_factory, make_song):
    """Long enough for a preview by the tiny model."""
    path = tmp_path_factory.mktemp("longer") / "longer.wav"
    io.write(path, make_song(75.0))
    return str(path)


def test_the_first_seconds_are_handed_on_before_the_rest(warm, longer_song, tmp_path):
    """As they will be, unless an accent is counted otherwise; and the dance is that of a request without them."""
    dance = {"op": "dance", "song": longer_song, "beat_snap": 0}
    out, preview = tmp_path / "dance.npz", tmp_path / "preview.npz"
    warm.seen.clear()
    warm.send({"id": 60, **dance, "out": str(out), "preview": str(preview)})
    told = warm.until(type="preview", id=60)
    with np.load(preview) as file:
        first = dict(file)
    assert not out.exists()
    assert told["out"] == str(preview) and told["frames"] == len(first["root"]) == 900 and told["fps"] == 30
    warm.until(type="done", id=60)
    fractions = [event["fraction"] for event in warm.seen if event["type"] == "progress"]
    assert fractions == sorted(fractions)
    with np.load(out) as file:
        assert np.abs(file["root"][:900] - first["root"]).max() < 1e-4
        assert (file["joints"] == first["joints"]).all() and file["audio_sha256"] == first["audio_sha256"]
    warm.send({"id": 61, **dance, "out": str(tmp_path / "plain.npz")})
    warm.until(type="done", id=61)
    assert (tmp_path / "plain.npz").read_bytes() == out.read_bytes()


def test_a_short_song_has_no_preview(warm, song_file, tmp_path):
    warm.seen.clear()
    preview, out = str(tmp_path / "preview.npz"), str(tmp_path / "dance.npz")
    warm.send({"id": 62, "op": "dance", "song": str(song_file), "out": out, "preview": preview})
    warm.until(type="done", id=62)
    assert os.listdir(tmp_path) == ["dance.npz"] and not [event for event in warm.seen if event["type"] == "preview"]


def test_a_cancel_after_the_first_seconds_leaves_no_dance(warm, longer_song, song_file, tmp_path):
    out = tmp_path / "dance.npz"
    warm.send({"id": 63, "op": "dance", "song": longer_song, "out": str(out), "preview": str(tmp_path / "preview.npz")})
    warm.until(type="preview", id=63)
    warm.send({"op": "cancel", "id": 63})
    warm.until(type="cancelled", id=63)
    assert os.listdir(tmp_path) == ["preview.npz"]
    warm.send({"id": 64, "op": "dance", "song": str(song_file), "seconds": 2, "out": str(out)})
    warm.until(type="done", id=64)


def test_one_id_at_a_time(warm, long_song, tmp_path):
    slow = {"id": 50, "op": "dance", "song": long_song, "steps": 1000, "out": str(tmp_path / "x")}
    warm.send(slow, slow)
    assert "still at work" in warm.until(type="failed", kind="protocol")["message"]
    warm.send({"op": "cancel", "id": 50})
    warm.until(type="cancelled", id=50)


def test_the_add_ons_client_and_the_engine_understand_each_other(model_folder, long_song, song_file, tmp_path):
    command = [sys.executable, "-m", "core.engine", "--model", str(model_folder), "--device", "cpu"]
    client = Client(command, ROOT, tmp_path / "log")
    try:
        short = DanceRequest(song=str(song_file), seconds=2.0, out=str(tmp_path / "dance"))
        job = Job(client, short)
        while not job.poll().ended:
            threading.Event().wait(0.02)
        assert job.state is JobState.DONE, job.error
        assert client.device == "cpu" and job.result.frames == 60
        job = Job(client, replace(short, song=long_song, seconds=None, steps=1000))
        while job.poll() is not JobState.RUNNING or job.stage != "Dancing":
            assert not job.state.ended, job.error
            threading.Event().wait(0.02)
        job.cancel()
        while not job.poll().ended:
            threading.Event().wait(0.02)
        assert job.state is JobState.CANCELLED
    finally:
        client.stop(patience=PATIENCE)


def test_a_job_tells_of_the_first_seconds_and_survives_a_killed_engine(model_folder, longer_song, tmp_path):
    command = [sys.executable, "-m", "core.engine", "--model", str(model_folder), "--device", "cpu"]
    client = Client(command, ROOT, tmp_path / "log")
    try:
        out, preview = str(tmp_path / "dance"), str(tmp_path / "preview")
        job = Job(client, DanceRequest(song=longer_song, out=out, preview=preview))
        while job.preview is None:
            assert not job.poll().ended, job.error
            threading.Event().wait(0.01)
        assert (job.preview.out, job.preview.frames) == (preview, 900) and job.state is JobState.RUNNING
        os.killpg(client._process.pid, signal.SIGKILL)
        while not job.poll().ended:
            threading.Event().wait(0.01)
        assert job.state is JobState.FAILED and sorted(os.listdir(tmp_path)) == ["log", "preview"]
    finally:
        client.stop()


@pytest.mark.parametrize("how", ["quit", "end of input", "kill"])
def test_however_it_ends_nothing_half_written_stays(model_folder, long_song, tmp_path, how):
    engine = Process(model_folder)
    out = str(tmp_path / "dance")
    engine.send({"id": 1, "op": "dance", "song": long_song, "steps": 1000, "out": out})
    engine.until(type="progress", stage="Dancing")
    if how == "quit":
        engine.send({"op": "quit"})
    elif how == "kill":
        engine.process.kill()
    else:
        engine.process.stdin.close()
    code = engine.process.wait(PATIENCE)
    assert code == (-signal.SIGKILL if how == "kill" else 0)
    assert os.listdir(tmp_path) == []


def test_other_peoples_prints_and_failures_do_no_harm(model_folder, song_file, tmp_path):
    engine = Process(model_folder, ("-c", MISCHIEF))
    engine.send({"id": 1, "op": "dance", "song": "memory.wav", "out": str(tmp_path / "x")})
    assert engine.until(type="failed", id=1)["kind"] == "memory"  # until() demands that every line is JSON
    engine.send({"id": 2, "op": "beats", "song": "bug.wav"})
    error = engine.until(type="failed", id=2)
    assert (error["kind"], error["message"]) == ("internal", "ZeroDivisionError: line one line two")
    engine.send({"id": 3, "op": "beats", "song": str(song_file)})
    engine.until(type="done", id=3)
    assert engine.end() == 0


def test_a_damaged_model_is_an_answer_and_an_unknown_device_the_end(tmp_path, song_file):
    (tmp_path / "config.json").write_text("{")
    engine = Process(tmp_path)
    engine.send({"id": 1, "op": "dance", "song": str(song_file), "out": str(tmp_path / "x")})
    event = engine.until(type="failed", id=1)
    assert event["kind"] == "input" and "damaged" in event["message"]
    assert engine.end() == 0
    command = [sys.executable, "-m", "core.engine", "--device", "abacus"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and done.stdout == ""
    assert "no device 'abacus'" in done.stderr.splitlines()[-1]
