import torch

from core.autoencoder.identity import Identity
from core.autoencoder.networks import autoencoder_of
from core.autoencoder.normalised import NormalisedVAE
from core.config import Modality, VAEConfig, preset
from core.motion.features import LAYOUTS

PLAIN = VAEConfig(channels=10, latent_channels=10, halvings=0, kind="identity")


def learnt() -> tuple[Identity, torch.Tensor]:
    frames = torch.randn(500, 10, generator=torch.Generator().manual_seed(0)) * torch.logspace(-2, 2, 10) + 7
    identity = autoencoder_of(Modality("mel", 62.5, PLAIN))
    identity.learn_from(frames)
    return identity, frames


def test_latents_are_standard_and_decode_to_what_they_were():
    identity, frames = learnt()
    latents = identity.encode_long(frames[None])
    assert latents.mean(dim=(0, 1)).abs().max() < 1e-3 and (latents.std(dim=(0, 1)) - 1).abs().max() < 1e-3
    torch.testing.assert_close(identity.decode_long(latents)[0], frames, atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(identity.decode(identity.unstandardise(latents))[0], frames, atol=1e-3, rtol=1e-5)
    posterior = identity.encode(frames[None])
    assert torch.equal(identity.standardise(posterior.mode()), latents)
    drawn = posterior.sample(torch.Generator().manual_seed(1))
    torch.testing.assert_close(drawn, latents, atol=1e-5, rtol=0)


def test_it_has_statistics_and_nothing_else():
    identity, _ = learnt()
    assert not list(identity.parameters()) and set(identity.state_dict()) == {"mean", "std"}


def test_motion_has_the_statistics_of_the_motion_autoencoder():
    layout = LAYOUTS["smpl22-6d"]
    frames = torch.randn(300, layout.channels, generator=torch.Generator().manual_seed(0)) * torch.rand(layout.channels)
    frames[:, 5] = 3.0
    plain = VAEConfig(channels=140, latent_channels=140, halvings=0, kind="identity")
    identity = autoencoder_of(Modality("smpl22-6d", 31.25, plain))
    vae = autoencoder_of(preset("tiny").modalities["motion"])
    assert isinstance(identity, Identity) and isinstance(vae, NormalisedVAE)
    for network in (identity, vae):
        network.set_statistics(frames)
    assert torch.equal(identity.mean, vae.mean) and torch.equal(identity.std, vae.std)


def test_losses_flow_through_it():
    identity, _ = learnt()
    latents = torch.randn(2, 8, 10, requires_grad=True)
    identity.decode(latents).sum().backward()
    torch.testing.assert_close(latents.grad, identity.std.expand(2, 8, 10))
