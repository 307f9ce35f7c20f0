"""The vocoder's training: it learns from clicks, critics join, an exported model decodes, and audio is read."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from core import checkpoint, records
from core.audio.mel import log_mel
from core.config import SignalConfig, VocoderConfig, preset
from core.errors import FootlightError
from core.vocoder.model import Vocoder
from train import export, fit, recipes, run_folder
from train.data import synthetic
from train.loop import LoopConfig
from train.options import Fit, model_config
from train.tasks.vocoder import VocoderTask, VocoderTaskConfig, compare, load_waveforms
from train.tasks.waveform_critics import Critics, critic_loss, deception_loss, matching_loss

QUICK = dict(batch=4, precision="32-true", accelerator="cpu", validate_every=10**6, pictures_every=10**6)
TINY = preset("tiny").vocoder


def arguments(out, steps, **changes) -> Fit:
    recipe = recipes.VocoderRecipe(
        audio="synthetic",
        loop=LoopConfig(lr=3e-3, warmup=3, ema=0.8, **QUICK),
        task=VocoderTaskConfig(frames=16, gan_start=30),
    )
    return Fit(task="vocoder", data="synthetic", out=out, preset="tiny", steps=steps, vocoder=recipe, **changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, fit.main(arguments(folder, steps=36))["vocoder"]


def test_it_learns(run):
    _, result = run
    for name in ("mel", "spectra"):
        history = [step[f"generator/{name}"] for step in result["history"]]
        assert sum(history[22:30]) < 0.95 * sum(history[:8]), f"{name} did not fall: {history}"
    assert set(result["validation"]) == {"mel_l1", "spectra", "onset_f"}


def test_it_learns_how_phases_go_on():
    """Of tones, whose frequency the mel shows: the loss of one that knows nothing is about 1."""
    clock = torch.arange(16 * 256) / 16_000
    samples = torch.stack([0.3 * torch.sin(2 * torch.pi * hz * clock) for hz in (300.0, 455.0, 620.0, 870.0)])
    songs = {split: [(samples.flatten() * 32767).short()] for split in ("train", "val")}
    torch.manual_seed(0)
    phase = VocoderTask(TINY, VocoderTaskConfig(frames=16, phase=1.0), songs, SignalConfig()).phases["generator"]
    optimiser = torch.optim.Adam(phase.networks.parameters(), 5e-3)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = phase({"samples": samples, "mel": log_mel(samples, SignalConfig())}, torch.Generator(), 0)["phase"]
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[0] > 0.5 and losses[-1] < 0.2 * losses[0], losses


def test_critics_join_at_their_step(run):
    _, result = run
    steps = result["history"]
    assert "generator/gan" not in steps[29] and "generator/gan" in steps[30] and "generator/matching" in steps[30]
    assert steps[29]["critics/critics"] == 0 < steps[30]["critics/critics"]


def test_it_is_exported_beside_the_networks_that_are_there(run, tmp_path):
    folder, _ = run
    state = run_folder.averaged(folder, "vocoder")
    config = json.loads((folder / "config.json").read_text())
    assert config["vocoder"]["width"] == TINY.width
    vocoder = Vocoder(TINY, SignalConfig())
    vocoder.load_state_dict(state)
    mel = log_mel(synthetic.waves()["val"][0].float() / 32767, SignalConfig())
    assert vocoder.decode_long(mel[None]).shape == (1, len(mel) * 256)
    with pytest.raises(FootlightError, match="mel-vae"):
        export.main(export.Export(folder, tmp_path / "model"))


def test_a_model_folder_may_hold_one(run, tmp_path):
    folder, _ = run
    config = model_config(arguments(folder, steps=1), {})
    checkpoint.save_folder(tmp_path / "model", config, {"vocoder": run_folder.averaged(folder, "vocoder")})
    loaded = checkpoint.load(tmp_path / "model")
    loaded.load_into("vocoder", Vocoder(loaded.config.vocoder, SignalConfig()))


def test_an_older_run_gains_a_vocoder_and_a_denoiser_of_music(tmp_path):
    dancer = {"motion": preset("tiny").denoisers["motion"]}
    older = replace(preset("tiny"), vocoder=None, denoisers=dancer)
    (tmp_path / "config.json").write_text(json.dumps(records.to_json(older)))
    args = arguments(tmp_path, steps=1)
    assert model_config(replace(args, task="mel-vae"), {}) == older
    assert model_config(args, {}) == replace(older, vocoder=VocoderConfig())
    both = model_config(replace(args, task="scorer"), {})
    assert both == replace(older, vocoder=VocoderConfig(), denoisers=preset("tiny").denoisers)
    assert json.loads((tmp_path / "config.json").read_text()) == json.loads(json.dumps(records.to_json(both)))


def test_critics_tell_noise_from_clicks():
    torch.manual_seed(0)
    critics = Critics(periods=(2, 3), resolutions=(256,))
    optimiser = torch.optim.Adam(critics.parameters(), 3e-3)
    clicks = synthetic.waves()["train"][0].float()[:32000].view(4, -1) / 32767
    noise = 0.1 * torch.randn(4, 8000, generator=torch.Generator().manual_seed(0))
    losses = []
    for _ in range(25):
        optimiser.zero_grad()
        loss = critic_loss(critics(clicks), critics(noise))
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    assert deception_loss(critics(noise)) > deception_loss(critics(clicks))
    assert matching_loss(critics(clicks), critics(clicks)) == 0 < matching_loss(critics(clicks), critics(noise))


def test_it_hears_what_the_run_hears():
    signal = SignalConfig(hop_samples=128, mel_bands=40)
    task = VocoderTask(TINY, VocoderTaskConfig(frames=16), synthetic.waves(), signal)
    batch = task.batch(2, torch.Generator().manual_seed(0))
    assert batch["samples"].shape == (2, 16 * 128) and batch["mel"].shape == (2, 16, 40)
    losses = task.phases["generator"](batch, torch.Generator(), step=0)
    assert all(torch.isfinite(value) for value in losses.values())


def test_figures_know_good_from_bad():
    clicks = synthetic.waves()["val"][0].float() / 32767
    same, late = (compare(sound, clicks, SignalConfig()) for sound in (clicks, clicks.roll(3200)))
    assert same["mel_l1"] == 0 and same["onset_f"] == 1 and same["spectra"] < 1e-5
    assert late["onset_f"] < 0.2 and late["mel_l1"] > 0.2


def test_audio_is_read_by_split(tmp_path, capsys):
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 44_100 * 2), 44_100)
    (tmp_path / "bad.wav").write_bytes(b"words")
    entries = [
        {"path": "a.wav", "kind": "audio", "split": "train"},
        {"path": "b.wav", "kind": "audio", "split": "val"},
        {"path": "bad.wav", "kind": "audio", "split": "train"},
        {"path": "dance.bvh", "kind": "motion", "split": "train"},
    ]
    lines = "".join(json.dumps(entry) + "\n\n" for entry in entries)  # people leave lines empty
    (tmp_path / "index.jsonl").write_text(lines)
    songs = load_waveforms(tmp_path, 16_000)
    assert [len(song) for song in (*songs["train"], *songs["val"])] == [32_000, 32_000]
    assert songs["train"][0].dtype == torch.int16 and "bad.wav" in capsys.readouterr().out


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(FootlightError, match=r"index\.jsonl"):
        load_waveforms(tmp_path, 16_000)
    with pytest.raises(FootlightError, match=r"--vocoder\.audio"):
        fit.waveforms(None, 16_000)
    songs = {"train": [torch.zeros(100, dtype=torch.int16)], "val": []}
    with pytest.raises(FootlightError, match="both splits"):
        VocoderTask(TINY, VocoderTaskConfig(), songs, SignalConfig())
