import dataclasses

import numpy as np
import pytest
import torch

from core.autoencoder.networks import autoencoder_of
from core.autoencoder.normalised import NormalisedVAE
from core.autoencoder.vae import ConvVAE
from core.config import Modality, VAEConfig, preset
from core.layers.blocks import from_picture, to_picture
from core.motion.features import LAYOUTS

TINY = VAEConfig(
    channels=10, width=8, multipliers=(1, 2, 2), blocks=1, kernel=3, latent_channels=4, halvings=2, heads=2
)


def shaken(network: torch.nn.Module) -> torch.nn.Module:
    """Random weights everywhere, also where a fresh network starts at zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            spread = parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.1
            gain = parameter.mean().round() if parameter.ndim == 1 else 0.0  # a norm's gain stays about one
            parameter.copy_(gain + spread * torch.randn(parameter.shape, generator=generator))
    return network


@pytest.mark.parametrize("modality", ["motion", "music"])
def test_the_paper_preset_has_the_papers_size(modality):
    with torch.device("meta"):
        vae = autoencoder_of(preset("paper").modalities[modality])
    assert sum(p.numel() for p in vae.parameters()) == pytest.approx(213e6, rel=0.03)


@pytest.mark.parametrize("halvings", [0, 1, 2])
@pytest.mark.parametrize("frames", [1, 7, 16])
def test_shapes_follow_the_stride(halvings, frames):
    vae = ConvVAE(dataclasses.replace(TINY, halvings=halvings))
    stride = 2**halvings
    latents = vae.encode(torch.randn(2, frames, 10)).mode()
    assert latents.shape == (2, -(-frames // stride), 4)
    assert vae.decode(latents).shape == (2, latents.shape[1] * stride, 10)


def test_the_convolutions_know_time_and_channels_apart():
    """The picture layout against the same weights in Conv1d."""
    vae = shaken(ConvVAE(TINY))
    layer = vae.encoder.layers[0]
    x = torch.randn(2, 12, 10)
    expected = torch.nn.functional.conv1d(x.transpose(1, 2), layer.weight[:, :, 0], layer.bias, padding=1)
    torch.testing.assert_close(layer(x.transpose(1, 2)[:, :, None])[:, :, 0], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("multipliers", [(1,), (1, 2, 2)])
def test_a_decoder_is_its_two_parts(multipliers):
    vae = shaken(ConvVAE(dataclasses.replace(TINY, multipliers=multipliers, halvings=len(multipliers) // 2)))
    z = torch.randn(2, 6, 4)
    coarse = vae.coarse(z)
    assert coarse.shape[:2] == (2, 6 * vae.config.stride)
    whole = from_picture(vae.decoder.layers(to_picture(z)))
    torch.testing.assert_close(vae.detailed(coarse, z), whole)
    torch.testing.assert_close(vae.decode(z), whole)
    assert not torch.allclose(vae.detailed(coarse + 0.1 * torch.randn_like(coarse), z), whole, atol=1e-3)


def test_samples_of_a_batch_do_not_meet():
    vae = shaken(ConvVAE(TINY)).eval()
    x = torch.randn(3, 16, 10)
    torch.testing.assert_close(vae.encode(x).mode()[1:2], vae.encode(x[1:2]).mode(), atol=1e-5, rtol=1e-4)


def test_physical_units_do_not_matter_once_the_statistics_are_known():
    frames = torch.randn(500, 10, generator=torch.Generator().manual_seed(1))
    scale, shift = torch.logspace(-3, 3, 10), torch.linspace(-50, 50, 10)
    one, other = (shaken(NormalisedVAE(TINY)).eval() for _ in range(2))
    one.set_statistics(frames)
    other.set_statistics(frames * scale + shift)
    x = torch.randn(1, 16, 10)
    latents = one.encode(x).mode()
    torch.testing.assert_close(other.encode(x * scale + shift).mode(), latents, atol=1e-2, rtol=1e-2)
    decoded = other.decode(latents)
    torch.testing.assert_close((decoded - shift) / scale, one.decode(latents), atol=2e-2, rtol=1e-2)


def test_training_leaves_the_statistics_of_the_latents():
    vae = shaken(NormalisedVAE(TINY)).train()
    generator = torch.Generator().manual_seed(2)
    drawn = []
    for _ in range(60):
        posterior = vae.encode(torch.randn(8, 16, 10, generator=generator))
        drawn.append(vae.standardise(posterior.sample(generator)))
    later = torch.cat(drawn[20:]).flatten(0, 1)
    assert later.mean(dim=0).abs().max() < 0.1 and (later.std(dim=0) - 1).abs().max() < 0.1
    before = {name: value.clone() for name, value in vae.named_buffers()}
    vae.eval().encode(100 * torch.randn(8, 16, 10))
    assert all(torch.equal(value, before[name]) for name, value in vae.named_buffers())
    z = torch.randn(1, 4, 4)
    torch.testing.assert_close(vae.unstandardise(vae.standardise(z)), z)


def test_a_channel_that_is_not_used_is_not_blown_up():
    vae = NormalisedVAE(TINY).train()  # a fresh one: means near 0, deviations near 1
    with torch.no_grad():
        for p in vae.encoder.layers[-1].parameters():
            p.zero_()
    vae.encode(torch.randn(4, 16, 10))
    torch.testing.assert_close(vae.latent_std, torch.ones(4))


def test_a_joint_that_hardly_turns_is_not_magnified():
    layout = LAYOUTS["smpl22-6d"]
    frames = torch.randn(400, layout.channels)
    place = layout.slices["rotations"]
    frames[:, place.start] *= 1e-4
    vae = autoencoder_of(Modality(layout.name, 31.25, dataclasses.replace(TINY, channels=layout.channels)))
    vae.set_statistics(frames)
    assert vae.std[place].max() == vae.std[place].min() > 0.9
    still = autoencoder_of(Modality(layout.name, 31.25, dataclasses.replace(TINY, channels=layout.channels)))
    still.set_statistics(torch.zeros(400, layout.channels))
    assert torch.isfinite(still.normalise(torch.ones(1, 2, layout.channels))).all()


def test_long_sequences_go_through_in_short_pieces():
    vae = shaken(NormalisedVAE(TINY)).eval()
    longest = [0, 0]
    vae.encoder.register_forward_pre_hook(lambda _, x: longest.__setitem__(0, max(longest[0], x[0].shape[1])))
    vae.decoder.register_forward_pre_hook(lambda _, x: longest.__setitem__(1, max(longest[1], x[0].shape[1])))
    latents = vae.encode_long(torch.randn(1, 4 * 1000 + 3, 10))
    assert latents.shape == (1, 1001, 4) and vae.decode_long(latents).shape == (1, 4004, 10)
    assert longest == [4 * 128, 128]
    short = torch.randn(1, 64, 10)
    torch.testing.assert_close(vae.encode_long(short), vae.standardise(vae.encode(short).mode()))
    assert not latents.requires_grad


def test_bfloat16_agrees_with_float32():
    vae = shaken(NormalisedVAE(TINY)).eval()
    x = torch.randn(2, 32, 10)
    exact = vae.decode(vae.encode(x).mode())
    with torch.autocast("cpu", torch.bfloat16):
        rough = vae.decode(vae.encode(x).mode())
    assert rough.dtype == torch.float32
    assert (rough - exact).norm() / exact.norm() < 0.05


def test_it_learns_to_copy():
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(3)
    vae = NormalisedVAE(dataclasses.replace(TINY, halvings=1))
    phase = torch.rand(64, 1, 10, generator=generator) * 6.3
    x = torch.sin(torch.arange(16)[None, :, None] * 0.4 + phase[..., :1] + torch.arange(10) * 0.3)
    optimiser = torch.optim.Adam(vae.parameters(), 5e-3)
    for _ in range(120):
        posterior = vae.encode(x)
        loss = (vae.decode(posterior.sample(generator)) - x).square().mean() + 1e-5 * posterior.kl().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.05 * float(x.square().mean())


LINEAR = dataclasses.replace(TINY, halvings=1, multipliers=(1, 2), latent_channels=4, linear=True)


def test_a_linear_path_begins_as_the_best_linear_code():
    """Against numpy's singular values: no rank-4 code of pairs of frames leaves less than what they leave."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(3, LINEAR.channels, generator=generator)
    frames = torch.randn(600, 3, generator=generator).cumsum(dim=0) @ mixing * 0.1
    frames = frames + 0.05 * torch.randn(600, LINEAR.channels, generator=generator)
    vae = NormalisedVAE(LINEAR).eval()
    vae.learn_from(frames)
    normal = vae.normalise(frames)
    with torch.no_grad():
        posterior = vae.encode(frames[None])
        left = (vae.normalise(vae.decode(posterior.mode())[0]) - normal).square().sum()
    patches = normal.reshape(300, -1).double().numpy()
    values = np.linalg.svd(patches - patches.mean(axis=0), compute_uv=False)
    assert float(left) == pytest.approx(float((values[4:] ** 2).sum()), rel=1e-3)
    latents = posterior.mode()[0]
    assert float(latents.var(dim=0).mean()) == pytest.approx(1.0, rel=0.01)  # not whitened, but of unit size
    assert float(latents.var(dim=0).max() / latents.var(dim=0).min()) < 20  # turned: no channel holds it all
    assert float(posterior.variance.mean()) < 0.01


def test_the_networks_learn_what_the_linear_path_leaves():
    vae = NormalisedVAE(LINEAR)
    frames = torch.randn(200, LINEAR.channels, generator=torch.Generator().manual_seed(0))
    vae.learn_from(frames)
    loss = (vae.decode(vae.encode(frames[None]).mode())[0] - frames).square().mean()
    loss.backward()
    for layer in (vae.encoder.layers[-1], vae.decoder.layers[-1], vae.linear.into, vae.linear.out):
        assert float(layer.weight.grad.abs().sum()) > 0


def test_without_a_linear_path_nothing_is_added():
    assert not any(name.startswith("linear") for name in NormalisedVAE(TINY).state_dict())
