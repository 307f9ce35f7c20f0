"""All networks of the theatre model as one module, which a model folder holds as ``theatre.safetensors``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.autoencoder.vae import pad_to
from core.config import Config
from core.diffusion.networks import denoiser_of
from core.layers.chunked import chunked
from core.theatre.motion import MotionEncoder
from core.theatre.music import MusicEncoder
from core.theatre.scheduler import Scheduler, over_frames
from core.theatre.slices import Slicing
from core.theatre.space import UnifiedSpace
from core.theatre.visual import LightEncoder, StyleEncoder

CHUNK = 24  # slices of a piece of a long song
OVERLAP = 8  # slices that neighbouring pieces share
MARGIN = 1  # slices at the inner ends of a piece that are dropped


class Theatre(nn.Module):
    """Encoders, unified space, scheduler and denoisers."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        assert config.theatre is not None, "a configuration without a theatre has no such networks"
        theatre, self.slicing = config.theatre, Slicing.of(config)
        self.music = MusicEncoder(theatre, self.slicing)
        self.motion = MotionEncoder(theatre, self.slicing)
        self.light = LightEncoder(config.modalities["light"].autoencoder.channels, theatre, self.slicing)
        self.style = StyleEncoder(theatre)
        self.space = UnifiedSpace(theatre)
        self.scheduler = Scheduler(theatre)
        self.denoisers = nn.ModuleDict({name: denoiser_of(one) for name, one in theatre.denoisers.items()})

    def steering(
        self,
        music: Tensor,
        accent: Tensor,
        frames: int,
        motion: Tensor | None = None,
        light: Tensor | None = None,
        look: Tensor | None = None,
    ) -> Tensor:
        """Scheduling vectors (b, frames, steering) for a denoiser.

        music: (b, s, width) the music encoder's vectors.
        accent: (b,) index in ``core.protocol.ACCENTS``.
        frames: latent frames.
        motion: (b, s, k) what is known of the motion, in the unified space; None is what is expected of the music.
        light: (b, s, k) what is known of the light; None is what is expected of music and motion.
        look: (b, style) the style vector of the look; None is none.
        """
        heard = self.space("music", music)
        motion = self.space.expected_motion(heard) if motion is None else motion
        light = self.space.expected_light(heard, motion) if light is None else light
        return over_frames(self.scheduler(music, motion, light, accent, look), frames)

    def encoded(self, modality: str, rows: Tensor) -> Tensor:
        """Vectors of a modality (b, s, width) of any length, in constant memory.

        rows: (b, s, c) of music or motion; of light (b, t, c) normalised, whose last frame fills the last slice.
        """
        encoder, frames = self.get_submodule(modality), self.slicing.latents if modality == "light" else 1
        lengths = (CHUNK * frames, OVERLAP * frames, MARGIN * frames)
        return chunked(encoder, pad_to(rows, frames), 1 / frames, *lengths)

    def steering_long(self, frames: int, music: Tensor, accent: Tensor, **known: Tensor | None) -> Tensor:
        """``steering`` for any length, in constant memory. The parameters are the same."""
        look = known.pop("look", None)
        sequences = {"music": music, **{name: value for name, value in known.items() if value is not None}}
        widths, scale = [value.shape[-1] for value in sequences.values()], self.slicing.latents

        def one(piece: Tensor) -> Tensor:
            parts = dict(zip(sequences, piece.split(widths, dim=-1), strict=True))
            b = len(piece) // len(accent)
            told = None if look is None else look.repeat(b, 1)
            return self.steering(parts.pop("music"), accent.repeat(b), piece.shape[1] * scale, look=told, **parts)

        made = chunked(one, torch.cat([*sequences.values()], dim=-1), scale, CHUNK, OVERLAP, MARGIN)
        missing = frames - made.shape[1]
        return torch.cat([made, made[:, -1:].expand(-1, missing, -1)], dim=1) if missing > 0 else made[:, :frames]

    def vectors(self, music: Tensor, motion: Tensor, light: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Music, motion and light (b, s, k) in the unified space.

        music: (b, s, c) rows, see ``core.theatre.slices``.
        motion: (b, s, c) rows.
        light: (b, t, c) normalised light.
        """
        return (
            self.space("music", self.music(music)),
            self.space("motion", self.motion(motion)),
            self.space("light", self.light(light)),
        )


@torch.no_grad()
def learn_scales(theatre: Theatre, music: Tensor, motion: Tensor) -> None:
    """Give the encoders the mean and deviation of their inputs, before training.

    music: (n, m) frames of music.
    motion: (n, j, 10) channels of joints.
    """
    for encoder, frames in ((theatre.music, music), (theatre.motion, motion)):
        encoder.mean.copy_(frames.mean(dim=0))
        encoder.std.copy_(frames.std(dim=0).clamp_min(1e-3))
