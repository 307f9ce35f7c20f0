"""The engine's process and its jobs, with a program that speaks the protocol and misbehaves on command."""

import json
import os
import sys
import time

import pytest

from blender_addon.engine.client import Engine
from blender_addon.engine.job import Job, JobState
from blender_addon.engine.series import CANCELLED, Series
from blender_addon.errors import UserError
from blender_addon.shared import protocol

PROGRAM = """
import json, os, subprocess, sys, time
def say(**event): print(json.dumps(event), flush=True)
say(type="ready", version="1", protocol=6, device="cpu")
for line in sys.stdin:
    message = json.loads(line)
    if message["op"] == "cancel":
        say(type="cancelled", id=message["id"])
        continue
    number, how = message["id"], message["song"]
    say(type="progress", id=number, stage="dancing", fraction=0.5)
    if how == "well":
        say(type="progress", id=number - 1, stage="another's", fraction=0.9)
        beats = dict(beats=[0.5], downbeats=[True], tempo=120.0)
        say(type="done", op="dance", id=number, out="here", frames=3, fps=24, metrics={}, style=None, **beats)
    elif how == "error":
        say(type="failed", id=number, kind="input", message="the song is silent")
    elif how == "crash":
        print("ModuleNotFoundError: no module named torch", file=sys.stderr, flush=True)
        os._exit(3)
    elif how == "garbage":
        print("warning: a library talks", flush=True)
        print('["not", "an", "event"]', flush=True)
        print('{"type": 7}', flush=True)
        say(type="gossip", id=number)
        say(type="progress", id=number, stage="later", fraction=7)
        say(type="done", id=number)
    elif how == "other":
        say(type="done", op="dance", id=number, out=["here"])
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


def request(how):
    return protocol.DanceRequest(song=how, out="here")


def run(engine, how, until=lambda job: job.state.ended):
    job = Job(engine, request(how))
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
        assert isinstance(job.result, protocol.DanceDone) and (job.result.out, job.result.fps) == ("here", 24.0)
        assert (job.stage, job.fraction) == ("dancing", 0.5)
        assert Job(engine, request("well")).stage == "Preparing", "the engine is there"
    assert (engine.device, engine.version) == ("cpu", "1")


def test_the_first_job_waits_for_the_engine(engine):
    assert Job(engine, request("well")).stage == "Starting the engine"


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


def test_the_log_of_two_engines_has_no_hole(engine, tmp_path):
    """Two Blenders have one log: whoever starts begins it anew, and the other goes on in it."""
    run(engine, "garbage")
    other = Engine([sys.executable, "program.py"], tmp_path, engine.log)
    run(engine, "garbage")
    told = engine.log.read_bytes()
    other.stop()
    assert b"\0" not in told and told.count(b"a library talks") == 1


def test_garbage_goes_to_the_log(engine):
    job = run(engine, "garbage")
    assert job.state is JobState.DONE
    assert (job.stage, job.fraction) == ("later", 1.0)
    assert "a library talks" in engine.log_tail()


def test_cancel_that_the_engine_takes_keeps_it_warm(engine):
    job = Job(engine, request("wait"))
    wait(job, lambda job: job.state is JobState.RUNNING)
    job.cancel()
    wait(job)
    assert job.state is JobState.CANCELLED
    assert engine.alive


def test_cancel_that_the_engine_ignores_ends_it_and_its_children(engine):
    now = [0.0]
    job = Job(engine, request("hang"), clock=lambda: now[0])
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
    job = Job(engine, request("well"))
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
    seen = json.loads(engine.log_tail())["names"]
    assert "PATH" in seen and not {"PYTHONHOME", "PYTHONPATH"} & set(seen)


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed child whose parent has gone may stay for a moment as a zombie.
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"


def test_an_answer_that_is_not_understood_fails_and_says_what_to_do(engine):
    job = run(engine, "other")
    assert job.state is JobState.FAILED
    assert "another version" in job.error and "Reinstall" in job.error and "missing" in job.error


def test_an_engine_of_another_protocol_fails_at_once(tmp_path):
    ready = '{"type": "ready", "version": "0", "protocol": 1, "device": "cpu"}'
    program = f"import time; print({ready!r}, flush=True); time.sleep(60)"
    engine = Engine([sys.executable, "-c", program], tmp_path, tmp_path / "log")
    try:
        job = Job(engine, request("well"))
        wait(job)
        assert job.state is JobState.FAILED and f"protocol 1, the add-on {protocol.PROTOCOL}" in job.error
    finally:
        engine.stop()


# Several requests, one after another


def test_a_series_is_as_far_as_its_requests_together(engine):
    series = Series(engine, [request("well"), request("wait")])
    wait(series, lambda series: len(series.result) == 1 and series.stage.endswith("dancing"))
    assert (series.state, series.stage) == (JobState.RUNNING, "2 of 2: dancing")
    assert series.fraction == pytest.approx((1 + 0.5) / 2)
    series.cancel()
    wait(series)
    assert series.state is JobState.DONE and len(series.result) == 1, "what was done before is kept"
    assert series.shortfall == CANCELLED


def test_a_series_whose_requests_are_all_done(engine):
    series = Series(engine, [request("well")] * 3)
    wait(series)
    assert series.state is JobState.DONE and len(series.result) == 3
    assert (series.fraction, series.shortfall) == (1.0, "")


@pytest.mark.parametrize(("how", "state"), [(["error", "well"], JobState.FAILED), (["well", "error"], JobState.DONE)])
def test_a_series_ends_where_a_request_fails(engine, how, state):
    series = Series(engine, [request(each) for each in how])
    wait(series)
    assert series.state is state and series.error == "the song is silent"
    assert len(series.result) == how.index("error")
    assert series.shortfall == ("the song is silent" if series.result else "")


def test_a_series_that_is_cancelled_before_anything_is_done_is_cancelled(engine):
    series = Series(engine, [request("wait"), request("well")])
    wait(series, lambda series: series.fraction > 0)
    series.cancel()
    wait(series)
    assert series.state is JobState.CANCELLED and not series.result and not series.shortfall
