"""One budget for all: what the runner of baselines and ablations asks ``train.fit`` for, and what it leaves behind."""

import pytest
import torch

from core import checkpoint, pipeline
from core.errors import FootlightError
from train import ablations
from train.ablations import ABLATIONS, Ablations, main, settings, share


def arguments(out, *names, **steps) -> Ablations:
    return Ablations("synthetic", out, names, preset="tiny", **{"frames": 48, **steps})


@pytest.mark.parametrize("name", list(ABLATIONS))
def test_every_network_gets_the_same_steps(name, tmp_path):
    asked = settings(arguments(tmp_path, name, mel_steps=3, motion_steps=5, denoiser_steps=7), name)
    direct = ABLATIONS[name].direct
    assert (asked.mel_vae.loop.steps, asked.motion_vae.loop.steps) == (3, 5)
    assert asked.denoiser.loop.steps == (12 if direct else 7)
    assert asked.denoiser.task.frames == (96 if direct else 48)
    assert (asked.motion_vae.task.rhythm == 0) == (name == "no-contrast")


def test_shared_tasks_are_trained_once_and_finished_entries_left_alone(tmp_path, capsys):
    asked = arguments(tmp_path, "base", "unet", mel_steps=2, motion_steps=2, denoiser_steps=2)
    main(asked)
    for task in ("mel-vae", "motion-vae"):
        one, other = (tmp_path / name / task / "ema.safetensors" for name in asked.names)
        assert one.read_bytes() == other.read_bytes()
    kinds = [checkpoint.load(tmp_path / name / "model").config.denoisers["motion"].kind for name in asked.names]
    assert kinds == ["transformer", "unet"]
    assert all(isinstance(pipeline.Model.load(tmp_path / name / "model"), pipeline.Model) for name in asked.names)
    torch.manual_seed(0)
    capsys.readouterr()
    main(asked)
    assert capsys.readouterr().out.splitlines() == ["base: already trained", "unet: already trained"]


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(FootlightError, match="takes its mel-vae from base"):
        share(arguments(tmp_path), "no-contrast")
    with pytest.raises(FootlightError, match="unknown ablation 'none'"):
        settings(arguments(tmp_path), "none")
    assert all(source in ablations.ABLATIONS for entry in ABLATIONS.values() for source in entry.shares.values())
