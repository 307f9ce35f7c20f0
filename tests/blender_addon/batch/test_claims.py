"""Several batches on one folder: who makes what, and who takes over what."""

import errno
import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.blender_addon.obedient import obedient, save_dance

BATCH = Path(__file__).parents[3] / "train" / "render_batch.py"

pytestmark = pytest.mark.blender


@pytest.fixture
def claims():
    pytest.importorskip("bpy", reason="the bpy module is not installed")
    from blender_addon.batch import claims

    return claims


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def write_claim(path: Path, host: str, process: int, space: str = "", age: float = 0.0, since: float = 0.0) -> None:
    about = {"host": host, "process": process, "space": space, "since": since, "token": "abc"}
    path.write_text(json.dumps(about))
    os.utime(path, (time.time() - age,) * 2)


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_claim_says_who_holds_it_and_goes_with_the_work(claims, tmp_path):
    with claims.Claims(tmp_path).making("a") as other:
        assert other is None
        (path,) = tmp_path.iterdir()
        about = json.loads(path.read_text())
        assert path.name == ".a.claim" and (about["host"], about["process"]) == (socket.gethostname(), os.getpid())
        written = time.mktime(time.strptime(about["time"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
        assert abs(written - time.time()) < 60
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt), claims.Claims(tmp_path).making("a"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_a_claim_is_touched_while_the_work_goes_on(claims, tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "TOUCHES", 0.02)
    path, mine = tmp_path / ".a.claim", claims.Claims(tmp_path)
    with mine.making("a"):
        for _ in range(2):
            os.utime(path, (0, 0))
            assert soon(lambda: path.stat().st_mtime > 1e9)
        write_claim(path, "render9", 7)  # somebody took it over, as this computer slept
        time.sleep(0.1)
        os.utime(path, (0, 0))
        time.sleep(0.2)
        assert path.stat().st_mtime == 0, "what is not ours any more is not kept fresh"
    assert path.is_file(), "nor taken away"
    mine.close()
    assert mine._toucher.returncode == 0


def soon(true, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.02)
    return bool(found)


def test_a_claim_from_elsewhere_is_taken_over_when_it_was_quiet_for_its_time(claims, tmp_path, clock):
    """Whatever its date: the other computer's clock is five minutes behind."""
    path, said = tmp_path / ".a.claim", []
    write_claim(path, "render9", os.getpid(), age=300)
    mine = claims.Claims(tmp_path, said.append, clock)

    def holder():
        with mine.making("a") as other:
            return other and (other.host, other.process)

    theirs = ("render9", os.getpid())
    assert holder() == theirs
    clock.seconds += claims.QUIET - 1
    assert holder() == theirs
    os.utime(path, (time.time() - 290,) * 2)  # a touch
    clock.seconds += 2
    assert holder() == theirs
    clock.seconds += claims.QUIET - 1
    assert holder() == theirs and not said
    clock.seconds += 1
    assert holder() is None and not list(tmp_path.iterdir())
    assert len(said) == 1 and said[0].startswith("taken over from the batch on render9") and said[0].endswith(": a")


def test_an_old_claim_from_elsewhere_is_taken_over_at_once(claims, tmp_path):
    write_claim(tmp_path / ".old.claim", "render9", 1, age=claims.OLD + 5)
    write_claim(tmp_path / ".new.claim", "render9", 1, age=claims.OLD - 60)
    mine = claims.Claims(tmp_path)
    with mine.making("old") as other:
        assert other is None
    with mine.making("new") as other:
        assert other is not None


def test_of_this_computer_the_claim_of_a_process_that_ended_is_taken_over_at_once(claims, tmp_path):
    here, space = socket.gethostname(), claims._space()
    write_claim(tmp_path / ".ended.claim", here, ended_process(), space)
    write_claim(tmp_path / ".runs.claim", here, os.getppid(), space)
    write_claim(tmp_path / ".container.claim", here, ended_process(), "another container of the same name")
    mine = claims.Claims(tmp_path)
    for stem, free in (("ended", True), ("runs", False), ("container", False)):
        with mine.making(stem) as other:
            assert (other is None) == free, stem


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"host": "a", "process": "x", "space": "", "since": 0}', b"\xff"]
)
def test_a_claim_that_says_nothing_is_respected_for_its_time(claims, tmp_path, clock, content):
    """As of a batch that was killed while it wrote it."""
    (tmp_path / ".a.claim").write_bytes(content)
    mine = claims.Claims(tmp_path, clock=clock)
    with mine.making("a") as other:
        assert str(other) == "another batch"
    clock.seconds += claims.QUIET
    with mine.making("a") as other:
        assert other is None


def test_batches_that_run_together_began_when_the_first_of_them_did(claims, tmp_path):
    """What batches made that do not run any more does not count."""
    for name, age, since in (("a", 10, 2000.0), ("b", 10, 3000.0), ("silent", claims.QUIET + 5, 1000.0)):
        write_claim(tmp_path / f".{name}.claim", "render9", 1, age=age, since=since)
    write_claim(tmp_path / ".ended.claim", socket.gethostname(), ended_process(), claims._space(), since=500.0)
    mine = claims.Claims(tmp_path)
    assert mine.since == 2000.0
    with mine.making("c"):
        assert json.loads((tmp_path / ".c.claim").read_text())["since"] == 2000.0
    write_claim(tmp_path / ".d.claim", "render8", 1, since=1500.0)
    with mine.making("d") as other:
        assert other is not None and mine.since == 1500.0


@pytest.mark.parametrize("stem", ["l" * 249, "\N{DANCER}" * 62])
def test_a_result_with_the_longest_name_has_a_claim_of_its_own(claims, tmp_path, stem):
    with claims.Claims(tmp_path).making(stem), claims.Claims(tmp_path).making(f"{stem}x"):
        assert len(list(tmp_path.iterdir())) == 2


STEMS = 30


def _grab(folder: Path, start, results) -> None:
    from blender_addon.batch import claims

    mine = claims.Claims(folder)
    start.wait()
    taken = []
    for number in range(STEMS):
        if mine._take(f"song{number}") is None:
            taken.append(number)
            mine._keep_fresh(None)
            mine._held = None  # and it stays
    mine.close()
    results.put(taken)
    start.wait()  # nobody may end before all have tried


@pytest.mark.parametrize("abandoned", [False, True])
def test_of_many_that_reach_for_a_claim_one_gets_it(claims, tmp_path, abandoned):
    """Also where all of them find one whose process has ended."""
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(6), context.Queue()
    if abandoned:
        process = ended_process()
        for number in range(STEMS):
            write_claim(tmp_path / f".song{number}.claim", socket.gethostname(), process, claims._space())
    others = [context.Process(target=_grab, args=(tmp_path, start, results)) for _ in range(6)]
    for other in others:
        other.start()
    taken = [number for _ in others for number in results.get(timeout=120)]
    for other in others:
        other.join()
    assert sorted(taken) == list(range(STEMS))
    assert {path.suffix for path in tmp_path.iterdir()} == {".claim"}


def test_a_claim_that_another_has_taken_over_meanwhile_is_left_to_it(claims, tmp_path):
    """Between reading an abandoned claim and taking it away somebody else did so and holds it now."""
    path = tmp_path / ".a.claim"
    write_claim(path, "render9", 1)
    found = claims._read(path)
    write_claim(path, "render8", 2)
    assert not claims._removed(path, found)
    assert json.loads(path.read_text())["host"] == "render8" and list(tmp_path.iterdir()) == [path]
    assert claims._removed(path, claims._read(path)) and not list(tmp_path.iterdir())


def program_with(monkeypatch, make):
    from blender_addon.batch import __main__ as program

    monkeypatch.setattr(program, "make", make)
    return program


@pytest.mark.parametrize("refusal", [errno.EROFS, errno.EACCES, errno.ENOTSUP, errno.ENOSPC])
@pytest.mark.parametrize("refused", ["open", "utime", "process"])
def test_without_claims_a_batch_goes_on_and_says_so_once(claims, tmp_path, monkeypatch, capfd, refused, refusal):
    def no(*_more, **_options):
        raise OSError(refusal, os.strerror(refusal))

    whole = Path.open
    monkeypatch.setattr(claims, "_PAUSE", 0.0)
    if refused == "process":
        monkeypatch.setattr(claims.subprocess, "Popen", no)
    elif refused == "utime":
        monkeypatch.setattr(claims.os, "utime", no)
    else:
        monkeypatch.setattr(Path, "open", lambda path, mode="r", *more, **o: (no if "x" in mode else whole)(path, mode))
    program = program_with(monkeypatch, lambda *_: "danced")
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).touch()
    assert program.main([str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    said = capfd.readouterr().out
    assert said.count("takes no claims") == 1 and os.strerror(refusal) in said
    assert [line.split()[:2] for line in said.split("result\n")[1].splitlines()] == [
        ["a.wav", "done"],
        ["b.wav", "done"],
    ]
    assert not list((tmp_path / "out").iterdir())


def test_a_song_that_fails_leaves_no_claim(claims, tmp_path, monkeypatch):
    held = []

    def make(item, *_more):
        held.append([path.name for path in (tmp_path / "out").iterdir()])
        raise RuntimeError("no")

    program = program_with(monkeypatch, make)
    (tmp_path / "a.wav").touch()
    assert program.main([str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert held == [[".a.claim"]] and not list((tmp_path / "out").iterdir())


def test_what_another_makes_is_waited_for_and_made_where_it_failed(claims, tmp_path, monkeypatch, capfd):
    """The other batch on another computer gives up; its song is made here, last."""
    out = tmp_path / "out"
    out.mkdir()
    made = []

    def make(item, *_more):
        made.append(item.label)
        return "danced"

    program = program_with(monkeypatch, make)
    monkeypatch.setattr(program.time, "sleep", lambda _seconds: (out / ".a.claim").unlink())
    for name in ("a.wav", "b.wav", "c.wav"):
        (tmp_path / name).touch()
    write_claim(out / ".a.claim", "render9", 4711)
    assert program.main([str(tmp_path), "--out", str(out)]) == 0
    assert made == ["b.wav", "c.wav", "a.wav"]
    said, table = capfd.readouterr().out.split("result\n")
    assert said.count("left     a.wav: the batch on render9 (process 4711) makes it\n") == 1
    assert [line.split()[0] for line in table.splitlines()] == ["a.wav", "b.wav", "c.wav"]


@pytest.fixture
def start(blender, tmp_path):
    """Start a batch of some songs with the obedient engine, which goes by their names. What still runs is killed."""
    save_dance(tmp_path)
    python, out, started = obedient(tmp_path), tmp_path / "out", []

    def start(*names: str, more: tuple[str, ...] = ()) -> subprocess.Popen:
        for name in names:
            if not (tmp_path / f"{name}.wav").exists():
                soundfile.write(tmp_path / f"{name}.wav", np.sin(np.arange(32_000) / 10), 16_000)
        songs = [str(tmp_path / f"{name}.wav") for name in names]
        command = [*blender, str(BATCH), *(["--"] if "-b" in blender else []), *songs, "--out", str(out), *more]
        environment = dict(os.environ, BLENDER_USER_RESOURCES=str(tmp_path), FOOTLIGHT_TEST_FOLDER=str(tmp_path))
        process = subprocess.Popen(
            [*command, "--python", python],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment,
        )
        started.append(process)
        return process

    yield start
    (tmp_path / "go").touch()  # or an engine would wait for it for ever
    for process in started:
        process.kill()
        process.communicate()


def asked_of_engines(folder: Path) -> Counter:
    path = folder / "asked.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return Counter(Path(json.loads(line)["song"]).stem for line in lines)


def rows(said: str) -> dict[str, str]:
    """The states in the table of a batch, by song."""
    found = re.findall(r"^(\w+)\.wav +(\w+) ", said.split("result\n")[1], re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize("skip", [False, True])
def test_two_batches_on_one_folder_make_each_song_once(start, tmp_path, skip):
    """One of them is held up at the first song, and the other makes all others meanwhile; then they end together."""
    names, more = ("gate", "b", "c", "d"), ("--skip-existing",) if skip else ()
    both = [start(*names, more=more) for _ in range(2)]
    assert soon(lambda: all((tmp_path / "out" / f"{name}.blend").is_file() for name in names[1:]), 300)
    (tmp_path / "go").touch()
    said = []
    for process in both:
        out, told = process.communicate(timeout=300)
        assert process.returncode == 0, out + told
        said.append(out)
    assert asked_of_engines(tmp_path) == dict.fromkeys(names, 1)
    tables = sorted(map(rows, said), key=lambda table: table["gate"])
    assert tables == [
        {"gate": "done", "b": "others", "c": "others", "d": "others"},
        {"gate": "others", "b": "done", "c": "done", "d": "done"},
    ]
    late = next(out for out in said if rows(out)["gate"] == "others")
    assert late.count("left     gate.wav: ") == 1 and "1 of 4 were made by other batches on this folder" in late
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.blend", "c.blend", "d.blend", "gate.blend"]

    again = start(*names)  # nobody else runs: all is made anew, as it was asked for
    out, told = again.communicate(timeout=300)
    assert again.returncode == 0 and set(rows(out).values()) == {"done"}, out + told


def test_the_song_of_a_batch_that_was_killed_is_taken_over(start, tmp_path):
    killed = start("gate", "b")
    assert soon(lambda: asked_of_engines(tmp_path)["gate"] == 1, 300)
    second = start("b", "gate")
    assert soon((tmp_path / "out" / "b.blend").is_file, 300)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert (tmp_path / "out" / ".gate.claim").is_file()
    (tmp_path / "go").touch()
    out, told = second.communicate(timeout=300)
    assert second.returncode == 0 and rows(out) == {"b": "done", "gate": "done"}, out + told
    assert out.count("taken over from the batch on ") == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.blend", "gate.blend"]
