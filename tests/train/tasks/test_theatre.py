"""The stages of theatre on synthetic triples: each learns, goes on bit for bit, and needs what came before."""

from dataclasses import replace

import pytest
import torch

from core import config
from core.autoencoder.networks import autoencoder_of
from core.config import with_theatre
from core.errors import FootlightError
from core.light.cues import DANCER, SECTIONS
from core.theatre.network import Theatre
from tests.train.theatre_shows import writer
from train.data import synthetic
from train.data.encoder import Encoder
from train.data.latents import motion_features
from train.data.theatre import Shows, theatre_clips
from train.loop import LoopConfig, fit
from train.state import load_state
from train.tasks.theatre import TheatrePhase, TheatreTask, TheatreTaskConfig, told_look
from train.tasks.theatre_encoders import EncodersTask, EncodersTaskConfig
from train.tasks.theatre_space import SpaceTask, SpaceTaskConfig
from train.variants import THEATRE, theatre_side

CROPS = {"frames": 32, "shortest": 32}


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """Configuration, autoencoders and clips."""
    torch.manual_seed(0)
    shape = with_theatre(config.with_styles(config.preset("tiny"), ("bob", "swing")), ("noir", "disco"), "tiny")
    music, motion, light = (autoencoder_of(shape.modalities[name]) for name in ("music", "motion", "light"))
    pairs = {split: some[:2] for split, some in synthetic.pairs(seconds=4.0).items()}
    motion.learn_from(torch.cat(list(motion_features(pairs["train"], shape))))
    clips = theatre_clips(
        pairs, Encoder(music), motion, shape, Shows(writer(shape.latent_fps)), tmp_path_factory.mktemp("kept")
    )
    light.learn_from(torch.cat([light.float() for clip in clips["train"] for light, _ in clip["shows"]]))
    return shape, motion, light, clips


def task_of(stage: str, material, shape=None, **settings):
    """A stage on networks with the same random weights each time."""
    own, motion, light, clips = material
    shape = shape or own
    torch.manual_seed(1)
    if stage == "theatre-encoders":
        return EncodersTask(shape, EncodersTaskConfig(**CROPS, **settings), light, clips)
    theatre = Theatre(shape)
    if stage == "theatre-space":
        return SpaceTask(shape, SpaceTaskConfig(**CROPS, **settings), light, theatre, clips)
    chosen = TheatreTaskConfig(**CROPS, body_share=0.5, most_snr=10.0, **settings)
    task = TheatreTask(shape, chosen, motion, light, theatre, clips)
    task.learn_prototypes()
    return task


def loop(steps: int) -> LoopConfig:
    return LoopConfig(
        steps=steps, batch=4, lr=3e-3, warmup=2, ema=0.5, schedule="constant", precision="32-true", accelerator="cpu",
        validate_every=10**6, pictures_every=10**6,
    )  # fmt: skip


STAGES = {
    "theatre-encoders": ("music", "light", "category"),
    "theatre-space": ("likelihood", "contrast"),
    "theatre": ("light",),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_learns_and_goes_on_as_if_nothing_had_happened(stage, material, tmp_path):
    task = task_of(stage, material)
    before = losses_of(task)
    whole = fit(task, loop(6), tmp_path / "whole")
    after = losses_of(task)
    for loss in STAGES[stage]:
        assert after[loss] < before[loss], loss
    fit(task_of(stage, material), loop(3), tmp_path / "halves")
    fit(task_of(stage, material), loop(6), tmp_path / "halves")
    states = [load_state(tmp_path / name / "state.safetensors") for name in ("whole", "halves")]
    first, second = (state["networks"]["theatre"] for state in states)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    assert all(torch.isfinite(torch.tensor(value)) for value in whole["validation"].values())


@torch.no_grad()
def losses_of(task) -> dict[str, float]:
    """The losses of a task on the same batch with the same noise each time."""
    batch = task.batch(12, torch.Generator().manual_seed(7))
    losses = task.phases["theatre"](batch, torch.Generator().manual_seed(0), 1)
    return {name: float(value) for name, value in losses.items()}


def test_validation_says_what_the_paper_counts(material, tmp_path):
    space = fit(task_of("theatre-space", material), loop(1), tmp_path / "space")["validation"]
    assert {"cmc_value", "cmc_chance", "cmc_calibrated", "motion_told", "light_told"} <= space.keys()
    stage = fit(task_of("theatre", material), loop(1), tmp_path / "theatre")["validation"]
    assert {
        "beat",
        "smooth",
        "coherence",
        "sci",
        "sci_chance",
        "speed_on_beats",
        "speed_on_beats_source",
    } <= stage.keys()


def test_the_light_can_be_trained_alone(material, tmp_path):
    task = task_of("theatre", material, dance=False)
    theatre = task.phases["theatre"].network("theatre", Theatre)
    before = {name: value.clone() for name, value in theatre.denoisers.state_dict().items()}
    assert losses_of(task).keys() == {"light"}
    fit(task, loop(2), tmp_path)
    changed = {name for name, value in theatre.denoisers.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith("light.") for name in changed), changed


def test_it_is_trained_in_mixed_precision(material, tmp_path):
    """Targets that come in half precision would stop the loss on beats."""
    fit(task_of("theatre", material), replace(loop(1), precision="bf16-mixed"), tmp_path)


def test_the_light_is_told_of_the_dancer_where_it_hears_the_dance(material):
    task = task_of("theatre", material, tell_energy=1.0, tell_sections=1.0)
    phase, generator = task.phases["theatre"], torch.Generator().manual_seed(0)
    assert isinstance(phase, TheatrePhase)
    batch = task.batch(4, generator)
    batch["cues"] = torch.rand(batch["cues"].shape, generator=generator)
    batch["motion_given"] = torch.tensor([True, False, False, False])
    batch["motion_heard"] = torch.tensor([True])
    batch["sections_told"] = torch.tensor([True, True, False, True])
    t = torch.tensor([900, 900, 100, 100])
    light = phase.borrowed.inputs.light(batch["light"])
    vectors, look = phase.encoded(batch, light, t, generator), told_look(phase.network("theatre", Theatre), batch)
    told = phase.light_condition(batch, vectors, look, light, t, generator).cues
    assert told is not None
    for sample, (dancer, sections) in enumerate([(True, True), (False, True), (True, False), (True, True)]):
        for known, place in ((dancer, DANCER), (sections, SECTIONS)):
            expected = batch["cues"][sample, :, place] if known else torch.zeros(())
            assert torch.equal(told[sample, :, place], expected.expand_as(told[sample, :, place]))


def test_only_the_last_stage_changes_the_denoisers(material):
    trained = {}
    for stage in STAGES:
        theatre = task_of(stage, material).phases["theatre"].network("theatre", Theatre)
        trained[stage] = {
            name for name, part in theatre.named_children() if any(p.requires_grad for p in part.parameters())
        }
    assert trained == {
        "theatre-encoders": {"music", "motion", "light", "style"},
        "theatre-space": {"music", "motion", "light", "space"},
        "theatre": {"scheduler", "denoisers"},
    }


def test_a_new_space_steers_the_denoisers_as_the_old_one_did(material, tmp_path):
    """The scheduler learns along with the space. Where it does not, the same space steers otherwise."""

    def steered(**settings) -> tuple[Theatre, float]:
        shape, _, light, clips = material
        torch.manual_seed(1)
        theatre, finished = Theatre(shape), Theatre(shape)
        theatre.load_state_dict(finished.state_dict())
        chosen = SpaceTaskConfig(**CROPS, freeze=True, correlated=10.0, **settings)
        task = SpaceTask(shape, chosen, light, theatre, clips, finished)
        fit(task, loop(40), tmp_path / str(len(settings)))
        judge = SpaceTask(shape, SpaceTaskConfig(**CROPS, freeze=True, steering=1.0), light, theatre, clips, finished)
        return theatre, losses_of(judge)["steering"]

    (learned, kept), (fixed, lost) = steered(steering=30.0), steered()
    assert kept < 0.5 * lost
    for name in ("music", "motion", "light", "denoisers"):
        for one, other in zip(
            learned.get_submodule(name).parameters(), fixed.get_submodule(name).parameters(), strict=True
        ):
            assert torch.equal(one, other), name


def test_steering_is_kept_of_a_finished_theatre_whose_encoders_stay(material):
    with pytest.raises(FootlightError, match="freeze them"):
        SpaceTaskConfig(steering=1.0)
    with pytest.raises(FootlightError, match="give a model that has one"):
        task_of("theatre-space", material, freeze=True, steering=1.0)


@pytest.mark.parametrize("without", THEATRE)
def test_every_ablation_is_a_configuration(without, material):
    shape = theatre_side(material[0], without)
    assert theatre_side(shape, without) == shape
    task = task_of("theatre", material, shape, beat=0.0 if without == "beat" else 0.2)
    generator = torch.Generator().manual_seed(0)
    losses = task.phases["theatre"](task.batch(4, generator), generator, 0)
    torch.stack([value for name, value in losses.items() if not name.startswith("_")]).sum().backward()
    assert shape.theatre is not None
    denoisers = shape.theatre.denoisers
    assert ("music" in denoisers["light"].context) == (without != "music")
    assert bool(denoisers["motion"].look_channels) == (without != "style")
    assert shape.theatre.attention == (without != "attention")
    assert (float(losses["beat"].detach()) == 0) == (without == "beat")


def test_what_cannot_be_trained_says_why(material):
    with pytest.raises(FootlightError, match="expected a multiple of 8"):
        EncodersTask(material[0], EncodersTaskConfig(frames=30), material[2], material[3])
    with pytest.raises(FootlightError, match="the shortest that theatre takes"):
        EncodersTask(material[0], EncodersTaskConfig(frames=32, shortest=10**4), material[2], material[3])
    with pytest.raises(FootlightError, match="without 'rhyme'"):
        theatre_side(material[0], "rhyme")
