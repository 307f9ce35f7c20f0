"""Time slices: what the encoders are told of music and motion, cut so that slice i is the same instant in all.

A slice lasts ``slice_frames`` latent frames. Everything about a slice is packed into one row, so that long songs are
encoded in overlapping pieces (``core.layers.chunked``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from core.config import Config
from core.motion.dynamics import DYNAMICS, dynamics
from core.motion.skeleton import SMPL22
from core.rhythm.events import EVENT_FPS, EVENTS, beat_slots, rhythm_events
from core.types import Beats


@dataclass(frozen=True)
class Slicing:
    """The lengths of a time slice.

    latents: latent frames.
    seconds: its duration.
    mels: frames of music.
    bands: channels of a frame of music.
    moves: frames of motion.
    slots: of a beat.
    """

    latents: int
    seconds: float
    mels: int
    bands: int
    moves: int
    slots: int

    @classmethod
    def of(cls, config: Config) -> Slicing:
        """The slicing of a configuration with a theatre."""
        assert config.theatre is not None, "slices are those of a theatre model"
        music, motion = config.modalities["music"], config.modalities["motion"]
        latents = config.theatre.slice_frames
        return cls(
            latents,
            latents / config.latent_fps,
            latents * music.autoencoder.stride,
            music.autoencoder.channels,
            latents * motion.autoencoder.stride,
            config.theatre.slots,
        )

    @property
    def events(self) -> int:
        """Frames of rhythm events that cover a slice."""
        return math.ceil(self.seconds * EVENT_FPS - 1e-6)

    @property
    def music_widths(self) -> tuple[int, int, int]:
        """Channels of the parts of a row of music: the spectrogram, the rhythm events, and the beat's slots."""
        return self.mels * self.bands, self.events * len(EVENTS), self.slots * len(EVENTS)

    def unpack_music(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The frames of music (b, s * mels, bands), events (b, s, events, 3) and slots (b, s, slots * 3) of rows
        (b, s, c).
        """
        frames, events, slots = rows.split(self.music_widths, dim=-1)
        return frames.unflatten(-1, (self.mels, -1)).flatten(1, 2), events.unflatten(-1, (self.events, -1)), slots

    def unpack_motion(self, rows: Tensor) -> Tensor:
        """The channels (b, s * moves, j, 10) of joints of rows (b, s, c)."""
        return rows.unflatten(-1, (self.moves, SMPL22.joints, DYNAMICS)).flatten(1, 2)


def music_rows(frames: Tensor, beats: Beats, onset: Tensor, slicing: Slicing) -> Tensor:
    """Rows (s, c) of music, one for each whole slice.

    frames: (t, m) of music, in the model's representation.
    beats: of the song.
    onset: (t',) onset strength at ``core.audio.onsets.ONSET_FPS``.
    slicing: the slices' lengths.
    """
    count = len(frames) // slicing.mels
    starts = torch.arange(count, dtype=torch.float64) * slicing.seconds
    first = (starts * EVENT_FPS).floor().long()
    events = rhythm_events(beats, onset, int(first[-1]) + slicing.events if count else 0)
    inside = events[first[:, None] + torch.arange(slicing.events)] if count else events.new_zeros(0, slicing.events, 3)
    slots = beat_slots(events, beats, starts + slicing.seconds / 2, slicing.slots)
    spectrogram = frames[: count * slicing.mels].float().reshape(count, slicing.music_widths[0])
    return torch.cat([spectrogram, inside.flatten(1), slots], dim=1)


def motion_rows(positions: Tensor, fps: float, slicing: Slicing) -> Tensor:
    """Rows (..., s, c) of motion, one for each whole slice. Differentiable.

    positions: (..., t, 22, 3) metres.
    fps: frames per second.
    slicing: the slices' lengths.
    """
    told = dynamics(positions, fps)
    count = told.shape[-3] // slicing.moves
    return told[..., : count * slicing.moves, :, :].unflatten(-3, (count, slicing.moves)).flatten(-3)
