"""The benchmark runs, on short stretches and without its slow reference; what it times is tested elsewhere."""

import json
import re
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch

from core import checkpoint, cli, progress
from core.audio import io
from core.edits.parts import parse_parts
from core.errors import FootlightError
from core.formats import bvh
from core.formats.motion import read_motion
from core.pipeline import beginning
from core.protocol import DanceRequest
from core.results import Dance
from core.show import file as show_file
from core.types import Motion, Waveform
from train.bench import edits, speed
from train.bench.processes import AVX2, REFERENCE, code_of, medians_of, seconds_in_turn, worker
from train.data import synthetic

OTHERS = {
    "own": {"": 0.5, "Dancing": 1.5},
    "AVX2": {"": 1.0, "Dancing": 3.0},
    REFERENCE: {"": 200.0},
    "abc123": {"": 0.5, "Dancing": 4.5},
}


class Told:
    """A worker that says what it takes without working."""

    def __init__(self, name):
        self.name = name

    def seconds(self, what):
        return OTHERS[self.name]


@contextmanager
def told(arguments, model, reference, against):
    yield {name: Told(name) for name in OTHERS}


@pytest.fixture
def quickly(monkeypatch):
    """Seconds for minutes; nothing in processes of their own. Gives the command lines that would have run there."""
    asked = []
    monkeypatch.setattr(speed, "SHORT", 5)
    monkeypatch.setattr(speed, "LONG", 7)
    monkeypatch.setattr(speed, "Reference", lambda: torch.nn.Linear(1, 1))
    monkeypatch.setattr(speed, "run_reference", lambda network, compute, steps: None)
    monkeypatch.setattr(speed, "write_action_seconds", lambda: None)
    monkeypatch.setattr(speed, "run_cold", asked.append)
    monkeypatch.setattr(speed, "engine_start", lambda request, given: (0.5, 1.0))
    monkeypatch.setattr(speed, "engine_memory", lambda request, given, requests: [0.3] * requests)
    monkeypatch.setattr(speed, "workers", told)
    monkeypatch.setattr(speed, "peak_memory", lambda arguments: asked.append(arguments) or 0.5)
    return asked


def test_music_and_duets_have_their_rows(model_folder, tmp_path, quickly, capsys):
    rows = speed.main(speed.Bench(runs=1, threads=1, model=model_folder, out=tmp_path / "rows.json"))
    by_name = {row["what"]: row for row in rows}
    assert json.loads((tmp_path / "rows.json").read_text()) == rows
    for name in ("song to BVH", "of music from motion", "duet"):
        short, long = (by_name[f"{seconds} s {name}, warm"] for seconds in (5, 7))
        assert long["growth"] == pytest.approx(long["median"] / short["median"])
        assert long["ratio"] == pytest.approx(long["median"] / rows[0]["median"]) and rows[0]["ratio"] == 1
    vocoding = by_name["vocoder alone: 5 s of mel to sound, x real time"]["median"]
    assert vocoding > 1  # of a tiny one; a few hundred
    assert [name for name in by_name if "peak memory" in name] == [
        f"peak memory with a 7 s {what}, GB" for what in ("song", "motion", "duet")
    ]
    assert by_name["5 s dance: AVX2"]["ratio"] == 2 and by_name["5 s dance: abc123"]["ratio"] == 2.5
    assert by_name["  dance, AVX2: dancing"]["ratio"] == 0.75
    assert by_name["  dance, abc123: dancing"]["median"] == 4.5
    assert by_name["5 s of music: AVX2"]["ratio"] == by_name["5 s duet: AVX2"]["ratio"] == 2
    assert by_name[f"{REFERENCE}, 5 s (in dances with AVX2 in turn)"]["ratio"] == 50
    assert by_name["engine: memory after 50 requests, GB"]["median"] == 0.3
    stages = [row for row in rows if row["what"].startswith("  of a dance: ")]
    assert len(stages) >= 6 and sum(row["ratio"] for row in stages) == pytest.approx(1)
    music = [row for row in rows if row["what"].startswith("  of music: ")]
    assert len(music) >= 4 and sum(row["ratio"] for row in music) == pytest.approx(1)
    sampling = next(row for row in stages if row["what"].endswith("dancing"))
    floor = by_name["5 s dance without sampling"]
    assert floor["ratio"] == pytest.approx(1 - sampling["ratio"])
    whole = by_name["7 s, one thread, processor time: making the dance"]
    edited = [row for row in rows if row["what"].startswith("  an edit of four bars of it: ")]
    assert whole["ratio"] == 1 and len(edited) == 4
    assert all(row["ratio"] == pytest.approx(row["median"] / whole["median"]) and row["median"] > 0 for row in edited)
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == len(rows) + 1 and "left out" not in shown
    commands = [cli.parser().parse_args(words) for words in quickly]
    assert [c.command for c in commands] == ["dance", "dance", "score", "duet"]
    assert all(c.model == str(model_folder) for c in commands)


def test_what_the_model_cannot_do_is_left_out_and_said(model_folder, tmp_path, quickly, capsys):
    whole = checkpoint.load(model_folder)
    kept = {name: whole.tensors[name] for name in ("autoencoder.music", "autoencoder.motion", "denoiser.motion")}
    dancer = replace(whole.config, denoisers={"motion": whole.config.denoisers["motion"]}, vocoder=None)
    checkpoint.save_folder(tmp_path / "dancer", dancer, kept)
    rows = speed.main(speed.Bench(runs=1, threads=1, model=tmp_path / "dancer"))
    assert not [row for row in rows if re.search("of music from|duet|vocoder|a 7 s motion", row["what"])]
    shown = capsys.readouterr().out
    assert "dancer has no denoiser of music" in shown and "dancer has no vocoder" in shown
    assert [words[0] for words in quickly] == ["dance", "dance"]


def test_each_operation_goes_from_file_to_file(model_folder, tmp_path, quickly):
    work = speed.Work(tmp_path, model_folder)
    work.dance(5)
    work.score(5)
    work.duet(5)
    for name in ("score.wav", "duet.wav"):
        info = soundfile.info(tmp_path / name)
        assert (info.channels, info.duration) == (2, pytest.approx(5, abs=0.04))
    assert work.motion(5).read_bytes() != (tmp_path / "duet.bvh").read_bytes()
    work.light(5)
    assert show_file.read(tmp_path / "light.json").seconds == pytest.approx(5, abs=0.1)


def test_dance_and_light_are_timed_where_a_model_has_a_theatre(theatre_folder, tmp_path, quickly):
    work = speed.Work(tmp_path, theatre_folder)
    work.lit_dance(5)
    assert read_motion(tmp_path / "lit.bvh").seconds == pytest.approx(5, abs=0.1)
    assert show_file.read(tmp_path / "lit.json").seconds == pytest.approx(5, abs=0.1)


def test_memory_is_that_of_the_command():
    assert 0.1 < speed.peak_memory(["styles"]) < 4


def test_edits_are_timed_in_processor_time_beside_their_dance(monkeypatch):
    """By a clock that only the operations move: each by its own seconds, the first and slowest time left out."""
    clock, threads, asked = [0.0], [], []

    def lasting(name, seconds, made):
        def make(*given):
            threads.append(torch.get_num_threads())
            asked.append((name, given))
            clock[0] += seconds * (100 if len(asked) <= 6 else 1)
            return made

        return make

    motion = Motion(torch.zeros(600, 22, 4), torch.zeros(600, 3), 30.0)
    monkeypatch.setattr(edits.time, "process_time", lambda: clock[0])
    monkeypatch.setattr(edits.pipeline, "hear_song", lasting("hear", 1.0, None))
    monkeypatch.setattr(edits.pipeline, "dance_to", lasting("dance", 5.0, Dance(motion, None, {}, "House")))
    monkeypatch.setattr(edits, "edit_dance", lasting("edit", 0.5, None))
    before = torch.get_num_threads()
    taken = edits.edit_seconds(None, Waveform(torch.zeros(20 * 16_000), 16_000), 2)
    assert taken == {"hearing the song": 1.0, "making the dance": 5.0} | dict.fromkeys(edits.KINDS, 0.5)
    assert set(threads) == {1} and torch.get_num_threads() == before
    edited = [given[2] for name, given in asked if name == "edit"]
    assert {(edit.start, edit.end) for edit in edited} == {(225, 375)}  # a quarter of it, in its middle
    assert [len(edit.parts) for edit in edited[:4]] == [len(parse_parts(kind)) for kind in edits.KINDS]


def test_stages_are_timed_where_they_are_reported():
    def make():
        with progress.part(0.0, 0.5, "first"):
            time.sleep(0.05)
        with progress.part(0.5, 1.0, "second"):
            time.sleep(0.1)
            progress.report(0.5)
            time.sleep(0.1)

    taken = speed.stage_seconds(make, 3)
    assert list(taken) == ["", "first", "second"]
    assert 0.05 <= taken["first"] < taken["second"] and taken["second"] >= 0.2 and taken[""] < 0.05


def test_a_real_engine_is_started_and_answers(model_folder, tmp_path):
    song = tmp_path / "song.wav"
    io.write(song, Waveform(synthetic.clicks(120.0, 3.0, torch.Generator().manual_seed(0)), 16_000))
    request = DanceRequest(song=str(song), out=str(tmp_path / "dance.npz"), steps=1)
    ready, answered = speed.engine_start(request, ["--model", str(model_folder)])
    assert 0 < ready < answered and (tmp_path / "dance.npz").is_file()
    held = speed.engine_memory(request, ["--model", str(model_folder)], 3)
    assert not held or (len(held) == 3 and all(0.1 < gigabytes < 2 for gigabytes in held))
    with pytest.raises(AssertionError, match="no such file"):
        speed.engine_start(DanceRequest(song="none.wav", out=str(tmp_path / "x.npz")), ["--model", str(model_folder)])


def test_others_dance_with_older_instructions_and_older_code(model_folder, tmp_path):
    song = tmp_path / "song.wav"
    io.write(song, Waveform(synthetic.clicks(120.0, 3.0, torch.Generator().manual_seed(0)), 16_000))
    arguments = [str(song), str(tmp_path / "dance.bvh"), "--seconds", "5", "--model", str(model_folder)]
    with code_of("HEAD") as tree:
        assert (tree / "core" / "pipeline").is_dir()
        with (
            worker("bench_dance", arguments, AVX2) as older,
            worker("bench_dance", arguments, tree=tree) as other,
            worker("bench_reference", ["--steps", "1"], AVX2) as slow,
        ):
            assert older.instructions == slow.instructions == min(torch.backends.cpu.get_cpu_capability(), "AVX2")
            assert Path(other.core).is_relative_to(tree) and not Path(older.core).is_relative_to(tree)
            taken = seconds_in_turn({"older": older, "other": other}, "dance", 1)
            assert taken["older"].keys() == taken["other"].keys() >= {"", speed.SAMPLING}
            assert older.seconds("score").keys() >= {"", speed.COMPOSING} and "Inventing" in older.seconds("duet")
            assert all(seconds > 0 for seconds in (*taken["older"].values(), *slow.seconds().values()))
    assert not tree.exists()
    with pytest.raises(FootlightError, match="no-such-commit"), code_of("no-such-commit"):
        pass
    with pytest.raises(FootlightError, match="has ended"), worker("bench_dance", ["none.wav", str(tmp_path / "x.bvh")]):
        pass


BEFORE = {
    "core/__init__.py": "",
    "core/audio/__init__.py": "",
    "core/audio/io.py": "def read(path, seconds=None): return (path, seconds)",
    "core/motion/__init__.py": "",
    "core/motion/bvh.py": "def write(path, motion): path.write_text(motion)",
    "core/pipeline/__init__.py": """
from types import SimpleNamespace as Named

Model = Named(load=lambda folder: "model")

def dance(model, song):
    yield Named(stage="Listening", fraction=0.0)
    yield Named(stage="Dancing", fraction=0.5)
    return Named(motion=f"{model} {song[1]}")

def run(steps, on_progress):
    while True:
        try:
            on_progress(next(steps))
        except StopIteration as end:
            return end.value
""",
}
"""A core as it was before ``core.progress``, as far as a dance calls it."""


def test_a_core_whose_operations_yield_their_progress_dances(tmp_path):
    for name, text in BEFORE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    out = tmp_path / "dance.bvh"
    with worker("bench_dance", ["song.wav", str(out), "--seconds", "5"], tree=tmp_path) as before:
        assert list(before.seconds()) == ["", "Listening", speed.SAMPLING]
    assert out.read_text() == "model 5.0"


def test_medians_are_those_of_each_stage():
    assert medians_of([{"a": 1.0, "b": 5.0}, {"a": 3.0, "b": 5.0}, {"a": 2.0}]) == {"a": 2.0, "b": 5.0}


def test_the_first_seconds_of_a_long_dance_are_timed_in_turn_with_the_whole(model_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "LONG", 15)
    work = speed.Work(tmp_path, model_folder)
    assert speed.preview_rows(work, 1) == []  # too short
    monkeypatch.setattr(beginning, "SHOWN", 0.5)
    monkeypatch.setattr(beginning, "BEYOND", 0.2)
    first, both = speed.preview_rows(work, 1)
    assert "first seconds" in first["what"] and 0 < first["median"] < both["median"]
    assert first["ratio"] / first["median"] == pytest.approx(both["ratio"] / both["median"])
    assert bvh.read_motion(tmp_path / "preview.bvh").frames == 15
    assert (tmp_path / "after.bvh").read_bytes() == work.motion(15).read_bytes()
