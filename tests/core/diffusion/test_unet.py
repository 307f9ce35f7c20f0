import dataclasses

import pytest
import torch

from core.config import DenoiserConfig, preset
from core.diffusion.networks import as_unet, denoiser_of, size
from core.diffusion.objective import diffusion_loss
from core.diffusion.schedule import linear_sqrt
from core.errors import FootlightError
from core.types import Condition

TINY = DenoiserConfig(
    kind="unet", latent_channels=4, context={"music": 4}, rhythm_channels=2, width=16, blocks=1, attentions=1, heads=2,
    ff_kernel=3, condition_width=16, multipliers=(1, 2, 2),
)  # fmt: skip


def shaken(config: DenoiserConfig):
    network, generator = denoiser_of(config).eval(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return network


def given(frames: int):
    generator = torch.Generator().manual_seed(1)
    z, music = torch.randn(2, 2, frames, 4, generator=generator)
    return z, torch.tensor([30, 700]), Condition({"music": music}, torch.randn(2, frames, 2, generator=generator))


@pytest.mark.parametrize("name", ["tiny", "default", "paper"])
def test_it_is_as_large_as_the_transformer_of_its_preset(name):
    config = preset(name).denoisers["motion"]
    unet = as_unet(config)
    assert size(unet) == pytest.approx(size(config), rel=0.1)
    assert as_unet(unet) == unet and dataclasses.replace(unet, latent_channels=9).kind == "unet"
    told = ("latent_channels", "context", "rhythm_channels", "styles", "observed")
    assert all(getattr(unet, name) == getattr(config, name) for name in told)


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 17, 96, 1100])
def test_any_length_goes_through(frames):
    network = shaken(TINY)
    z, step, condition = given(frames)
    with torch.no_grad():
        out = network(z, step, condition)
    assert out.shape == z.shape and bool(out.isfinite().all())


def test_without_attention_a_frame_hears_only_its_neighbourhood():
    """Norms over time, or padding that is seen, would let the end of a sequence change its beginning."""
    network = shaken(dataclasses.replace(TINY, attentions=0))
    z, step, condition = given(201)
    long = network(z, step, condition)
    for frames in (160, 159, 158, 157):
        short = network(z[:, :frames], step, condition.window(0, frames))
        torch.testing.assert_close(short[:, :100], long[:, :100], rtol=1e-4, atol=1e-4)
        assert float((short[:, -1] - long[:, frames - 1]).detach().abs().max()) > 1e-3


def test_the_deepest_level_hears_everything():
    network = shaken(TINY)
    z, step, condition = given(200)
    z.requires_grad_()
    (gradient,) = torch.autograd.grad(network(z, step, condition)[0, 0].square().sum(), z)
    assert float(gradient[0, -8:].abs().max()) > 0 and float(gradient[1].abs().max()) == 0


def test_it_learns_to_follow_its_condition():
    """Latents that are the condition, three frames late: unguessable at pure noise without it, exact with it."""
    torch.manual_seed(0)
    network, schedule = denoiser_of(TINY), linear_sqrt(1000, 0.00085, 0.012)
    generator = torch.Generator().manual_seed(2)
    optimiser = torch.optim.Adam(network.parameters(), 4e-3)

    def loss(keep: bool, size: int = 16, frames: int = 27) -> torch.Tensor:
        music = torch.randn(size, frames, 4, generator=generator)
        told = Condition({"music": music}, torch.zeros(size, frames, 2), keep=torch.full((size,), keep))
        return diffusion_loss(network, music.roll(3, dims=1), told, schedule, "x0", generator)[0]["diffusion"]

    for step in range(150):
        optimiser.zero_grad()
        loss(keep=step % 4 > 0).backward()
        optimiser.step()
    network.eval()
    with torch.no_grad():
        heard, deaf = (sum(float(loss(keep)) for _ in range(4)) / 4 for keep in (True, False))
    # the three frames that roll around, of 27, stay hard
    assert heard < 0.5 * deaf and deaf < 1


def test_shapes_that_cannot_be_are_refused():
    for change in ({"multipliers": (1,)}, {"width": 15, "heads": 4}):
        with pytest.raises(FootlightError, match="U-Net of width"):
            denoiser_of(dataclasses.replace(TINY, **change))
