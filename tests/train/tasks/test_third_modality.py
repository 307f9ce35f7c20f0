"""A third modality without code of its own: a layout, an autoencoder and a denoiser, all by configuration.

The light of a stage follows the loudness that is heard and the height at which somebody dances.
"""

from dataclasses import replace

import pytest
import torch

from core import checkpoint
from core.config import DenoiserConfig, Modality, SamplingConfig, VAEConfig
from core.diffusion.sampler import Chain, walk
from core.motion.layouts import LAYOUTS, Layout
from core.pipeline.model import Model, draw, first_noise, guided_denoiser, schedule_of
from core.types import Condition
from train.loop import LoopConfig, fit
from train.state import load_state
from train.tasks.autoencoder import AutoencoderTask, AutoencoderTaskConfig
from train.tasks.diffusion import DiffusionTask, DiffusionTaskConfig

LIGHT = Layout(
    "stage-light",
    (("intensity", 2, "of full, left and right"), ("colour", 3, "linear red, green, blue"), ("beam", 1, "radians")),
    joints=(),
    parents=(),
)
FRAMES, CLIPS = 32, 6


@pytest.fixture(scope="module")
def config(model_folder):
    """The tiny model, which also has light, heard by nobody and hearing everybody."""
    vae = VAEConfig(channels=LIGHT.channels, width=8, multipliers=(1, 2), blocks=1, latent_channels=4, heads=2)
    tiny = checkpoint.load(model_folder).config
    heard = {name: modality.autoencoder.latent_channels for name, modality in tiny.modalities.items()}
    denoiser = DenoiserConfig(
        latent_channels=4, context=heard, rhythm_channels=0, width=32, blocks=2, attentions=1, heads=2, ff_kernel=3,
        condition_width=16, positions="rotary",
    )  # fmt: skip
    return replace(
        tiny,
        modalities={**tiny.modalities, "light": Modality(LIGHT.name, 62.5, vae)},
        denoisers={**tiny.denoisers, "light": denoiser},
        sampling={**tiny.sampling, "light": SamplingConfig(steps=4, window=48, overlap=16, guidance=2.0)},
    )


@pytest.fixture(scope="module", autouse=True)
def known_layout():
    """Whoever adds a modality tells what its channels mean."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(LAYOUTS, LIGHT.name, LIGHT)
        yield


def latents_of(song: int, channels: int, frames: int) -> torch.Tensor:
    """(t, z) smooth latents, others in each song."""
    time = torch.arange(frames)[:, None] / 8
    return torch.sin(time * (1 + torch.arange(channels) / channels) + song)


def light_of(song: int, frames: int) -> torch.Tensor:
    """(t, 6) light at twice the latents' rate."""
    time = torch.arange(frames)[:, None] / 16
    return 0.5 + 0.5 * torch.sin(time * torch.tensor([1.0, 1.2, 0.3, 0.5, 0.7, 0.1]) + song)


def loop(steps: int) -> LoopConfig:
    return LoopConfig(
        steps=steps, batch=4, lr=1e-2, warmup=2, ema=0.5, precision="32-true", accelerator="cpu",
        validate_every=10**6, pictures_every=10**6,
    )  # fmt: skip


def averaged(folder, phase: str, part: str) -> dict[str, torch.Tensor]:
    state = load_state(folder / "ema.safetensors")[phase]
    return {name.removeprefix(f"{part}."): value for name, value in state.items()}


@pytest.fixture(scope="module")
def light_model(config, model_folder, tmp_path_factory):
    """A model folder with light in it, trained by the ordinary tasks, and what training gave back."""
    folder = tmp_path_factory.mktemp("light")
    frames = {split: [{"features": light_of(i + 50 * (split == "val"), 2 * FRAMES)} for i in range(CLIPS)]
              for split in ("train", "val")}  # fmt: skip
    task = AutoencoderTask(config, "light", AutoencoderTaskConfig(frames=FRAMES), frames)
    first = fit(task, loop(40), folder / "autoencoder")
    vae = task.phases["autoencoder"].vae
    vae.load_state_dict(averaged(folder / "autoencoder", "autoencoder", "autoencoder"))
    vae.eval()
    clips = {
        split: [
            {
                "latents": vae.encode_long(clip["features"][None])[0],
                "context.motion": latents_of(i, 6, FRAMES),
                "context.music": latents_of(i + 7, 6, FRAMES),
                "style": -1,
            }
            for i, clip in enumerate(some)
        ]
        for split, some in frames.items()
    }
    settings = DiffusionTaskConfig(frames=FRAMES, shortest=FRAMES)
    second = fit(DiffusionTask(config, "light", settings, clips), loop(2), folder / "denoiser")
    weights = averaged(folder / "denoiser", "denoiser", "denoiser")
    tensors = {**checkpoint.load(model_folder).tensors, "autoencoder.light": vae.state_dict()}
    checkpoint.save_folder(folder / "model", config, {**tensors, "denoiser.light": weights})
    return folder / "model", first, second


@pytest.fixture(scope="module")
def model(light_model):
    return Model.load(light_model[0], "cpu")


def test_its_networks_learn(light_model, config):
    _, first, second = light_model
    errors = [step["autoencoder/reconstruction"] for step in first["history"]]
    assert errors[-1] < 0.9 * errors[0] and 0 < first["validation"]["reconstruction"] < 2
    assert len(second["history"]) == 2 and second["history"][0]["denoiser/latents"] > 0


def test_its_slices_share_their_deviations(model):
    std = model.autoencoders["light"].std
    for place in LIGHT.slices.values():
        assert std[place].min() == std[place].max() > 0


def test_it_is_drawn_to_a_dance_and_its_song(model):
    told = Condition({name: latents_of(1, 6, 40)[None] for name in ("motion", "music")})
    drawings = {steps: list(draw(model, "light", told, 40, seed=3, steps=steps)) for steps in (3, 4)}
    assert [len(some) for some in drawings.values()] == [3, 4]
    light = model.autoencoders["light"].decode_long(drawings[4][-1])
    assert light.shape == (1, 40 * model.config.modalities["light"].autoencoder.stride, LIGHT.channels)
    assert bool(light.isfinite().all())
    for name in told.context:
        other = replace(told, context={**told.context, name: latents_of(5, 6, 40)[None]})
        *_, elsewhere = draw(model, "light", other, 40, seed=3, steps=4)
        assert not torch.equal(elsewhere, drawings[4][-1])


def test_three_chains_are_walked_as_one(model):
    """Light hears the other two, and they each other; without it they take the steps that they take with it."""
    generator, heard = torch.Generator().manual_seed(0), []

    def chain(name: str) -> Chain:
        others = tuple(model.config.denoisers[name].context)

        def tell(estimates) -> Condition:
            heard.append((name, tuple(estimates)))
            return Condition({other: estimates[other] for other in others})

        untold = Condition(keep=torch.zeros(1, dtype=torch.bool))
        noise = first_noise(model, name, 40, generator)
        return Chain(guided_denoiser(model, name), noise, untold, tell)

    chains = {name: chain(name) for name in model.config.modalities}
    steps = list(walk(chains, schedule_of(model.config), 4))
    assert len(steps) == 4 and heard[:3] == [(name, tuple(chains)) for name in chains] and len(heard) == 6
    assert {name: x.shape[1:] for name, x in steps[-1].items()} == {
        "motion": (40, 6),
        "music": (40, 6),
        "light": (40, 4),
    }
    assert all(bool(x.isfinite().all()) for x in steps[-1].values())
    *_, duet = walk({name: chains[name] for name in ("motion", "music")}, schedule_of(model.config), 4)
    assert all(torch.equal(duet[name], steps[-1][name]) for name in duet)


def test_the_others_are_as_they_were(model, model_folder):
    before = Model.load(model_folder, "cpu")
    for name in ("motion", "music"):
        told = Condition({other: latents_of(2, 6, 20)[None] for other in before.config.denoisers[name].context})
        *_, one = draw(before, name, told, 20, seed=1, steps=2)
        *_, other = draw(model, name, told, 20, seed=1, steps=2)
        assert torch.equal(one, other)
