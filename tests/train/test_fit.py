"""The whole training path on a data set made of nothing: three tasks, export, and a model that loads."""

import json
from dataclasses import replace

import pytest
import torch

from core import checkpoint
from core.errors import FootlightError
from train import export, fit, run_folder
from train.loop import LoopConfig


def quick(**settings) -> LoopConfig:
    return LoopConfig(
        batch=4, precision="32-true", accelerator="cpu", validate_every=10**6, pictures_every=10**6, **settings
    )


def arguments(task: str, out, steps: int) -> fit.Fit:
    return fit.Fit(
        task=task,
        data="synthetic",
        out=out,
        preset="tiny",
        steps=steps,
        mel_vae=fit.MelVAERecipe(quick(lr=2e-3, warmup=5, ema=0.9), fit.MelVAEConfig(frames=64, gan_start=20)),
        motion_vae=fit.MotionVAERecipe(quick(lr=2e-3, warmup=5, ema=0.9), fit.MotionVAEConfig(frames=64)),
        denoiser=fit.DenoiserRecipe(
            quick(lr=2e-3, warmup=5, ema=0.9, seed=5), fit.DenoiserTaskConfig(frames=64, shortest=32)
        ),
        scorer=fit.ScorerRecipe(quick(lr=2e-3, warmup=5, ema=0.9), fit.ScorerTaskConfig(frames=64, shortest=32)),
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, fit.main(arguments("all", folder, steps=40))


def test_every_task_learns(run):
    _, results = run
    assert list(results) == ["mel-vae", "motion-vae", "denoiser", "scorer"]
    for task, name in (
        ("mel-vae", "generator/reconstruction"),
        ("motion-vae", "motion/reconstruction"),
        ("denoiser", "denoiser/latents"),
        ("scorer", "scorer/latents"),
    ):
        history = [step[name] for step in results[task]["history"]]
        assert sum(history[-8:]) < 0.9 * sum(history[:8]), f"{task} did not learn: {history}"


def test_the_discriminator_joins_when_it_is_told_to(run):
    _, results = run
    steps = results["mel-vae"]["history"]
    assert "generator/gan" not in steps[19] and "generator/gan" in steps[20]


def test_an_exported_run_is_a_model(run, tmp_path):
    folder, _ = run
    export.main(export.Export(folder, tmp_path / "model"))
    model = checkpoint.load(tmp_path / "model")
    assert set(model.tensors) == {"mel_vae", "motion_vae", "denoiser", "scorer"}
    assert model.config.vocoder is None  # which the run did not train
    assert set(model.config.styles) == {"bob", "swing"} and model.config.denoiser.styles == 2
    assert "denoiser" in model.card["training"]
    for state in model.tensors.values():
        assert all(torch.isfinite(value).all() for value in state.values() if value.is_floating_point())


def test_pictures_are_logged(run):
    folder, _ = run
    for task in run_folder.STAGES:
        log = b"".join(path.read_bytes() for path in (folder / task / "logs").glob("events*"))
        assert b"PNG" in log and b"validation" in log


def test_a_run_keeps_its_own_configuration(run):
    folder, _ = run
    before = (folder / "config.json").read_text()
    again = fit.main(arguments("denoiser", folder, steps=40))
    assert again["denoiser"]["history"] == []  # it was finished
    assert (folder / "config.json").read_text() == before
    assert json.loads(before)["denoiser"]["width"] == 32


def test_tasks_out_of_order_are_told_apart(tmp_path):
    with pytest.raises(FootlightError, match="mel-vae"):
        fit.main(arguments("denoiser", tmp_path, steps=1))


def test_a_run_can_start_from_a_model(run, tmp_path, capsys):
    """With a learning rate of next to nothing the weights stay those of the model, whatever is drawn at first."""
    folder, _ = run
    export.main(export.Export(folder, tmp_path / "model", half=False))
    settings = arguments("all", tmp_path / "again", steps=1)
    still = {"loop": quick(lr=1e-12, warmup=0, ema=0.0, weight_decay=0.0)}
    settings = replace(
        settings,
        preset=None,
        init=tmp_path / "model",
        mel_vae=replace(settings.mel_vae, **still),
        motion_vae=replace(settings.motion_vae, **still),
        denoiser=replace(settings.denoiser, **still),
        scorer=replace(settings.scorer, **still),
    )
    fit.main(settings)
    assert capsys.readouterr().out.count("starts from the weights of the model") == 4
    older, own = (json.loads((path / "config.json").read_text()) for path in (folder, tmp_path / "again"))
    assert own == {**older, "vocoder": None}
    before = checkpoint.load(tmp_path / "model").tensors
    for task in run_folder.STAGES:
        after = run_folder.averaged(tmp_path / "again", task)
        for name, value in before[task.replace("-", "_")].items():
            if "latent_" not in name:  # statistics that follow the data
                torch.testing.assert_close(after[name], value, atol=1e-6, rtol=0)


def test_a_decoder_can_be_trained_for_latents_that_stay(run, tmp_path):
    folder, _ = run
    export.main(export.Export(folder, tmp_path / "model", half=False))
    settings = arguments("mel-vae", tmp_path / "again", steps=3)
    stage = replace(settings.mel_vae, task=replace(settings.mel_vae.task, decoder_only=True, gan_start=0))
    fit.main(replace(settings, preset=None, init=tmp_path / "model", mel_vae=stage))
    before, after = run_folder.averaged(folder, "mel-vae"), run_folder.averaged(tmp_path / "again", "mel-vae")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith(("decoder.", "linear.out.")) for name in changed), changed


def test_networks_of_another_shape_start_from_nothing(run, tmp_path, capsys):
    folder, _ = run
    export.main(export.Export(folder, tmp_path / "model"))
    plain = arguments("mel-vae", tmp_path / "flat", steps=1)
    settings = replace(plain, init=tmp_path / "model", layout="openpose14-2d")
    fit.main(settings)
    fit.main(replace(settings, task="motion-vae"))
    said = capsys.readouterr().out
    assert "mel-vae starts from the weights of the model" in said and "motion-vae starts from nothing" in said


def test_a_run_keeps_the_vocoder_of_the_model_that_it_starts_from(model_folder, tmp_path):
    settings = arguments("mel-vae", tmp_path / "run", steps=1)
    fit.main(replace(settings, preset=None, init=model_folder))
    kept, model = run_folder.averaged(tmp_path / "run", "vocoder"), checkpoint.load(model_folder)
    assert kept.keys() == model.tensors["vocoder"].keys()
    for name, value in kept.items():
        torch.testing.assert_close(value, model.tensors["vocoder"][name].to(value.dtype))
