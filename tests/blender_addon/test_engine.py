"""The engine's process and its jobs, with a program that speaks the protocol and misbehaves on command."""

import json
import os
import sys
import time

import pytest

from blender_addon.engine.client import Engine
from blender_addon.engine.job import Job, JobState, Request
from blender_addon.errors import UserError

PROGRAM = """
import json, os, subprocess, sys, time
def say(**event): print(json.dumps(event), flush=True)
say(type="ready", version="1", device="cpu")
for line in sys.stdin:
    message = json.loads(line)
    if message["op"] == "cancel":
        say(type="cancelled", id=message["id"])
        continue
    number, how = message["id"], message["how"]
    say(type="progress", id=number, stage="dancing", fraction=0.5)
    if how == "well":
        say(type="progress", id=number - 1, stage="another's", fraction=0.9)
        say(type="done", id=number, out="here")
    elif how == "error":
        say(type="failed", id=number, kind="input", message="the song is silent")
    elif how == "crash":
        print("ModuleNotFoundError: no module named torch", file=sys.stderr, flush=True)
        os._exit(3)
    elif how == "garbage":
        print("warning: a library talks", flush=True)
        print('["not", "an", "event"]', flush=True)
        print('{"type": 7}', flush=True)
        say(type="progress", id=number, fraction="half")
        say(type="progress", id=number, stage="later", fraction=7)
        say(type="done", id=number)
    elif how == "hang":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        say(type="progress", id=number, stage=str(child.pid), fraction=0.6)
        time.sleep(600)
"""


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    engine = Engine([sys.executable, "program.py"], tmp_path, tmp_path / "engine.log")
    yield engine
    engine.stop()


def run(engine, how, until=lambda job: job.state.ended):
    job = Job(engine, Request("dance", {"how": how}))
    wait(job, until)
    return job


def wait(job, until=lambda job: job.state.ended):
    end = time.monotonic() + 60
    while not until(job):
        assert time.monotonic() < end, (job.state, job.stage)
        job.poll()
        time.sleep(0.01)


def test_one_engine_serves_many_jobs(engine):
    for _ in range(2):
        job = run(engine, "well")
        assert job.state is JobState.DONE
        assert job.result["out"] == "here"
        assert (job.stage, job.fraction) == ("dancing", 0.5)
    assert (engine.device, engine.version) == ("cpu", "1")


def test_the_engines_own_error_is_shown_and_the_engine_lives_on(engine):
    job = run(engine, "error")
    assert (job.state, job.error) == (JobState.FAILED, "the song is silent")
    assert run(engine, "well").state is JobState.DONE


def test_a_crash_says_the_engines_last_words(engine):
    job = run(engine, "crash")
    assert job.state is JobState.FAILED
    assert "code 3" in job.error and "no module named torch" in job.error
    assert not engine.alive


def test_a_job_sent_to_a_dead_engine_fails(engine):
    run(engine, "crash")
    assert run(engine, "well").state is JobState.FAILED


def test_garbage_goes_to_the_log(engine):
    job = run(engine, "garbage")
    assert job.state is JobState.DONE
    assert (job.stage, job.fraction) == ("later", 1.0)
    assert "a library talks" in engine.log_tail()


def test_cancel_that_the_engine_takes_keeps_it_warm(engine):
    job = Job(engine, Request("dance", {"how": "wait"}))
    wait(job, lambda job: job.state is JobState.RUNNING)
    job.cancel()
    wait(job)
    assert job.state is JobState.CANCELLED
    assert engine.alive


def test_cancel_that_the_engine_ignores_ends_it_and_its_children(engine):
    now = [0.0]
    job = Job(engine, Request("dance", {"how": "hang"}), clock=lambda: now[0])
    wait(job, lambda job: job.stage.isdigit())
    child = int(job.stage)
    job.cancel()
    job.poll()
    assert job.state is JobState.CANCELLING
    now[0] = 0.99  # within the second that the user is promised
    assert job.poll() is JobState.CANCELLED
    assert not engine.alive
    gone = time.monotonic() + 10
    while _alive(child):
        assert time.monotonic() < gone
        time.sleep(0.02)


def test_a_result_after_cancel_is_not_used(engine):
    job = Job(engine, Request("dance", {"how": "well"}))
    job.cancel()
    wait(job)
    assert job.state is JobState.CANCELLED


def test_stdin_closes_so_an_idle_engine_ends_by_itself(engine):
    run(engine, "well")
    engine.stop(patience=30)
    assert engine._process.returncode == 0


def test_a_missing_program_is_a_clear_error(tmp_path):
    with pytest.raises(UserError, match="cannot be started"):
        Engine([tmp_path / "nothing"], tmp_path, tmp_path / "log")


def test_blenders_own_python_paths_do_not_reach_the_engine(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    program = 'import json, os; print(json.dumps({"type": "seen", "names": sorted(os.environ)}))'
    engine = Engine([sys.executable, "-c", program], tmp_path, tmp_path / "log")
    engine.stop(patience=30)
    seen = next(event for event in engine.events() if event["type"] == "seen")["names"]
    assert not {"PYTHONHOME", "PYTHONPATH"} & set(seen)


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed child whose parent has gone may stay for a moment as a zombie.
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


def test_requests_are_plain_json():
    request = Request("dance", {"song": "a.wav", "steps": None})
    assert json.loads(json.dumps(request.message)) == {
        "id": request.number,
        "op": "dance",
        "song": "a.wav",
        "steps": None,
    }
