"""The music autoencoder, of mels with a patch discriminator (MoMu-Diffusion, eq. 10).

L = L_rec + 1e-5 L_KL + 0.5 L_GAN. The generator steps first, then the discriminator. On the waveform (the paper's
ablation) there is no discriminator, because its patches are of time and frequency.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from core.audio.mel import log_mel
from core.audio.representation import to_float
from core.autoencoder.discriminator import PatchDiscriminator, discriminator_loss, generator_loss
from core.autoencoder.networks import autoencoder_of
from core.autoencoder.normalised import NormalisedVAE
from core.config import Config
from train.data.splits import croppable
from train.draw import mel_picture
from train.loop import Phase


@dataclass(frozen=True)
class MelVAEConfig:
    """Crops, weights and augmentation.

    frames: length of a training crop in frames of the music, 62.5 a second.
    gain: of changes in loudness, +- nepers.
    decoder_only: keep the encoder, and with it the latents that a denoiser was trained on.
    """

    frames: int = 192
    kl: float = 1e-5
    gan: float = 0.1  # the paper's 0.5 costs a network of the default size a fifth of its accuracy
    gan_start: int = 2000  # steps of plain reconstruction before the discriminator counts
    gain: float = 0.7
    decoder_only: bool = False


LEARNT_FRAMES = 1_000_000  # of mel; statistics and principal components need no more, and memory stays small
STRETCH = 256


def mel_losses(decoded: Tensor, target: Tensor) -> dict[str, Tensor]:
    """How far log-mels (b, t, m) are from others, in nepers.

    Returns ``mel``, the mean difference, and ``attack``, that of the rises from frame to frame.
    """
    rises = [music.diff(dim=1).clamp_min(0) for music in (decoded, target)]
    return {"mel": (decoded - target).abs().mean(), "attack": (rises[0] - rises[1]).abs().mean()}


class GeneratorPhase(Phase):
    """Trains the music autoencoder: to decode what it encodes, and after ``gan_start`` steps to pass for real music."""

    def __init__(self, vae: NormalisedVAE, critic: PatchDiscriminator | None, config: MelVAEConfig) -> None:
        super().__init__({"mel_vae": vae}, critic=critic)
        if config.decoder_only:
            vae.freeze_encoder()
        self.config = config

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        music = batch["music"]  #                                     b t m
        vae = self.network("mel_vae", NormalisedVAE)
        posterior = vae.encode(music)
        decoded = vae.decode(posterior.sample(generator))  #          b t m
        scale = vae.std.mean()
        losses = {
            "reconstruction": ((decoded - music) / scale).abs().mean(),
            "kl": self.config.kl * posterior.kl().mean(),
        }
        critic = self.borrowed.critic
        if critic is not None and step >= self.config.gan_start:
            losses["gan"] = self.config.gan * generator_loss(critic(vae.normalise(decoded)))
        return losses


class DiscriminatorPhase(Phase):
    """Trains the critic, after ``gan_start`` steps, to tell decoded music from real music."""

    def __init__(self, vae: NormalisedVAE, critic: PatchDiscriminator, config: MelVAEConfig) -> None:
        super().__init__({"discriminator": critic}, vae=vae)
        self.config = config

    def forward(self, batch: dict, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        critic = self.networks["discriminator"]
        if step < self.config.gan_start:
            return {"discriminator": 0.0 * reduce(torch.add, (p.sum() for p in critic.parameters()))}
        vae = self.borrowed.vae
        with torch.no_grad():
            decoded = vae.decode(vae.encode(batch["music"]).sample(generator))
        real, fake = critic(vae.normalise(batch["music"])), critic(vae.normalise(decoded))
        return {"discriminator": discriminator_loss(real, fake)}


class MelVAETask:
    """Trains the music autoencoder.

    songs: by split, frames of the music (t, c): log-mels, or the waveform's as int16, which become float crop by crop.

    Creating one raises FootlightError if all of them are shorter than a crop.
    """

    name = "mel-vae"

    def __init__(self, model: Config, config: MelVAEConfig, songs: dict[str, list[Tensor]]) -> None:
        music = model.modalities["music"]
        self.config, self.signal, self.music = config, model.signal, music.representation
        long = croppable(songs, "songs", len, config.frames, music.fps)
        self.train, self.val = long["train"], long["val"]
        self.lengths = torch.tensor([float(len(song)) for song in self.train])
        vae = autoencoder_of(music)
        assert isinstance(vae, NormalisedVAE), "without networks there is nothing to train"
        vae.learn_from(spread(self.train, LEARNT_FRAMES * model.signal.mel_bands // music.autoencoder.channels))
        critic = PatchDiscriminator() if self.music == "mel" else None
        self.phases: dict[str, Phase] = {"generator": GeneratorPhase(vae, critic, config)}
        if critic is not None:
            self.phases["discriminator"] = DiscriminatorPhase(vae, critic, config)

    def batch(self, size: int, generator: torch.Generator) -> dict:
        songs = torch.multinomial(self.lengths, size, replacement=True, generator=generator)
        crops = []
        for index in songs.tolist():
            song = self.train[index]
            start = int(torch.randint(len(song) - self.config.frames + 1, (1,), generator=generator))
            crops.append(to_float(song[start : start + self.config.frames]))
        gain = (torch.rand(size, 1, 1, generator=generator) * 2 - 1) * self.config.gain
        return {"music": louder(torch.stack(crops), gain, self.music)}

    def _held_out(self) -> Tensor:
        return torch.stack([to_float(song[: self.config.frames]) for song in self.val[:16]])

    def validate(self, phases: dict[str, Phase]) -> dict[str, float]:
        vae = phases["generator"].network("mel_vae", NormalisedVAE)
        music = self._held_out().to(vae.std.device)
        decoded = vae.decode(vae.encode(music).mode())
        if self.music == "mel":
            return {f"{name}_l1": float(loss) for name, loss in mel_losses(decoded, music).items()}
        measured = {f"{self.music}_l1": float((decoded - music).abs().mean())}
        error = (decoded - music).square().sum().clamp_min(1e-12)
        return measured | {"snr_db": float(10 * torch.log10(music.square().sum().clamp_min(1e-12) / error))}

    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        vae = phases["generator"].network("mel_vae", NormalisedVAE)
        music = self._held_out()[:4].to(vae.std.device)
        both = [x.float().cpu() for x in (music, vae.decode(vae.encode(music).mode()))]
        if self.music != "mel":
            both = [log_mel(x.flatten(1), self.signal) for x in both]
        return {"mel": mel_picture(*both)}


def louder(music: Tensor, nepers: Tensor, kind: str) -> Tensor:
    """Frames of the music (b, t, c) with another loudness.

    nepers: (b, 1, 1), the change.
    kind: the representation of the music.
    """
    if kind == "mel":
        return (music + nepers).clamp_min(-11.6)  # silence stays the floor of core.audio.mel
    return music * nepers.exp()


def spread(songs: list[Tensor], most: int) -> Tensor:
    """All frames (n, c) of the songs as float. If they are more than ``most``, stretches spread evenly over them."""
    every = -(-sum(len(song) for song in songs) // most)
    if every == 1:
        return torch.cat([to_float(song) for song in songs])
    stretches = [stretch for song in songs for stretch in song.split(STRETCH)]
    return torch.cat([to_float(stretch) for stretch in stretches[::every]])
