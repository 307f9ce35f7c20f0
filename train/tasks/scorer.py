"""The denoiser of music from motion, on cached latents.

It is conditioned on the motion's latents and on a rhythm target (``core.rhythm.target``): beats, accents, loudness. A
motion that was paired by tempo determines little of its music besides the beat. So in training the target is read from
the music itself: its beats, its loudness, and some of its onsets. A request with few accents then gets those, and the
rest is free. Songs without a motion are trained on too, with the target alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.autoencoder.networks import Autoencoder
from core.config import Config
from core.rhythm.target import target_features
from core.types import Beats
from train.draw import mel_picture
from train.loop import Phase
from train.tasks.conditioned import context_of
from train.tasks.diffusion import DiffusionPhase, DiffusionTask, DiffusionTaskConfig

ON_BEAT = 0.06  # seconds
LEAST_WEIGHT = 0.2  # of a latent channel that is hardly audible


@dataclass(frozen=True)
class ScorerTaskConfig(DiffusionTaskConfig):
    """Settings of the music denoiser. Crops are longer than a dance's, because music repeats itself over bars."""

    frames: int = 192
    shortest: int = 96
    drop_other: float = 0.65
    balance: float = 0.0


class ScorerTask(DiffusionTask):
    """Trains the denoiser of music. Its context is "motion".

    clips: see ``DiffusionTask``; also ``beats``, ``onsets`` and ``loudness`` of the music. ``context.motion`` (t, c) is
        missing in songs without a motion.
    """

    part = "scorer"

    def __init__(
        self, model: Config, config: DiffusionTaskConfig, vae: Autoencoder, clips: dict[str, list[dict]]
    ) -> None:
        self.vae = vae.requires_grad_(False).eval()
        super().__init__(model, "music", config, clips)
        self.name = "scorer"
        self.val = [clip for clip in self.val if context_of(clip)]
        self.paired = [clip for clip in self.train if context_of(clip)]
        self.paired_shares = self.shares(self.paired)

    def phase(self) -> DiffusionPhase:
        some = torch.stack([clip["latents"][: self.config.shortest] for clip in self.train])
        weight = audibility(self.vae, some[:: max(1, len(some) // 64)])
        return DiffusionPhase(self.part, self.modality, self.model, self.config, weight)

    def pool(self, rhythm_alone: bool) -> tuple[list[dict], Tensor, Tensor]:
        return super().pool(rhythm_alone) if rhythm_alone else (self.paired, *self.paired_shares)

    def crop(self, clip: dict, start: int, generator: torch.Generator | None) -> dict[str, Tensor]:
        fps, frames = self.model.latent_fps, self.config.frames
        begin, end = start / fps, (start + frames) / fps
        onsets = clip["onsets"].between(begin, end).shifted(begin)
        accents = some_of(onsets, clip["beats"].shifted(begin), generator)
        first = round(begin * self.model.signal.mel_fps)
        loudness = clip["loudness"][first : first + frames * self.model.modalities["music"].autoencoder.stride]
        rhythm = target_features(clip["beats"].shifted(begin), accents, loudness, frames, fps)
        return {**super().crop(clip, start, generator), "rhythm": rhythm}

    @torch.no_grad()
    def pictures(self, phases: dict[str, Phase]) -> dict[str, Tensor]:
        batch, latents = self.sketch(phases["scorer"], self.sampling.guidance)
        true, made = (self.vae.decode(self.vae.unstandardise(z)).float().cpu() for z in (batch["latents"], latents))
        return {"music": mel_picture(true, made)}


def some_of(onsets: Beats, beats: Beats, generator: torch.Generator | None) -> Beats:
    """The onsets that a rhythm target could contain: mostly few, and half of the time only those on a beat.

    Without a generator they are all those on a beat.
    """
    on_beat = (onsets.times[:, None] - beats.times.double()).abs().lt(ON_BEAT).any(dim=1)
    if generator is None:
        kept = on_beat
    else:
        share, where = torch.rand(2, generator=generator)
        kept = torch.rand(len(onsets.times), generator=generator) < share**1.5
        kept &= on_beat | (where > 0.5)
    assert onsets.strength is not None
    return Beats(onsets.times[kept], strength=onsets.strength[kept])


@torch.no_grad()
def audibility(vae: Autoencoder, latents: Tensor) -> Tensor:
    """How much of the mel depends on each channel of the latents, (z,).

    It is the mean square change of the mel when the channel's values are shuffled, 1 on average and at least
    ``LEAST_WEIGHT``.

    latents: (b, t, z), standardised.
    """
    latents = latents.to(vae.std.device)
    plain, changes = vae.decode(vae.unstandardise(latents)), []
    for channel in range(latents.shape[-1]):
        other = latents.clone()
        other[..., channel] = latents[..., channel].roll(1, dims=0)
        changes.append(((vae.decode(vae.unstandardise(other)) - plain) / vae.std).square().mean())
    weight = torch.stack(changes)
    weight = (weight / weight.mean()).clamp_min(LEAST_WEIGHT)
    return (weight / weight.mean()).cpu()
