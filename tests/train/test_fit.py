"""The whole training path on a data set made of nothing: three tasks, export, and a model that loads."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from core import checkpoint
from core.checkpoint import Checkpoint
from core.config import preset, with_styles
from core.diffusion.networks import denoiser_of
from core.errors import FootlightError
from core.formats.motion import MotionClip
from core.motion.kinematics import forward
from core.pipeline import DanceOptions, DuetOptions, Model, ScoreOptions, generate_duet, sample_dance, score_motion
from core.types import Condition, Waveform
from train import export, fit, recipes, run_folder
from train.data import synthetic
from train.initial import start_from
from train.loop import LoopConfig
from train.options import Fit, recipe_of
from train.state import load_state
from train.variants import motion_side


def quick(**settings) -> LoopConfig:
    return LoopConfig(
        batch=4, precision="32-true", accelerator="cpu", validate_every=10**6, pictures_every=10**6, **settings
    )


def arguments(task: str, out, steps: int) -> Fit:
    return Fit(
        task=task,
        data="synthetic",
        out=out,
        preset="tiny",
        steps=steps,
        mel_vae=recipes.MelVAERecipe(quick(lr=2e-3, warmup=5, ema=0.9), recipes.MelVAEConfig(frames=64, gan_start=20)),
        motion_vae=recipes.MotionVAERecipe(quick(lr=2e-3, warmup=5, ema=0.9), recipes.MotionVAEConfig(frames=64)),
        denoiser=recipes.DenoiserRecipe(
            quick(lr=2e-3, warmup=5, ema=0.9, seed=5), recipes.DenoiserTaskConfig(frames=64, shortest=32)
        ),
        scorer=recipes.ScorerRecipe(quick(lr=2e-3, warmup=5, ema=0.9), recipes.ScorerTaskConfig(64, shortest=32)),
        theatre_encoders=recipes.EncodersRecipe(quick(ema=0.9), recipes.EncodersTaskConfig(frames=64, shortest=32)),
        theatre_space=recipes.SpaceRecipe(quick(ema=0.9), recipes.SpaceTaskConfig(frames=64, shortest=32)),
        theatre=recipes.TheatreRecipe(
            ("strike",), 1, quick(ema=0.9), recipes.TheatreTaskConfig(frames=64, shortest=32, body_share=0.5)
        ),
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


def test_the_discriminator_joins_at_its_step(run):
    _, results = run
    steps = results["mel-vae"]["history"]
    assert "generator/gan" not in steps[19] and "generator/gan" in steps[20]


def test_an_exported_run_is_a_model(run, tmp_path, capsys):
    folder, _ = run
    export.main(export.Export(folder, tmp_path / "model"))
    said = capsys.readouterr().out
    assert "model is a model now; its music sounds by a plain method" in said and "makes no" not in said
    model = checkpoint.load(tmp_path / "model")
    assert set(model.tensors) == {"autoencoder.music", "autoencoder.motion", "denoiser.motion", "denoiser.music"}
    assert model.config.vocoder is None  # which the run did not train
    assert set(model.config.styles) == {"bob", "swing"} and model.config.denoisers["motion"].styles == 2
    assert "denoiser" in model.card["training"]
    for state in model.tensors.values():
        assert all(torch.isfinite(value).all() for value in state.values() if value.is_floating_point())


def test_pictures_are_logged(run):
    folder, _ = run
    for task in run_folder.TASKS:
        log = b"".join(path.read_bytes() for path in (folder / task / "logs").glob("events*"))
        assert b"PNG" in log and b"validation" in log


def test_a_run_keeps_its_own_configuration(run):
    folder, _ = run
    before = (folder / "config.json").read_text()
    again = fit.main(arguments("denoiser", folder, steps=40))
    assert again["denoiser"]["history"] == []  # it was finished
    assert (folder / "config.json").read_text() == before
    assert json.loads(before)["denoisers"]["motion"]["width"] == 32


def put_into_format_1(run) -> None:
    """Turn a run whose denoiser is being trained into what the first format left behind."""
    golden = json.loads((Path(__file__).parents[1] / "golden" / "model_format1.json").read_text())["config"]
    own = json.loads((run / "config.json").read_text())
    golden |= {"styles": own["styles"], "style_shares": own["style_shares"], "vocoder": None}
    (run / "config.json").write_text(json.dumps(golden))
    for path in (run / "denoiser").glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            metadata, state = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        old = {}
        for name, value in state.items():
            for new, was in (("context_in.music.", "condition_in."), ("context_out.music.", "condition_out.")):
                name = name.replace(new, was)
            old[name.replace("null_context_music", "null_latents")] = value
        assert set(old) != set(state)
        save_file(old, path, metadata)


def test_a_run_of_the_first_format_continues_as_if_nothing_had_happened(run, tmp_path):
    """Stopped after three steps, turned into what it was then, and continued: the weights are those of six."""
    folder, _ = run
    for name in ("whole", "old"):
        (tmp_path / name).mkdir()
        shutil.copy(folder / "config.json", tmp_path / name)
        for task in ("mel-vae", "motion-vae"):
            shutil.copytree(folder / task, tmp_path / name / task)
    settings = arguments("denoiser", tmp_path / "whole", steps=6)
    constant = replace(settings.denoiser, loop=replace(settings.denoiser.loop, schedule="constant"))
    fit.main(replace(settings, denoiser=constant))
    fit.main(replace(settings, denoiser=constant, out=tmp_path / "old", steps=3))
    put_into_format_1(tmp_path / "old")
    again = fit.main(replace(settings, denoiser=constant, out=tmp_path / "old"))
    assert [step["step"] for step in again["denoiser"]["history"]] == [4, 5, 6]
    whole, old = (load_state(tmp_path / name / "denoiser" / "state.safetensors") for name in ("whole", "old"))
    assert whole["networks"]["denoiser"].keys() == old["networks"]["denoiser"].keys()
    for name, value in whole["networks"]["denoiser"].items():
        assert torch.equal(value, old["networks"]["denoiser"][name]), name


def test_tasks_out_of_order_are_refused(tmp_path):
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
    for task in run_folder.TASKS:
        after = run_folder.averaged(tmp_path / "again", task)
        for name, value in before[run_folder.TRAINED[task].saved].items():
            if "latent_" not in name:  # statistics that follow the data
                torch.testing.assert_close(after[name], value, atol=1e-6, rtol=0)


def test_new_styles_and_another_prediction_keep_the_rest_of_the_weights(run, tmp_path, capsys):
    folder, _ = run
    export.main(export.Export(folder, tmp_path / "model", half=False))
    model = checkpoint.load(tmp_path / "model")
    again = run_folder.read_config(folder)
    wider = with_styles(again, ("tap", *again.styles), (0.5, *(0.5 / len(again.styles) for _ in again.styles)))
    wider = motion_side(wider, prediction="v")
    assert wider.prediction("motion") == "v" and wider.prediction("music") == again.diffusion.prediction
    network = denoiser_of(wider.denoisers["motion"])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    task = SimpleNamespace(phases={"denoiser": SimpleNamespace(networks={"denoiser": network})})
    start_from(model, wider, "denoiser", task)
    assert "but for its styles, mask or prediction" in capsys.readouterr().out
    given = model.tensors["denoiser.motion"]
    for name, value in network.state_dict().items():
        if name == "styles.weight":
            torch.testing.assert_close(value[:, 1:], given[name])
            assert torch.equal(value[:, 0], given["default_style"].float())
        else:
            torch.testing.assert_close(value, before[name] if name.startswith("out.") else given[name])


def test_a_mask_of_parts_means_together_what_one_for_all_meant():
    """The network says the same of whole frames that are given, whether its mask tells parts apart or not."""
    plain = preset("tiny")
    z, mask = torch.randn(1, 12, 6), torch.ones(1, 12, 1)
    told = denoiser_of(plain.denoisers["motion"])
    torch.nn.init.normal_(told.get_parameter("out.weight"))
    said = []
    for parts in (1, 3, 2, 1):
        denoiser = replace(plain.denoisers["motion"], observed_parts=parts)
        config = replace(plain, denoisers={**plain.denoisers, "motion": denoiser})
        network = denoiser_of(denoiser)
        task = SimpleNamespace(phases={"denoiser": SimpleNamespace(networks={"denoiser": network})})
        before = replace(plain, denoisers={**plain.denoisers, "motion": told.config})
        start_from(Checkpoint(before, {"denoiser.motion": told.state_dict()}), config, "denoiser", task)
        with torch.no_grad():
            said.append(network.eval()(z, torch.tensor([7]), Condition(observed=z, observed_mask=mask)))
        told = network
    assert float(said[0].std()) > 0
    for other in said[1:]:
        torch.testing.assert_close(other, said[0])


def test_a_decoder_can_be_trained_for_latents_that_stay(run, tmp_path):
    folder, _ = run
    export.main(export.Export(folder, tmp_path / "model", half=False))
    settings = arguments("mel-vae", tmp_path / "again", steps=3)
    recipe = replace(settings.mel_vae, task=replace(settings.mel_vae.task, decoder_only=True, gan_start=0))
    fit.main(replace(settings, preset=None, init=tmp_path / "model", mel_vae=recipe))
    before, after = run_folder.averaged(folder, "mel-vae"), run_folder.averaged(tmp_path / "again", "mel-vae")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith(("decoder.", "linear.out.")) for name in changed), changed


def test_a_motion_decoder_can_be_trained_for_latents_that_stay(run, tmp_path):
    folder, _ = run
    export.main(export.Export(folder, tmp_path / "model", half=False))
    settings = arguments("motion-vae", tmp_path / "again", steps=3)
    task = replace(settings.motion_vae.task, decoder_only=True, spectrum=0.3)
    recipe = replace(settings.motion_vae, task=task)
    result = fit.main(replace(settings, preset=None, init=tmp_path / "model", motion_vae=recipe))["motion-vae"]
    before, after = run_folder.averaged(folder, "motion-vae"), run_folder.averaged(tmp_path / "again", "motion-vae")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("decoder.") for name in changed), changed
    assert "motion/spectrum" in result["history"][0] and "motion/rhythm" not in result["history"][0]

    export.main(export.Export(tmp_path / "again", tmp_path / "better", half=False, onto=tmp_path / "model"))
    old, new = checkpoint.load(tmp_path / "model"), checkpoint.load(tmp_path / "better")
    assert new.config == old.config and new.tensors.keys() == old.tensors.keys()
    for name, weights in old.tensors.items():
        expected = after if name == "autoencoder.motion" else weights
        assert all(torch.equal(new.tensors[name][key], expected[key]) for key in weights), name
    assert new.card["training"]["motion-vae"]["task"]["decoder_only"]


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


def test_a_denoiser_alone_goes_on_from_a_model_with_its_autoencoders(run, tmp_path, capsys):
    folder, _ = run
    export.main(export.Export(folder, tmp_path / "model"))
    settings = replace(arguments("denoiser", tmp_path / "run", steps=1), preset=None, init=tmp_path / "model")
    fit.main(settings)
    assert "denoiser starts from the weights of the model" in capsys.readouterr().out
    model = checkpoint.load(tmp_path / "model")
    for task in ("mel-vae", "motion-vae"):
        for name, value in run_folder.averaged(tmp_path / "run", task).items():
            torch.testing.assert_close(value, model.tensors[run_folder.TRAINED[task].saved][name].to(value.dtype))
    with pytest.raises(FootlightError, match="no trained motion-vae"):  # the model's is for another representation
        fit.main(replace(settings, out=tmp_path / "flat", layout="openpose14-2d"))


def distilling(name: str, model: Path, out: Path, steps: int) -> Fit:
    settings = Fit(task=name, data="synthetic", out=out, init=model, steps=steps)
    recipe = recipe_of(settings, name)
    paths = replace(recipe.task.paths, frames=32, shortest=32, steps=4, count=32)
    loop = quick(lr=2e-3, warmup=2, ema=0.9, schedule="constant")
    recipe = replace(recipe, loop=loop, task=replace(recipe.task, steps=2, paths=paths))
    return replace(settings, **{name.replace("-", "_"): recipe})


@pytest.fixture(scope="module")
def teacher(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher") / "model"
    export.main(export.Export(run[0], folder))
    return folder


@pytest.fixture(scope="module", params=[("distill-music",), ("distill", "distill-music")], ids="+".join)
def distilled(request, teacher, tmp_path_factory):
    """The tasks, their errors after one step and in the end, and a model folder with the students that one run made."""
    folder, errors = tmp_path_factory.mktemp("distilled"), []
    for steps in (1, 60):
        results = [fit.main(distilling(name, teacher, folder / "run", steps))[name] for name in request.param]
        errors.append([result["validation"]["error"] for result in results])
    export.main(export.Export(folder / "run", folder / "student", onto=teacher))
    return request.param, errors, folder / "student"


def test_a_model_is_distilled_into_one_of_fewer_steps(teacher, distilled):
    tasks, errors, folder = distilled
    assert all(after < 0.8 * before for before, after in zip(*errors, strict=True))
    before, after = checkpoint.load(teacher), checkpoint.load(folder)
    students = {run_folder.TRAINED[task].modality for task in tasks}
    assert after.tensors.keys() == {*before.tensors, *(f"teacher.{modality}" for modality in students)}
    for modality, made in after.config.denoisers.items():
        if modality in students:
            assert (made.guided, made.context_entry, after.config.sampling[modality].steps) == (True, "added", 2)
        else:
            assert made == before.config.denoisers[modality]
        kept = after.tensors[f"{'teacher' if modality in students else 'denoiser'}.{modality}"]
        own = before.tensors[f"denoiser.{modality}"]
        assert kept.keys() == own.keys() and all(torch.equal(value, kept[key]) for key, value in own.items())


def test_further_training_goes_on_from_the_teachers(run, teacher, distilled, tmp_path):
    _, _, folder = distilled
    settings = arguments("scorer", tmp_path, steps=1)
    for part in ("mel-vae", "motion-vae"):
        shutil.copytree(run[0] / part, tmp_path / part)
    loop = quick(lr=1e-12, warmup=0, ema=0.0, weight_decay=0.0)
    fit.main(replace(settings, preset=None, init=folder, scorer=replace(settings.scorer, loop=loop)))
    before, own = checkpoint.load(teacher), run_folder.read_config(tmp_path)
    assert own.denoisers == before.config.denoisers and not own.teachers
    after = run_folder.averaged(tmp_path, "scorer")
    for name, value in before.tensors["denoiser.music"].items():
        torch.testing.assert_close(after[name], value, atol=1e-6, rtol=0)


def test_a_model_with_students_makes_dances_music_and_both(distilled):
    _, _, folder = distilled
    model = Model.load(folder, "cpu")
    song = Waveform(torch.randn(3 * 16_000, generator=torch.Generator().manual_seed(0)) * 0.1, 16_000)
    dances = [sample_dance(model, song, DanceOptions(style="bob", guidance=scale))[0] for scale in (1.0, 4.0)]
    assert all(torch.isfinite(dance).all() for dance in dances) and not torch.equal(*dances)
    motion = synthetic.swing(100.0, 100, 0.0, 0.6)
    clip = MotionClip(forward(motion.rotations, motion.root), motion.fps, motion)
    music = [score_motion(model, clip, ScoreOptions(guidance=scale)).mel for scale in (1.0, 4.0)]
    assert all(torch.isfinite(mel).all() for mel in music) and not torch.equal(*music)
    duet = generate_duet(model, DuetOptions(seconds=5.0, steps=3))  # more steps than it learned, and no music at first
    assert torch.isfinite(duet.dance.motion.rotations).all() and torch.isfinite(duet.music.mel).all()


@pytest.mark.parametrize("name", ["distill", "distill-music"])
def test_a_distillation_continues_as_if_nothing_had_happened(teacher, tmp_path, name):
    fit.main(distilling(name, teacher, tmp_path / "whole", steps=4))
    fit.main(distilling(name, teacher, tmp_path / "halves", steps=2))
    fit.main(distilling(name, teacher, tmp_path / "halves", steps=4))
    whole, halves = (run_folder.averaged(tmp_path / folder, name) for folder in ("whole", "halves"))
    assert all(torch.equal(value, halves[key]) for key, value in whole.items())


def test_distillation_needs_a_teacher(tmp_path):
    with pytest.raises(FootlightError, match="give --init MODEL"):
        fit.main(Fit(task="distill", data="synthetic", out=tmp_path))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "is no run of train.fit: it has no config.json"),
        ({"config.json": "{"}, "config.json: is damaged or no JSON"),
        ({"config.json": "{}"}, "the field .* is missing|has no trained mel-vae"),
    ],
)
def test_what_is_no_run_is_refused_in_words(tmp_path, files, words):
    folder = tmp_path / "run"
    for name, text in files.items():
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with pytest.raises(FootlightError, match=words):
        export.main(export.Export(folder, tmp_path / "model"))
    assert not (tmp_path / "model").exists()


def test_a_card_that_is_not_there_is_said(run, tmp_path):
    with pytest.raises(FootlightError, match=r"card\.json: cannot be read"):
        export.main(export.Export(run[0], tmp_path / "model", card=tmp_path / "card.json"))
