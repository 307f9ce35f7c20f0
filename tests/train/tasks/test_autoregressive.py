"""The autoregressive dancer: what it may see, sampling with what it keeps of the past, and training by the command."""

from pathlib import Path

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from core.autoencoder.networks import autoencoder_of
from core.config import preset, with_styles
from core.errors import FootlightError
from core.types import Condition
from tests.train.evaluation.material import excerpt
from train import fit, recipes
from train.evaluation.dance import dancers, systems
from train.loop import LoopConfig
from train.options import Fit
from train.tasks.autoregressive import AutoregressivePhase, AutoregressiveTask, AutoregressiveTaskConfig
from train.tasks.causal_network import CausalConfig, CausalNetwork, Mixture, delayed, sample

FRAMES = 40
SMALL = CausalConfig(width=16, dilations=(1, 2, 4), components=3)
REACH = 1 + sum(SMALL.dilations)  # frames that one is predicted from


@pytest.fixture(scope="module")
def config():
    return with_styles(preset("tiny"), ("a", "b"))


@pytest.fixture(scope="module")
def network(config):
    torch.manual_seed(0)
    return CausalNetwork(config, SMALL).eval()


def latents_of(config, seed: int) -> torch.Tensor:
    channels = config.denoisers["motion"].latent_channels
    return torch.randn(2, FRAMES, channels, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def heard(config, network):
    denoiser, generator = config.denoisers["motion"], torch.Generator().manual_seed(1)
    music = torch.randn(2, FRAMES, denoiser.context["music"], generator=generator)
    rhythm = torch.rand(2, FRAMES, denoiser.rhythm_channels, generator=generator)
    with torch.no_grad():
        return network.hear(Condition({"music": music}, rhythm, torch.eye(2)), torch.tensor([0, 1]))


def test_a_frame_depends_on_those_before_it_alone_as_far_as_the_layers_reach(config, network, heard):
    latents = latents_of(config, 2).requires_grad_()
    frame = 30
    mixture, _ = network(delayed(latents), heard)
    mixture.mean[:, frame].sum().backward()
    assert latents.grad is not None
    seen = latents.grad.abs().sum(dim=(0, 2)).nonzero().flatten().tolist()
    assert seen == list(range(frame - REACH, frame))


def test_another_future_changes_no_earlier_frame(config, network, heard):
    latents = latents_of(config, 2)
    other, elsewhere = latents.clone(), heard.clone()
    other[:, 25:] += 1
    elsewhere[:, 25:] += 1
    with torch.no_grad():
        before, after = network(delayed(latents), heard)[0], network(delayed(other), elsewhere)[0]
    for one, two in zip(vars(before).values(), vars(after).values(), strict=True):
        assert torch.equal(one[:, :25], two[:, :25]) and not torch.equal(one[:, 25:], two[:, 25:])


def test_what_is_sampled_is_what_the_whole_pass_predicts_from_it(config, network, heard):
    """At temperature 0 every frame is the mean of the likeliest component, given the sampled frames before it."""
    made = sample(network, heard, torch.Generator().manual_seed(0), temperature=0.0)
    with torch.no_grad():
        mixture, _ = network(delayed(made), heard)
    chosen = mixture.logits.argmax(dim=-1)
    expected = mixture.mean[torch.arange(2)[:, None], torch.arange(FRAMES), chosen]
    torch.testing.assert_close(made, expected, atol=1e-5, rtol=1e-5)
    assert float(made.diff(dim=1).abs().max()) > 1e-3


def test_pieces_of_any_length_go_on_from_the_state(config, network, heard):
    previous = delayed(latents_of(config, 3))
    with torch.no_grad():
        whole, _ = network(previous, heard)
        state, means = None, []
        for past, now in zip(previous.split((1, 6, 33), dim=1), heard.split((1, 6, 33), dim=1), strict=True):
            mixture, state = network(past, now, state)
            means.append(mixture.mean)
    torch.testing.assert_close(torch.cat(means, dim=1), whole.mean, atol=1e-5, rtol=1e-5)


def test_drawing_follows_the_density():
    """Means and variances of many draws are those that PyTorch knows of the same mixture."""
    logits = torch.tensor([0.0, 1.0]).log().clamp_min(-1.0)
    mean, scale = torch.tensor([[-2.0, 0.0], [1.0, 3.0]]), torch.tensor([[0.5, 1.0], [0.2, 2.0]])
    mixture = Mixture(*(x.expand(1, 20_000, *x.shape) for x in (logits, mean, scale)))
    drawn = mixture.draw(torch.Generator().manual_seed(0))[0]
    known = MixtureSameFamily(Categorical(logits=logits), Independent(Normal(mean, scale), 1))
    torch.testing.assert_close(drawn.mean(dim=0), known.mean, atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.var(dim=0), known.variance, atol=0.1, rtol=0)
    torch.testing.assert_close(mixture.log_density(drawn[None])[0], known.log_prob(drawn))


def clip(config, frames: int, style: int, accent: int) -> dict:
    denoiser = config.denoisers["motion"]
    time = torch.arange(frames)[:, None] / 4
    return {
        "latents": torch.sin(time + torch.arange(denoiser.latent_channels)),
        "context.music": torch.zeros(frames, denoiser.context["music"]),
        "rhythm": torch.zeros(frames, denoiser.rhythm_channels),
        "style": style,
        "accent": accent,
    }


def test_padding_does_not_count(config):
    """Clips that are as long as a crop or shorter: what comes after the shorter one's end changes no loss."""
    clips = [clip(config, 32, 0, 0), clip(config, 20, 1, 1)]
    settings = AutoregressiveTaskConfig(frames=32, shortest=16, network=SMALL)
    vae = autoencoder_of(config.modalities["motion"])
    task = AutoregressiveTask(config, settings, vae, {"train": clips, "val": clips})
    phase = task.phases["autoregressive"]
    assert isinstance(phase, AutoregressivePhase)
    batch = task.held_out(phase)
    assert batch["accent"].tolist() == [0, 1] and batch["valid"].sum(dim=1).tolist() == [32, 20]
    other = {**batch, "latents": batch["latents"].masked_fill(~batch["valid"][..., None], 9.0)}
    first, second = (phase(x, torch.Generator().manual_seed(0), 0)["likelihood"] for x in (batch, other))
    torch.testing.assert_close(first, second)


@pytest.fixture(scope="module")
def run(tmp_path_factory, model_folder):
    folder = tmp_path_factory.mktemp("autoregressive")
    loop = LoopConfig(
        steps=60, batch=4, lr=3e-3, warmup=5, ema=0.9, precision="32-true", accelerator="cpu", validate_every=10**6,
        pictures_every=10**6,
    )  # fmt: skip
    settings = AutoregressiveTaskConfig(frames=64, shortest=32, network=SMALL, drop_style=0.0)
    recipe = recipes.AutoregressiveRecipe(loop=loop, task=settings)
    arguments = Fit("autoregressive", Path("synthetic"), folder, init=model_folder, autoregressive=recipe)
    return folder, fit.main(arguments)["autoregressive"]


def test_the_command_trains_it_on_the_latents_of_a_model(run):
    _, result = run
    losses = [step["autoregressive/likelihood"] for step in result["history"]]
    assert sum(losses[-8:]) < 0.9 * sum(losses[:8])
    assert {"likelihood", "movement", "movement_end", "spread", "spread_end"} <= set(result["validation"])


def test_it_is_a_system_that_dances(run):
    folder, _ = run
    song = excerpt(120)
    system = dancers.dancer(systems.parse(f"{folder / 'autoregressive'}=frame by frame"), 30.0, {})
    assert system.name == "frame by frame" and "bob" in system.styles and system.in_style is not None
    made = system.dance(song, 0)
    assert made.frames == round(song.seconds * 30) and bool(made.root.isfinite().all())
    assert torch.equal(system.dance(song, 0).root, made.root)
    arriving = dancers.dancer(systems.parse(f"{folder / 'autoregressive'}@accent=arrive"), 30.0, {})
    for other in (system.in_style("bob"), arriving):
        assert other.key != system.key and not torch.equal(other.dance(song, 0).root, made.root)


def test_what_it_does_not_know_is_refused(run, tmp_path):
    folder, _ = run
    for word, says in (
        (f"{folder / 'autoregressive'}@accent=jump", "unknown accent"),
        (f"{folder / 'autoregressive'}@style=tango", "unknown style"),
        (str(tmp_path / "autoregressive"), "no trained autoregressive"),
        (f"{folder / 'autoregressive'}@guidance=2", "no option"),
    ):
        with pytest.raises(FootlightError, match=says):
            dancers.dancer(systems.parse(word), 30.0, {})
