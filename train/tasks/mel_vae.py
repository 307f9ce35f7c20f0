"""Stage 1: the mel autoencoder with a patch discriminator (paper eq. 10).

L = L_rec + 1e-5 L_KL + 0.5 L_GAN; the generator steps first, then the discriminator.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.autoencoder.discriminator import PatchDiscriminator, discriminator_loss, generator_loss
from core.autoencoder.mel_vae import MelVAE
from core.config import Config
from train.draw import mel_picture
from train.loop import Phase


@dataclass(frozen=True)
class MelVAEConfig:
    """frames: length of a training crop in mel frames (62.5 a second). gain: loudness augmentation, +- nepers."""

    frames: int = 192
    kl: float = 1e-5
    gan: float = 0.1  # the paper's 0.5 costs a network of the default size a fifth of its accuracy
    gan_start: int = 2000  # steps of plain reconstruction before the discriminator has a say
    gain: float = 0.7


class GeneratorPhase(Phase):
    def __init__(self, vae: MelVAE, critic: PatchDiscriminator, config: MelVAEConfig) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({"mel_vae": vae})
        self.critic = [critic]  # in a list: its parameters belong to the other optimiser
        self.config = config

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        mel = batch["mel"]  #                                         b t m
        vae = self.networks["mel_vae"]
        posterior = vae.encode(mel)
        decoded = vae.decode(posterior.sample(generator))  #          b t m
        scale = vae.std.mean()
        losses = {
            "reconstruction": ((decoded - mel) / scale).abs().mean(),
            "kl": self.config.kl * posterior.kl().mean(),
        }
        if step >= self.config.gan_start:
            losses["gan"] = self.config.gan * generator_loss(self.critic[0](vae.normalise(decoded)))
        return losses


class DiscriminatorPhase(Phase):
    def __init__(self, vae: MelVAE, critic: PatchDiscriminator, config: MelVAEConfig) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({"discriminator": critic})
        self.vae = [vae]
        self.config = config

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        critic = self.networks["discriminator"]
        if step < self.config.gan_start:
            return {"discriminator": 0.0 * sum(p.sum() for p in critic.parameters())}
        vae = self.vae[0]
        with torch.no_grad():
            decoded = vae.decode(vae.encode(batch["mel"]).sample(generator))
        real, fake = critic(vae.normalise(batch["mel"])), critic(vae.normalise(decoded))
        return {"discriminator": discriminator_loss(real, fake)}


class MelVAETask:
    """songs: log-mels (t, m) by split, ``{"train": [...], "val": [...]}``."""

    name = "mel-vae"

    def __init__(self, model: Config, config: MelVAEConfig, songs: dict[str, list[Tensor]]) -> None:
        self.config = config
        self.train = [mel for mel in songs["train"] if len(mel) >= config.frames]
        self.val = [mel for mel in songs["val"] if len(mel) >= config.frames]
        self.lengths = torch.tensor([float(len(mel)) for mel in self.train])
        vae = MelVAE(model.mel_vae)
        vae.learn_from(torch.cat([mel.float() for mel in self.train]))
        critic = PatchDiscriminator()
        self.phases: dict[str, Phase] = {
            "generator": GeneratorPhase(vae, critic, config),
            "discriminator": DiscriminatorPhase(vae, critic, config),
        }

    def batch(self, size: int, generator: torch.Generator) -> dict:
        songs = torch.multinomial(self.lengths, size, replacement=True, generator=generator)
        crops = []
        for song in songs.tolist():
            mel = self.train[song]
            start = int(torch.randint(len(mel) - self.config.frames + 1, (1,), generator=generator))
            crops.append(mel[start : start + self.config.frames].float())
        mels = torch.stack(crops)
        gain = (torch.rand(size, 1, 1, generator=generator) * 2 - 1) * self.config.gain
        return {"mel": (mels + gain).clamp_min(-11.6)}  # silence stays the floor of core.audio.mel

    def _held_out(self) -> Tensor:
        return torch.stack([mel[: self.config.frames].float() for mel in self.val[:16]])

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        vae = phases["generator"].networks["mel_vae"]
        mel = self._held_out().to(vae.std.device)
        decoded = vae.decode(vae.encode(mel).mode())
        # The rise from frame to frame is what an attack is made of.
        attack = (decoded.diff(dim=1).clamp_min(0) - mel.diff(dim=1).clamp_min(0)).abs().mean()
        return {"mel_l1": float((decoded - mel).abs().mean()), "attack_l1": float(attack)}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        vae = phases["generator"].networks["mel_vae"]
        mel = self._held_out()[:4].to(vae.std.device)
        decoded = vae.decode(vae.encode(mel).mode())
        return {"mel": mel_picture(mel.cpu(), decoded.float().cpu())}
