"""Steering and looks, which enter every architecture by the same layers."""

from dataclasses import replace

import pytest
import torch

from core.config import DenoiserConfig
from core.diffusion.networks import as_unet, denoiser_of
from core.rhythm.features import rhythm_features
from core.types import Beats, Condition

PLAIN = DenoiserConfig(
    latent_channels=6, context={"music": 4}, width=32, blocks=1, attentions=1, heads=2, ff_kernel=3, condition_width=8,
    positions="rotary",
)  # fmt: skip
BEATS = Beats(torch.arange(0, 4, 0.5), 120.0)


@pytest.fixture(params=["transformer", "unet"])
def networks(request):
    """A network without steering and look, and one with both that started from its weights."""
    config = PLAIN if request.param == "transformer" else as_unet(PLAIN)
    torch.manual_seed(0)
    plain = denoiser_of(config).eval()
    torch.nn.init.normal_(plain.out.weight, std=0.1)
    steered = denoiser_of(replace(config, steering_channels=3, look_channels=5)).eval()
    steered.load_state_dict(plain.state_dict(), strict=False)
    return plain, steered


def condition(frames: int = 16, **parts) -> Condition:
    rhythm = rhythm_features(BEATS, torch.zeros(250), torch.zeros(250), frames, 16.0)[None]
    return Condition({"music": torch.ones(1, frames, 4)}, rhythm, **parts)


STEERED = {"steering": torch.ones(1, 16, 3), "look": torch.ones(1, 5)}


def test_at_first_they_change_nothing(networks):
    plain, steered = networks
    z, step = torch.randn(1, 16, 6), torch.tensor([500])
    torch.testing.assert_close(steered(z, step, condition(**STEERED)), plain(z, step, condition()))


def test_each_is_heard_and_can_be_dropped(networks):
    _, steered = networks
    for layer in (steered.steering_in, steered.look_in, steered.modulation):
        torch.nn.init.normal_(layer.weight, std=0.3)
    z, step = torch.randn(1, 16, 6), torch.tensor([500])
    both = steered(z, step, condition(**STEERED))
    for name, value in STEERED.items():
        assert not torch.allclose(both, steered(z, step, condition(**{**STEERED, name: -value})))
    dropped = torch.tensor([False])
    other = {name: -value for name, value in STEERED.items()}
    torch.testing.assert_close(
        steered(z, step, condition(**STEERED, keep=dropped)), steered(z, step, condition(**other, keep=dropped))
    )
    torch.testing.assert_close(
        steered(z, step, condition(keep=dropped)), steered(z, step, condition(**STEERED, keep=dropped))
    )


def test_a_look_shows_twice_as_much_on_a_beat(networks):
    _, steered = networks
    with torch.no_grad():
        for parameter in (*steered.look_in.parameters(), *steered.modulation.parameters()):
            parameter.zero_()
        half = len(steered.modulation.bias) // 2
        steered.modulation.bias[half:] = 1
    z, step = torch.randn(1, 16, 6), torch.tensor([500])
    plain = steered(z, step, condition())  # beats are on frames 0 and 8, halfway is 4
    with torch.no_grad():
        steered.modulation.bias.zero_()
    shift = plain - steered(z, step, condition())
    torch.testing.assert_close(shift[0, 8], 2 * shift[0, 4], atol=1e-4, rtol=1e-4)
    assert float(shift[0, 4].detach().abs().max()) > 1e-3


def test_a_window_has_its_own_steering():
    steering = torch.arange(16.0).view(1, 16, 1)
    part = Condition(steering=steering, look=torch.ones(1, 5)).window(4, 9)
    assert part.steering is not None and part.steering[0, :, 0].tolist() == [4, 5, 6, 7, 8]
    assert part.look is not None and part.look.shape == (1, 5)
