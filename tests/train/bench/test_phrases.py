"""The benchmark of phrases: the likeness of bars whose chords are known, and its table."""

import json

import pytest
import soundfile
import torch

from core.types import Beats, Waveform
from train.bench import phrases
from train.demo.song import compose

RATE = 16000


def chords(*names: int) -> tuple[Waveform, Beats]:
    """A fifth on each pitch class for a bar of two seconds."""
    clock = torch.arange(2 * RATE) / RATE
    bars = []
    for name in names:
        low = 220 * 2 ** (name / 12)
        bars.append(0.3 * (torch.sin(2 * torch.pi * low * clock) + torch.sin(2 * torch.pi * 1.5 * low * clock)))
    times = torch.arange(4 * len(names)) * 0.5
    return Waveform(torch.cat(bars), RATE), Beats(times, 120.0, torch.arange(len(times)) % 4 == 0)


def test_bars_that_come_again_are_alike_and_others_are_not():
    four, other = (0, 5, 7, 9), (2, 4, 11, 1)
    found = phrases.likeness(*chords(*four, *four, *four, *four))
    assert found["4"] == pytest.approx(1, abs=0.02) and found["others"] < 0
    assert found["8"] == pytest.approx(1, abs=0.02) and "16" not in found
    apart = phrases.likeness(*chords(*four, *other, *four, *other))
    assert apart["8"] == pytest.approx(1, abs=0.02) and apart["4"] < 0.3


def test_the_table_has_the_songs_and_both_kinds_of_music(model_folder, tmp_path, capsys):
    song = compose(seconds=20.0)
    soundfile.write(tmp_path / "a.wav", song.samples, song.rate)
    line = {"kind": "audio", "split": "val", "path": "a.wav", "seconds": 20.0}
    (tmp_path / "index.jsonl").write_text(json.dumps(line) + "\n")
    asked = phrases.Bench(tmp_path, str(model_folder), device="cpu", out=tmp_path / "rows.json")
    rows = phrases.main(asked)
    assert json.loads(asked.out.read_text()) == rows and [row["of"] for row in rows] == list(phrases.KINDS)
    said = capsys.readouterr().out
    assert all(f"{row['others']:.2f}" in said for row in rows)
