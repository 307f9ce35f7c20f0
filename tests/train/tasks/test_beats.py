"""The task of the beat network: its targets by hand, and that it learns clicks."""

import numpy as np
import pytest
import torch

from core.audio.beat_network import BANDS, FPS, WEIGHTS, BeatNetwork, activations, levels, network
from core.errors import FootlightError
from train.loop import LoopConfig, fit
from train.tasks.beats import BeatsTask, BeatsTaskConfig, Clip, load_clips, targets


def clicks(bpm, seed):
    """A clip whose spectrum rises on every beat, and in the bass on every fourth."""
    draw = np.random.default_rng(seed)
    level = draw.normal(-9, 0.3, (800, BANDS))
    beats = np.arange(7.3, 790, 60 * FPS / bpm)
    for i, at in enumerate(beats):
        level[int(at) : int(at) + 6, 20:] += 4
        if i % 4 == 0:
            level[int(at) : int(at) + 10, :8] += 6
    at = torch.from_numpy(beats)
    return Clip(torch.from_numpy(level).half(), at, at[::4].clone())


def test_targets_are_bumps_at_fractions_of_frames():
    curve = targets(torch.tensor([10.0, 20.5], dtype=torch.float64), 30, 1.2)
    assert curve[10] == 1 and curve[20] == curve[21] == pytest.approx(np.exp(-0.5 * (0.5 / 1.2) ** 2))
    assert curve[15] < 1e-3 and len(targets(torch.zeros(0, dtype=torch.float64), 9, 1.2)) == 9


def test_it_learns_beats_and_downbeats(tmp_path):
    clips = {split: [clicks(bpm, i) for i, bpm in enumerate((95, 110, 125))] for split in ("train", "val")}
    config = BeatsTaskConfig(frames=600, width=16, blocks=6)
    loop = LoopConfig(steps=60, batch=4, lr=5e-3, warmup=5, ema=0.9, precision="32-true", validate_every=1000)
    result = fit(BeatsTask(config, clips), loop, tmp_path)
    first, last = (
        np.mean([row["beats/total"] for row in some]) for some in (result["history"][:5], result["history"][-5:])
    )
    assert last < 0.6 * first
    assert result["validation"]["beats_found"] > 0.7


def test_loudness_does_not_matter_to_what_it_hears():
    mel = torch.rand(300, BANDS, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(levels(mel), levels(0.01 * mel), atol=1e-4, rtol=0)
    beat, down = activations(mel)
    assert len(beat) == len(down) == 300 and bool(((beat >= 0) & (beat <= 1)).all())
    assert bool(activations(torch.zeros(200, BANDS))[0].isfinite().all())


def test_what_ships_hears_what_its_logits_say():
    mel = torch.rand(300, BANDS, generator=torch.Generator().manual_seed(1))
    odds = network()(levels(mel)[None])[0]
    for found, column in zip(activations(mel), (0, 1), strict=True):
        torch.testing.assert_close(torch.logit(found), odds[:, column], atol=1e-3, rtol=1e-3)


def test_a_folder_without_excerpts_says_what_to_run(tmp_path):
    with pytest.raises(FootlightError, match="no such index"):
        load_clips(tmp_path)


def test_it_starts_from_weights_of_its_size(tmp_path):
    task = BeatsTask(BeatsTaskConfig(), {})
    task.start_from(WEIGHTS)
    started, mel = task.phases["beats"].network("beats", BeatNetwork).eval(), torch.rand(1, 200, BANDS)
    torch.testing.assert_close(started(mel), network()(mel), atol=1e-4, rtol=1e-4)
    damaged = tmp_path / "beats.safetensors"
    damaged.write_bytes(WEIGHTS.read_bytes()[:1000])
    for weights, config in (
        (WEIGHTS, BeatsTaskConfig(width=16)),
        (damaged, BeatsTaskConfig()),
        (tmp_path / "none", BeatsTaskConfig()),
    ):
        with pytest.raises(FootlightError, match="does not hold the weights of a beat network of this size") as caught:
            BeatsTask(config, {}).start_from(weights)
        assert "\n" not in str(caught.value)
