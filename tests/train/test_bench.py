"""The benchmark runs, on short stretches and without its slow reference; what it times is tested elsewhere."""

import json
import re
from dataclasses import replace

import pytest
import soundfile
import torch

from core import checkpoint, cli
from train import bench


@pytest.fixture
def quickly(monkeypatch):
    """Seconds for minutes; nothing in processes of their own. Gives the command lines that would have run there."""
    asked = []
    monkeypatch.setattr(bench, "SHORT", 5)
    monkeypatch.setattr(bench, "LONG", 7)
    monkeypatch.setattr(bench, "Reference", lambda: torch.nn.Linear(1, 1))
    monkeypatch.setattr(bench, "run_reference", lambda network: None)
    monkeypatch.setattr(bench, "write_action_seconds", lambda: None)
    monkeypatch.setattr(bench, "run_cold", asked.append)
    monkeypatch.setattr(bench, "peak_memory", lambda arguments: asked.append(arguments) or 0.5)
    return asked


def test_music_and_duets_have_their_rows(model_folder, tmp_path, quickly, capsys):
    rows = bench.main(bench.Bench(runs=1, threads=1, model=model_folder, out=tmp_path / "rows.json"))
    by_name = {row["what"]: row for row in rows}
    assert json.loads((tmp_path / "rows.json").read_text()) == rows
    for name in ("song to BVH", "of music from motion", "duet"):
        short, long = (by_name[f"{seconds} s {name}, warm"] for seconds in (5, 7))
        assert long["growth"] == pytest.approx(long["median"] / short["median"])
        assert long["ratio"] == pytest.approx(long["median"] / rows[0]["median"]) and rows[0]["ratio"] == 1
    speed = by_name["vocoder alone: 5 s of mel to sound, x real time"]["median"]
    assert speed > 1  # of a tiny one; a few hundred
    assert [name for name in by_name if "peak memory" in name] == [
        f"peak memory with a 7 s {what}, GB" for what in ("song", "motion", "duet")
    ]
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == len(rows) + 1 and "left out" not in shown
    commands = [cli.parser().parse_args(words) for words in quickly]
    assert [c.command for c in commands] == ["dance", "dance", "score", "duet"]
    assert all(c.model == str(model_folder) for c in commands)


def test_what_the_model_cannot_do_is_left_out_and_said(model_folder, tmp_path, quickly, capsys):
    whole = checkpoint.load(model_folder)
    kept = {name: whole.tensors[name] for name in ("mel_vae", "motion_vae", "denoiser")}
    checkpoint.save_folder(tmp_path / "dancer", replace(whole.config, scorer=None, vocoder=None), kept)
    rows = bench.main(bench.Bench(runs=1, threads=1, model=tmp_path / "dancer"))
    assert not [row for row in rows if re.search("music|duet|vocoder|motion", row["what"])]
    shown = capsys.readouterr().out
    assert "dancer has no scorer" in shown and "dancer has no vocoder" in shown
    assert [words[0] for words in quickly] == ["dance", "dance"]


def test_each_operation_goes_from_file_to_file(model_folder, tmp_path, quickly):
    work = bench.Work(tmp_path, model_folder)
    work.dance(5)
    work.score(5)
    work.duet(5)
    for name in ("score.wav", "duet.wav"):
        info = soundfile.info(tmp_path / name)
        assert (info.channels, info.duration) == (2, pytest.approx(5, abs=0.04))
    assert work.motion(5).read_bytes() != (tmp_path / "duet.bvh").read_bytes()


def test_memory_is_that_of_the_command():
    assert 0.1 < bench.peak_memory(["styles"]) < 4
