"""The stages of theatre by the command: from a model without theatre to a model folder that performs."""

import shutil
from dataclasses import replace

import pytest
import torch

from core import checkpoint
from core.config import with_teachers
from core.diffusion.networks import denoiser_of
from core.errors import FootlightError
from core.pipeline import DanceOptions, Model
from core.pipeline.theatre import look_vector, perform
from core.types import Waveform
from tests.train.test_fit import arguments
from train import export, fit, recipes, run_folder
from train.options import Fit, recipe_of
from train.variants import distilled


@pytest.fixture(scope="module")
def run(model_folder, tmp_path_factory):
    """A run that started from the tiny model, all three stages of it."""
    folder = tmp_path_factory.mktemp("theatre")
    settings = replace(arguments("theatre", folder, steps=2), preset="tiny", init=model_folder)
    return folder, settings, fit.main(settings)


def test_the_last_stage_trains_those_that_are_missing(run):
    folder, settings, results = run
    assert list(results) == list(run_folder.THEATRE)
    assert all(result["step"] == 2 for result in results.values())
    again = fit.main(settings)
    assert list(again) == ["theatre"] and again["theatre"]["history"] == []
    assert b"PNG" in b"".join(path.read_bytes() for path in (folder / "theatre" / "logs").glob("events*"))


def test_an_exported_run_performs_and_its_dancer_and_composer_are_kept(run, model_folder, tmp_path):
    folder, _, _ = run
    export.main(export.Export(folder, tmp_path / "model", half=False))
    before, made = checkpoint.load(model_folder), checkpoint.load(tmp_path / "model")
    assert set(made.tensors) - set(before.tensors) == {"theatre", "autoencoder.light"}
    for name in ("denoiser.music", "autoencoder.motion", "vocoder"):
        for key, value in before.tensors[name].items():
            assert torch.equal(made.tensors[name][key], value), (name, key)
    assert made.card["training"].keys() >= set(run_folder.THEATRE)
    model = Model.load(tmp_path / "model", "cpu")
    assert model.config.theatre is not None
    song = Waveform(torch.randn(3 * 16_000, generator=torch.Generator().manual_seed(0)) * 0.1, 16_000)
    shown = perform(model, song, DanceOptions(steps=2), look_vector(model, model.config.theatre.looks[0]))
    assert shown.motion is not None and bool(shown.motion.isfinite().all())


def test_export_says_what_a_run_that_started_from_a_theatre_does_not_have(run):
    config = run_folder.read_config(run[0])
    trained = ["scorer", "light", "theatre", *(["vocoder"] if config.vocoder else [])]
    assert export.lacking(config, trained) == []
    assert export.lacking(config, [name for name in trained if name != "theatre"]) == ["theatre"]
    assert export.lacking(replace(config, theatre=None), ["vocoder"]) == ["scorer"]


def test_a_theatre_is_put_onto_a_model_that_has_a_student_since(run, model_folder, tmp_path):
    base = checkpoint.load(model_folder)
    config = with_teachers(distilled(base.config, "motion", 2), base.config)
    student = denoiser_of(config.denoisers["motion"]).state_dict()
    tensors = {**base.tensors, "teacher.motion": base.tensors["denoiser.motion"], "denoiser.motion": student}
    checkpoint.save_folder(tmp_path / "base", config, tensors, {"training": {"distill": {}}, "metrics": 1})
    export.main(export.Export(run[0], tmp_path / "model", half=False, onto=tmp_path / "base"))
    made = checkpoint.load(tmp_path / "model")
    assert made.config.theatre is not None and made.config.teachers == config.teachers
    for name, weights in tensors.items():
        assert all(torch.equal(made.tensors[name][key], value) for key, value in weights.items()), name
    assert made.card["metrics"] == 1 and made.card["training"].keys() == {"distill", *run_folder.THEATRE}
    Model.load(tmp_path / "model", "cpu").check_lights()


def test_the_space_of_a_finished_theatre_learns_on_beneath_its_denoisers(run, tmp_path):
    export.main(export.Export(run[0], tmp_path / "model", half=False))
    space = recipes.SpaceTaskConfig(frames=64, shortest=32, freeze=True, steering=1.0)
    settings = replace(arguments("theatre-space", tmp_path / "run", steps=2), init=tmp_path / "model", preset=None)
    fit.main(replace(settings, theatre_space=recipes.SpaceRecipe(settings.theatre_space.loop, space)))
    export.main(export.Export(tmp_path / "run", tmp_path / "better", half=False, onto=tmp_path / "model"))
    before, made = (checkpoint.load(tmp_path / name) for name in ("model", "better"))
    assert made.config == before.config and made.tensors.keys() == before.tensors.keys()
    changed = {
        (name, key.partition(".")[0])
        for name, weights in before.tensors.items()
        for key, value in weights.items()
        if not torch.equal(made.tensors[name][key], value)
    }
    assert changed == {("theatre", "space"), ("theatre", "scheduler")}


def test_a_theatre_of_other_latents_is_refused(run, model_folder, tmp_path):
    base = checkpoint.load(model_folder)
    other = {key: value + 0.5 for key, value in base.tensors["autoencoder.motion"].items()}
    checkpoint.save_folder(tmp_path / "base", base.config, {**base.tensors, "autoencoder.motion": other})
    with pytest.raises(FootlightError, match="other latents of motion"):
        export.main(export.Export(run[0], tmp_path / "model", onto=tmp_path / "base"))
    assert not (tmp_path / "model").exists()


def test_without_theatre_the_run_exports_what_it_did(run, tmp_path):
    folder, _, _ = run
    shutil.copytree(folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "theatre")
    export.main(export.Export(tmp_path / "run", tmp_path / "model"))
    made = checkpoint.load(tmp_path / "model")
    assert made.config.theatre is None and "light" not in made.config.modalities
    assert not {"theatre", "autoencoder.light"} & made.tensors.keys()


def test_a_run_of_another_ablation_is_refused(run):
    _, settings, _ = run
    with pytest.raises(FootlightError, match="--theatre-without"):
        fit.main(replace(settings, theatre_without="style"))


def test_a_stage_needs_the_one_before(model_folder, tmp_path):
    settings = replace(arguments("theatre-space", tmp_path, steps=1), init=model_folder)
    with pytest.raises(FootlightError, match="no trained theatre-encoders"):
        fit.main(settings)


def test_the_papers_recipe(tmp_path):
    settings = Fit("theatre", "synthetic", tmp_path, preset="paper", theatre_without="beat")
    recipe = recipe_of(settings, "theatre")
    assert (recipe.loop.batch, recipe.loop.lr, recipe.loop.weight_decay) == (32, 1e-4, 1e-5)
    assert recipe.task.beat == 0
    assert recipe_of(replace(settings, preset=None, theatre_without="nothing"), "theatre") == recipes.TheatreRecipe()
