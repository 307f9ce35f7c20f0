import torch

from core.autoencoder.discriminator import PatchDiscriminator, discriminator_loss, generator_loss


def test_hinge_losses():
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([-3.0, 0.5])
    assert float(discriminator_loss(real, fake)) == 0.5 * (0.5 + 0.75)
    assert float(generator_loss(fake)) == 1.25


def test_a_score_sees_a_patch():
    critic = PatchDiscriminator()
    mel = torch.zeros(1, 256, 80, requires_grad=True)
    scores = critic(mel)
    assert scores.shape == (1, 32, 10)
    scores[0, 16, 5].backward()
    seen = mel.grad[0].abs() > 0
    assert int(seen.any(dim=1).sum()) == 54 and int(seen.any(dim=0).sum()) == 54


def test_it_learns_to_tell_sharp_from_smooth():
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    critic = PatchDiscriminator(width=4)
    optimiser = torch.optim.Adam(critic.parameters(), 3e-3)

    def pair():
        sharp = torch.randn(8, 32, 80, generator=generator)
        return sharp, torch.nn.functional.avg_pool1d(sharp, 5, 1, 2) * 5**0.5

    for _ in range(60):
        real, fake = pair()
        loss = discriminator_loss(critic(real), critic(fake))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    real, fake = pair()
    assert (critic(real).mean() - critic(fake).mean()) > 1
