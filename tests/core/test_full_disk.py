"""Disks that are full: the real thing, as a limit on the size of files that the system enforces; and every step at
which writing may fail."""

import builtins
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core import files
from core.errors import FootlightError

pytest.importorskip("resource", reason="this system has no limit on the size of files")

ROOT = Path(__file__).parents[2]
LIMIT = "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))"

EVERYTHING = f"""
import resource, sys
from pathlib import Path
import torch
from core import checkpoint, config
from core.audio import io
from core.errors import FootlightError
from core.files import write_together
from core.formats import bvh, midi
from core.motion import rotation
from core.rhythm import drums
from core.types import Beats, Motion, Waveform

sound = Waveform(torch.rand(2, 160_000) * 2 - 1, 16_000)
motion = Motion(rotation.identity(300, 22), torch.rand(300, 3), 30.0)
clock = torch.arange(400.0)
strokes = drums.Strokes(drums.KIT[0], clock, torch.ones(400))
network = {{"weight": torch.rand(100, 100)}}
writers = {{
    "a.wav": lambda path: io.write(path, sound),
    "a.flac": lambda path: io.write(path, sound),
    "a.ogg": lambda path: io.write(path, sound),
    "a.bvh": lambda path: bvh.write(path, motion),
    "a.mid": lambda path: write_together({{path: midi.encoded(Beats(clock), [strokes])}}),
    "a.safetensors": lambda path: checkpoint.save_folder(path.parent, config.preset("tiny"), {{path.stem: network}}),
}}
{LIMIT}
for folder in sys.argv[1:]:
    for name, write in writers.items():
        try:
            write(Path(folder) / name)
            print(name, "was written")
        except FootlightError as error:
            print(error)
"""

ENGINE = f"import resource, sys; from core.engine import main; {LIMIT}; sys.exit(main(sys.argv[1:]))"
NAMES = ("a.wav", "a.flac", "a.ogg", "a.bvh", "a.mid", "a.safetensors")


def started(code: str, *arguments, **pipes) -> subprocess.Popen:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, **pipes)


def test_every_file_appears_whole_or_not_at_all(tmp_path):
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    for name in NAMES:
        (full / name).write_text("the one from before")
    said, _ = started(EVERYTHING, empty, full).communicate()
    places = [folder / name for folder in (empty, full) for name in NAMES]
    for place, line in zip(places, said.splitlines(), strict=True):
        assert str(place) in line and "File too large" in line and "free space" in line
    assert not list(empty.iterdir())
    assert {path.name: path.read_text() for path in full.iterdir()} == dict.fromkeys(NAMES, "the one from before")


def test_the_engine_answers_and_goes_on(tmp_path, song_file, model_folder):
    out = tmp_path / "dance.npz"
    out.write_text("the one from before")
    process = started(ENGINE, "--model", model_folder, "--device", "cpu", stdin=subprocess.PIPE)
    dance = {"id": 1, "op": "dance", "song": str(song_file), "seconds": 2, "out": str(out)}
    for message in (dance, {"id": 2, "op": "free"}):
        process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
    answers = {}
    while len(answers) < 2:
        event = json.loads(process.stdout.readline())
        if event["type"] in ("done", "failed"):
            answers[event["id"]] = event
    process.communicate()
    assert process.returncode == 0 and answers[2]["type"] == "done"
    assert answers[1]["kind"] == "input" and "File too large" in answers[1]["message"]
    assert [path.name for path in tmp_path.iterdir()] == [out.name] and out.read_text() == "the one from before"


@pytest.mark.parametrize(("place", "step"), [(builtins, "open"), (os, "fsync"), (os, "replace")])
def test_whatever_step_fails_nothing_is_left_behind(tmp_path, monkeypatch, place, step):
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(place, step, full)
        with pytest.raises(FootlightError, match=r"a\.bin: cannot be written \(No space left.*free space"):
            files.write_atomically(path, b"after")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"] and path.read_bytes() == b"before"
    files.write_atomically(path, b"after")
    assert path.read_bytes() == b"after"


def test_several_files_come_or_fail_as_one(tmp_path):
    first, second = tmp_path / "a.bin", tmp_path / "b.bin"
    first.write_bytes(b"before")
    second.mkdir()
    for place in (second, tmp_path / "absent" / "c.bin"):
        with pytest.raises(FootlightError, match=place.name):
            files.write_together({first: b"after", place: b"after"})
        assert sorted(tmp_path.iterdir()) == [first, second] and first.read_bytes() == b"before"
    second.rmdir()
    files.write_together({first: b"after", second: b"too"})
    assert (first.read_bytes(), second.read_bytes(), len(list(tmp_path.iterdir()))) == (b"after", b"too", 2)


def test_a_name_as_long_as_names_may_be_is_written(tmp_path):
    path = tmp_path / ("歌" * 83 + ".wav")  # 253 bytes of 255
    files.write_atomically(path, b"sound")
    assert path.read_bytes() == b"sound" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_who_may_read_a_file_is_decided_by_the_users_umask(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        files.write_atomically(tmp_path / "a.bin", b"mine")
    finally:
        os.umask(before)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == mode


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(tmp_path / "a.bin", b"after")
    assert not list(tmp_path.iterdir())
