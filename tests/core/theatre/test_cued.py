"""The light's denoiser with cues, and the chains that tell it."""

from dataclasses import replace

import pytest
import torch

from core.config import on_stage, preset, with_theatre
from core.diffusion.guidance import guided
from core.diffusion.networks import denoiser_of
from core.diffusion.sampler import Chain
from core.diffusion.schedule import linear_sqrt
from core.light.cues import CUES, DANCER, SECTIONS, with_energy, without_energy
from core.rhythm.features import LOUDNESS
from core.theatre.chains import Given, Prompt, chains
from core.theatre.network import Theatre
from core.theatre.sampling import by_look_and_energy
from core.types import Condition

FRAMES = 16
CONFIG = with_theatre(preset("tiny"), ("noir", "disco"), "tiny")
THEATRE = CONFIG.theatre
assert THEATRE is not None
LIGHT = THEATRE.denoisers["light"]


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def told() -> Condition:
    return Condition({"music": noise(2, FRAMES, 6)}, noise(2, FRAMES, 10), cues=noise(2, FRAMES, len(CUES), seed=1))


def answer(network, condition: Condition) -> torch.Tensor:
    return network(noise(2, FRAMES, LIGHT.latent_channels), torch.tensor([500, 500]), condition)


def trained() -> torch.nn.Module:
    """A denoiser whose layers all do something."""
    torch.manual_seed(0)
    network = denoiser_of(LIGHT).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return network


def test_a_new_layer_for_cues_changes_nothing_and_learns(told):
    torch.manual_seed(0)
    network = denoiser_of(LIGHT).eval()
    torch.nn.init.normal_(network.get_parameter("out.weight"))
    torch.testing.assert_close(answer(network, told), answer(network, replace(told, cues=None)))
    answer(network, told).square().mean().backward()
    gradient = network.get_parameter("cues_in.weight").grad
    assert gradient is not None and float(gradient.abs().max()) > 0


def test_cues_are_heard_unless_the_condition_is_dropped(told):
    network = trained()
    silent = replace(told, cues=torch.zeros(2, FRAMES, len(CUES)))
    dropped = torch.tensor([False, True])
    apart = (answer(network, replace(told, keep=dropped)) - answer(network, replace(silent, keep=dropped))).abs()
    assert float(apart[1].max()) > 1e-3 and float(apart[0].max()) < 1e-6


def test_the_light_is_told_of_the_dance_that_it_hears():
    torch.manual_seed(0)
    theatre, energy = Theatre(CONFIG).eval(), torch.linspace(0, 1, FRAMES)
    cues = torch.zeros(1, FRAMES, len(CUES))
    cues[..., SECTIONS] = noise(1, FRAMES, 5)
    told = Condition({"music": noise(1, FRAMES, 6)}, noise(1, FRAMES, 10))
    music = theatre.encoded("music", noise(1, 2, sum(theatre.slicing.music_widths)))
    prompt = Prompt(told, music, torch.tensor([0]), None, {}, cues, lambda motion: energy.expand(len(motion), -1))
    stage = on_stage(CONFIG)
    starts = {name: noise(1, FRAMES, stage.denoisers[name].latent_channels, seed=2) for name in ("motion", "light")}
    made = chains(theatre, CONFIG, prompt, starts, linear_sqrt())
    before = made["light"].condition.cues
    assert before is not None and torch.equal(before, cues) and made["motion"].condition.cues is None
    assert made["light"].tell is not None
    heard = made["light"].tell(starts).cues
    assert heard is not None and torch.equal(heard[..., SECTIONS], cues[..., SECTIONS])
    assert torch.equal(heard[0, :, DANCER], torch.stack([energy, torch.ones(FRAMES)], dim=1))


def heeding(x_t: torch.Tensor, t: torch.Tensor, condition: Condition) -> torch.Tensor:
    """A light that is thrice as bright as the dancer is energetic, besides what it has by look and sections."""
    assert condition.cues is not None
    told = 3 * condition.cues[..., :1] + condition.cues[..., SECTIONS].sum(dim=-1, keepdim=True)
    if condition.look is not None:
        told = told + condition.look[:, None]
    return x_t + (told if condition.keep is None else told * condition.keep[:, None, None])


def test_look_and_energy_guide_and_nothing_else_does():
    cues = with_energy(noise(2, FRAMES, len(CUES)), noise(2, FRAMES, seed=3).abs())
    look, x_t, t = noise(2, 1, seed=5), noise(2, FRAMES, 1, seed=4), torch.tensor([500, 500])
    told = Condition({}, None, cues=cues, look=look)
    plain, strong = (by_look_and_energy(heeding, scale)(x_t, t, told) for scale in (1.0, 2.5))
    torch.testing.assert_close(strong - plain, 1.5 * (3 * cues[..., :1] + look[:, None]))
    untold = replace(told, look=None, cues=without_energy(cues))
    assert torch.equal(by_look_and_energy(heeding, 2.5)(x_t, t, untold), heeding(x_t, t, untold))
    none = replace(told, cues=None)
    assert torch.equal(by_look_and_energy(lambda x, t, condition: x, 2.5)(x_t, t, none), x_t)


def test_look_and_energy_guide_within_guidance_by_all_that_is_told():
    cues = with_energy(noise(2, FRAMES, len(CUES)), noise(2, FRAMES, seed=3).abs())
    look, x_t, t = noise(2, 1, seed=5), noise(2, FRAMES, 1, seed=4), torch.tensor([500, 500])
    told = Condition({}, None, cues=cues, look=look)
    both = guided(by_look_and_energy(heeding, 2.5), 2.0)(x_t, t, told)
    by_sections = heeding(x_t, t, replace(told, look=None, cues=without_energy(cues))) - x_t
    torch.testing.assert_close(both, x_t + 2.0 * (by_sections + 2.5 * (3 * cues[..., :1] + look[:, None])))


@pytest.mark.parametrize("given", [False, True])
def test_a_light_without_cues_is_told_of_quieter_music_where_the_dancer_rests(given):
    light = replace(LIGHT, cue_channels=0)
    assert CONFIG.theatre is not None
    theatre = replace(CONFIG.theatre, answer=0.5, denoisers={**CONFIG.theatre.denoisers, "light": light})
    config, energy = replace(CONFIG, theatre=theatre), torch.tensor([[0.0, 1.0] * (FRAMES // 2)])
    torch.manual_seed(0)
    networks = Theatre(config).eval()
    told = Condition({"music": noise(1, FRAMES, 6)}, noise(1, FRAMES, 10).abs())
    music = networks.encoded("music", noise(1, 2, sum(networks.slicing.music_widths)))
    stage = on_stage(config)
    starts = {name: noise(1, FRAMES, stage.denoisers[name].latent_channels) for name in ("motion", "light")}
    known = {"motion": Given(starts["motion"], vectors=noise(1, 2, 8))} if given else {}
    prompt = Prompt(told, music, torch.tensor([0]), None, known, None, lambda motion: energy)
    made = chains(networks, config, prompt, starts, linear_sqrt())
    heard = rhythm_of(made["light"].condition if given else heard_by(made["light"], starts))
    assert torch.allclose(
        heard[..., LOUDNESS], rhythm_of(told)[..., LOUDNESS] * torch.tensor([0.5, 1.0] * (FRAMES // 2))
    )
    others = [i for i in range(10) if i != LOUDNESS]
    assert torch.equal(heard[..., others], rhythm_of(told)[..., others])
    if not given:
        assert torch.equal(rhythm_of(made["light"].condition), rhythm_of(told))
        assert torch.equal(rhythm_of(heard_by(made["motion"], starts)), rhythm_of(told))


def heard_by(chain: Chain, estimates: dict[str, torch.Tensor]) -> Condition:
    assert chain.tell is not None
    return chain.tell(estimates)


def rhythm_of(condition: Condition) -> torch.Tensor:
    assert condition.rhythm is not None
    return condition.rhythm
