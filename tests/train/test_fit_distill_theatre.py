"""Distillation of a theatre by the command: from a model that performs to one that does in fewer steps."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core import checkpoint
from core.config import with_teachers
from core.diffusion.networks import denoiser_of
from core.errors import FootlightError
from core.light.cues import CUES
from core.pipeline import DanceOptions, Model
from core.pipeline.theatre import KnownLight, look_vector, perform
from core.show.channels import CHANNELS
from core.theatre.network import Theatre
from core.types import Waveform
from tests.train.test_fit import arguments, quick
from train import export, fit, recipes, run_folder
from train.data import synthetic
from train.initial import start_theatre
from train.options import Fit
from train.tasks.theatre_paths import TheatrePathsConfig
from train.variants import distilled as distilled_config
from train.variants import distilled_theatre


@pytest.fixture(scope="module")
def teacher(model_folder, tmp_path_factory) -> Path:
    """A tiny model with a theatre, whose untrained denoisers do something."""
    folder = tmp_path_factory.mktemp("teacher")
    fit.main(replace(arguments("theatre", folder / "run", steps=2), preset="tiny", init=model_folder))
    export.main(export.Export(folder / "run", folder / "model", onto=model_folder))
    made, generator = checkpoint.load(folder / "model"), torch.Generator().manual_seed(0)
    theatre = {
        key: value + 0.05 * torch.randn(value.shape, generator=generator)
        if key.startswith("denoisers.")
        else value.float()
        for key, value in made.tensors["theatre"].items()
    }
    checkpoint.save_folder(folder / "model", made.config, {**made.tensors, "theatre": theatre}, made.card)
    return folder / "model"


def distilling(model: Path, out: Path, steps: int) -> Fit:
    paths = TheatrePathsConfig(frames=32, shortest=32, steps=4, count=64, guidance=(1.0, 2.0))
    task = recipes.DistillTheatreConfig(steps=2, paths=paths)
    loop = quick(lr=1e-3, warmup=2, ema=0.9, schedule="constant")
    recipe = recipes.DistillTheatreRecipe(loop=loop, task=task)
    return Fit("distill-theatre", Path("synthetic"), out, init=model, steps=steps, distill_theatre=recipe)


@pytest.fixture(scope="module")
def distilled(teacher, tmp_path_factory):
    """What validation found after one step and in the end, and the model with the student."""
    folder = tmp_path_factory.mktemp("distilled")
    results = [fit.main(distilling(teacher, folder / "run", steps)) for steps in (1, 80)]
    export.main(export.Export(folder / "run", folder / "student", onto=teacher))
    return [result["distill-theatre"]["validation"] for result in results], folder / "student"


def test_a_theatre_is_distilled_into_one_of_fewer_steps(teacher, distilled):
    (before, after), folder = distilled
    for error in ("error_motion", "error_light"):
        assert after[error] < 0.9 * before[error], error
    old, new = checkpoint.load(teacher), checkpoint.load(folder)
    assert new.tensors.keys() == old.tensors.keys()
    assert new.config.denoisers == old.config.denoisers
    theatre = new.config.theatre
    assert theatre is not None and all(denoiser.guided for denoiser in theatre.denoisers.values())
    assert {some.steps for some in theatre.sampling.values()} == {2}
    for name in old.tensors.keys() - {"theatre"}:
        assert all(torch.equal(value, new.tensors[name][key]) for key, value in old.tensors[name].items()), name
    for key, value in old.tensors["theatre"].items():
        if not key.startswith("denoisers."):
            torch.testing.assert_close(new.tensors["theatre"][key], value, msg=key)


def test_a_student_makes_all_that_its_teacher_does(distilled):
    model = Model.load(distilled[1], "cpu")
    song = Waveform(torch.randn(3 * 16_000, generator=torch.Generator().manual_seed(0)) * 0.1, 16_000)
    look = look_vector(model, "noir")
    weak, strong = (perform(model, song, DanceOptions(guidance=scale), look) for scale in (1.0, 4.0))
    assert weak.motion is not None and strong.motion is not None and not torch.equal(weak.motion, strong.motion)
    dance = synthetic.swing(100.0, 90, 0.0, 0.6)
    lit = perform(model, song, look=look, motion=dance)
    assert lit.motion is None and bool(lit.light.isfinite().all())
    given = KnownLight(lit.light[:10])
    danced = perform(model, song, light=given)
    assert torch.equal(danced.light[:10], lit.light[:10]) and danced.motion is not None


def test_light_that_is_not_of_its_channels_is_refused(distilled):
    model = Model.load(distilled[1], "cpu")
    with pytest.raises(FootlightError, match=str(CHANNELS)):
        perform(model, Waveform(torch.zeros(32_000), 16_000), light=KnownLight(torch.zeros(8, 3)))


def test_a_distillation_continues_as_if_nothing_had_happened(teacher, tmp_path):
    fit.main(distilling(teacher, tmp_path / "whole", steps=4))
    fit.main(distilling(teacher, tmp_path / "halves", steps=2))
    fit.main(distilling(teacher, tmp_path / "halves", steps=4))
    whole, halves = (run_folder.averaged(tmp_path / folder, "distill-theatre") for folder in ("whole", "halves"))
    assert all(torch.equal(value, halves[key]) for key, value in whole.items())


def test_a_student_goes_on_with_its_teacher_and_teaches_none_of_as_many_steps(teacher, distilled, tmp_path, capsys):
    settings = distilling(distilled[1], tmp_path, steps=1)
    with pytest.raises(FootlightError, match="a student of 2 steps itself"):
        fit.main(settings)
    again = replace(settings, distill_theatre=replace(settings.distill_theatre, teacher=teacher))
    fit.main(again)
    assert "distill-theatre starts from the weights of the model" in capsys.readouterr().out


def test_a_student_teaches_one_of_fewer_steps(distilled, tmp_path):
    """Its paths in two steps become one step of the next student, which comes nearer to their ends."""
    settings = distilling(distilled[1], tmp_path, steps=1)
    task = replace(settings.distill_theatre.task, steps=1)
    settings = replace(settings, distill_theatre=replace(settings.distill_theatre, task=task))
    with pytest.raises(FootlightError, match=r"paths\.steps 2"):
        fit.main(settings)
    task = replace(task, paths=replace(task.paths, steps=2))
    settings = replace(settings, distill_theatre=replace(settings.distill_theatre, task=task))
    before, after = (fit.main(replace(settings, steps=steps))["distill-theatre"]["validation"] for steps in (1, 80))
    assert after["error_motion"] < before["error_motion"] and after["error_light"] < before["error_light"]
    theatre = run_folder.read_config(tmp_path).theatre
    assert theatre is not None and {some.steps for some in theatre.sampling.values()} == {1}


def alone(name: str, model: Path, out: Path) -> Fit:
    """Distilling a modality of a theatre whose two take four steps."""
    made = checkpoint.load(model)
    assert made.config.theatre is not None
    sampling = {other: replace(some, steps=4) for other, some in made.config.theatre.sampling.items()}
    theatre = replace(made.config.theatre, sampling=sampling)
    checkpoint.save_folder(out / "four", replace(made.config, theatre=theatre), dict(made.tensors), made.card)
    settings = distilling(out / "four", out / "run", steps=1)
    task = replace(settings.distill_theatre.task, learn=(name,))
    return replace(settings, distill_theatre=replace(settings.distill_theatre, task=task))


@pytest.mark.parametrize(("name", "other"), [("motion", "light"), ("light", "motion")])
def test_one_of_the_two_becomes_a_student_alone(name, other, teacher, tmp_path):
    """It comes nearer to its teacher in two steps, while the other one keeps its weights and takes four."""
    settings = alone(name, teacher, tmp_path)
    before, after = (fit.main(replace(settings, steps=steps))["distill-theatre"]["validation"] for steps in (1, 80))
    assert after[f"error_{name}"] < 0.9 * before[f"error_{name}"]
    assert other not in after, "it learns nothing"
    export.main(export.Export(tmp_path / "run", tmp_path / "student", onto=tmp_path / "four"))
    model, old = Model.load(tmp_path / "student", "cpu"), checkpoint.load(tmp_path / "four")
    shape = model.config.theatre
    assert shape is not None and shape.sampling[name].steps == 2 and shape.sampling[other].steps == 4
    assert shape.denoisers[name].guided and not shape.denoisers[other].guided
    for key, value in model.check_lights().denoisers[other].state_dict().items():
        assert torch.equal(value, old.tensors["theatre"][f"denoisers.{other}.{key}"].half().float()), key
    song = Waveform(torch.randn(3 * 16_000, generator=torch.Generator().manual_seed(0)) * 0.1, 16_000)
    whole = perform(model, song)
    assert whole.motion is not None and bool(whole.light.isfinite().all())


def test_a_theatre_is_trained_anew_from_what_a_student_has(distilled, tmp_path, capsys):
    fit.main(replace(arguments("theatre-encoders", tmp_path, steps=1), preset=None, init=distilled[1]))
    assert "theatre-encoders starts from the weights of the model, but for its denoisers" in capsys.readouterr().out
    theatre = run_folder.read_config(tmp_path).theatre
    assert theatre is not None and not any(denoiser.guided for denoiser in theatre.denoisers.values())


def test_the_light_alone_is_trained_for_a_dancer_who_is_a_student(distilled, tmp_path, capsys):
    settings = arguments("theatre", tmp_path / "run", steps=2)
    recipe = replace(settings.theatre, task=replace(settings.theatre.task, dance=False))
    fit.main(replace(settings, preset=None, init=distilled[1], theatre=recipe, styles=False))
    assert "theatre starts from the weights of the model, but for what that lacks" in capsys.readouterr().out
    export.main(export.Export(tmp_path / "run", tmp_path / "model", onto=distilled[1]))
    old, new = checkpoint.load(distilled[1]), checkpoint.load(tmp_path / "model")
    assert old.config.theatre is not None and new.config.theatre is not None
    before, after = old.config.theatre, new.config.theatre
    assert after.denoisers["motion"] == before.denoisers["motion"] and after.denoisers["motion"].guided
    assert after.sampling["motion"] == before.sampling["motion"] and after.coarse == before.coarse
    assert after.sampling["light"].steps == 2 and not after.denoisers["light"].guided
    light = {key for key in new.tensors["theatre"] if key.startswith("denoisers.light.")}
    for key in new.tensors["theatre"].keys() - light - {"style.prototypes"}:
        assert torch.equal(new.tensors["theatre"][key], old.tensors["theatre"][key].half()), key
    assert any(not torch.equal(new.tensors["theatre"][key], old.tensors["theatre"][key].half()) for key in light)


def test_a_model_without_theatre_cannot_be_distilled(model_folder, tmp_path):
    with pytest.raises(FootlightError, match="no theatre"):
        fit.main(distilling(model_folder, tmp_path, steps=1))


def test_a_student_starts_with_what_the_models_student_learned(teacher, tmp_path):
    """The model's student differs from its teacher by a known step, which the theatre's dancer takes too."""
    base = checkpoint.load(teacher)
    config = with_teachers(distilled_config(base.config, "motion", 2), base.config)
    student, taught = denoiser_of(config.denoisers["motion"]).state_dict(), base.tensors["denoiser.motion"]
    for key, value in student.items():
        if key in taught and key != "segment":
            student[key] = taught[key].to(value) + 0.25
    tensors = {**base.tensors, "teacher.motion": base.tensors["denoiser.motion"], "denoiser.motion": student}
    checkpoint.save_folder(tmp_path / "model", config, tensors, {})
    model = checkpoint.load(tmp_path / "model")
    shape = distilled_theatre(config, 2)
    theatre = Theatre(shape)
    start_theatre(model, shape, "distill-theatre", theatre)
    made, before = theatre.denoisers["motion"].state_dict(), base.tensors["theatre"]
    for key, value in made.items():
        old = before.get(f"denoisers.motion.{key}")
        if key == "segment" or old is None:
            continue
        moved = 0.25 if key in taught else 0.0
        torch.testing.assert_close(value, old + moved, msg=key, atol=1e-5, rtol=1e-5)


def test_training_goes_on_from_a_theatre_that_was_not_told_of_sections(teacher, tmp_path, capsys):
    made = checkpoint.load(teacher)
    assert made.config.theatre is not None
    denoisers = made.config.theatre.denoisers
    light = replace(denoisers["light"], cue_channels=0)
    theatre = replace(made.config.theatre, answer=0.5, denoisers={**denoisers, "light": light})
    weights = {key: value for key, value in made.tensors["theatre"].items() if ".cues_in." not in key}
    checkpoint.save_folder(
        tmp_path / "model", replace(made.config, theatre=theatre), {**made.tensors, "theatre": weights}, {}
    )
    settings = arguments("theatre", tmp_path / "run", steps=1)
    loop = quick(lr=1e-12, warmup=0, ema=0.0, weight_decay=0.0)
    recipe = replace(settings.theatre, loop=loop, task=replace(settings.theatre.task, dance=False))
    results = fit.main(replace(settings, preset=None, init=tmp_path / "model", theatre=recipe))
    assert list(results) == ["theatre"]  # encoders and space are the model's
    assert "theatre starts from the weights of the model, but for what that lacks" in capsys.readouterr().out
    own = run_folder.read_config(tmp_path / "run").theatre
    assert own is not None and own.answer == 0 and own.denoisers["light"].cue_channels == len(CUES)
    trained = run_folder.averaged(tmp_path / "run", "theatre")
    for key, value in weights.items():
        if key != "style.prototypes" and not key.endswith(".styles.weight"):  # which are those of the data
            torch.testing.assert_close(trained[key], value.to(trained[key]), msg=key, atol=1e-5, rtol=0)
    light_vae = run_folder.averaged(tmp_path / "run", "light")
    for key, value in made.tensors["autoencoder.light"].items():
        torch.testing.assert_close(light_vae[key], value.to(light_vae[key]), msg=key)
