"""The speed test of the command line: what it times, and what it says of a user's song."""

import json
import re

import pytest
import torch

from core import bench, cli, pipeline
from core.audio.beat_tracking import track_beats
from core.bench import Speed

SPEED = Speed("Some Processor 9000", "AVX2", "cpu", 2, (9.0, 6.0, 7.5))


def test_a_song_of_any_length_is_expected_to_take_its_share():
    assert SPEED.seconds == 7.5
    assert SPEED.expected(30.0) == 7.5 and SPEED.expected(120.0) == 30.0
    assert bench.told(SPEED, 125.4, "love.mp3") == (
        "Some Processor 9000 (AVX2, 2 threads): 7.5 s for a dance of 30 s (6.0 to 9.0); "
        "love.mp3 of 2:05 takes about 31 s"
    )
    assert bench.told(SPEED, 1.0, "jingle.wav").endswith("jingle.wav of 0:01 takes about 0.2 s")


def test_the_song_has_the_beat_that_it_was_made_with():
    song = bench.plain_song()
    assert song.seconds == 30.0 and song.samples.abs().max() <= 1
    assert torch.equal(song.samples, bench.plain_song().samples)
    beats = track_beats(song)
    assert beats.tempo == pytest.approx(bench.TEMPO, rel=0.01)
    assert beats.confidence is not None and beats.confidence > 0.5
    assert (torch.remainder(beats.times + 0.25, 0.5) - 0.25).abs().median() < 0.03


@pytest.mark.parametrize(
    ("info", "name"),
    [
        (
            "processor\t: 0\nmodel name\t: Fast 1 @ 2 GHz\nflags\t: fpu\n\nmodel name\t: Fast 1 @ 2 GHz\n",
            "Fast 1 @ 2 GHz",
        ),
        ("processor\t: 0\nBogoMIPS\t: 50.00\n", None),  # as on ARM
        (None, None),
    ],
)
def test_a_processor_has_a_name_on_every_system(tmp_path, monkeypatch, info, name):
    monkeypatch.setattr(bench, "CPU_INFO", tmp_path / "cpuinfo")
    if info is not None:
        bench.CPU_INFO.write_text(info)
    assert bench.processor() if name is None else bench.processor() == name


def test_arithmetic_is_that_of_the_device(monkeypatch):
    monkeypatch.setattr(bench, "native_half", lambda device: None)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert bench.arithmetic(torch.device("cpu")) == "AVX-512"
    monkeypatch.setattr(bench, "native_half", lambda device: torch.bfloat16)
    assert bench.arithmetic(torch.device("cpu")) == "bf16"


def run(model_folder, capsys, *words):
    assert cli.main(["bench", "--model", str(model_folder), "--steps", "1", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_the_command_times_dances_and_says_what_a_song_takes(model_folder, song_file, capsys, monkeypatch):
    danced = []
    real = pipeline.generate_dance
    monkeypatch.setattr(bench, "SONG_SECONDS", 3.0)
    monkeypatch.setattr(bench, "generate_dance", lambda *args: danced.append(real(*args)))
    lines = [json.loads(line) for line in run(model_folder, capsys, "--seconds", 60, "--json").splitlines()]
    assert len(danced) == 1 + bench.RUNS and all(made.motion.seconds == 3.0 for made in danced)
    done = lines[-1]
    assert done["type"] == "done" and all(line["type"] == "progress" for line in lines[:-1])
    assert min(done["runs"]) <= done["seconds"] <= max(done["runs"]) and len(done["runs"]) == bench.RUNS
    assert done["length"] == 60 and done["expected"] == pytest.approx(20 * done["seconds"])
    said = run(model_folder, capsys, song_file)
    assert len(said.splitlines()) == 1
    assert re.search(rf"{re.escape(str(song_file))} of 0:0\d takes about", said)


def test_a_song_that_is_not_there_is_told_before_anything_is_timed(model_folder, capsys):
    assert cli.main(["bench", "none.wav", "--model", str(model_folder)]) == 2
    assert "none.wav" in capsys.readouterr().err
