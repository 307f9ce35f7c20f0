"""A data set that is computed, for tests and for trying the training: bodies that bob and swing on a click track.

Every pair is exact. The body's lowest speed falls on the beats of its clicks.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.audio.mel import log_mel
from core.audio.representation import to_int16
from core.motion import rotation
from core.motion.contact import label
from core.motion.kinematics import forward
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.types import Motion
from train.data.dataset import Pair
from train.data.rates import AUDIO_RATE, HOP_SAMPLES, MEL_FPS, MOTION_FPS, prepared_signal


def clicks(bpm: float, seconds: float, generator: torch.Generator) -> Tensor:
    """A click (s,) on every beat at ``AUDIO_RATE``, over a little noise."""
    clock = torch.arange(int(seconds * AUDIO_RATE)) / AUDIO_RATE
    since = torch.remainder(clock, 60 / bpm)
    tone = torch.sin(2 * math.pi * 880 * since) * torch.exp(-since / 0.03)
    return 0.5 * tone + 0.01 * torch.randn(clock.shape, generator=generator)


def swing(bpm: float, frames: int, phase: float, size: float) -> Motion:
    """A standing body whose arms, spine and height swing, and which is slowest on every beat.

    phase: 0 or 1, the direction of the first swing.
    size: radians of the arms' swing.
    """
    clock = torch.arange(frames) / MOTION_FPS
    wave = torch.cos(math.pi * bpm / 60 * clock + math.pi * round(phase))  # it turns back once a beat, at speed 0
    rotations = torch.zeros(frames, 22, 4)
    rotations[..., 0] = 1
    for name, axis, amount in (
        ("left_shoulder", (0.0, 0.0, 1.0), size),
        ("right_shoulder", (0.0, 0.0, 1.0), size),
        ("spine1", (0.0, 1.0, 0.0), 0.4 * size),
        ("neck", (0.0, 0.0, 1.0), 0.2 * size),
    ):
        vector = torch.tensor(axis) * (amount * wave)[:, None]
        rotations[:, SMPL22.names.index(name)] = rotation.from_axis_angle(vector)
    root = torch.zeros(frames, 3)
    root[:, 1] = REST_HEIGHT
    motion = Motion(rotations, root, MOTION_FPS)
    contacts = label(forward(rotations, root, SMPL22), MOTION_FPS)
    return Motion(motion.rotations, motion.root, motion.fps, contacts)


def pairs(count: int = 6, seconds: float = 8.0) -> dict[str, list[Pair]]:
    """Exact pairs by split, ``{"train": [...], "val": [...]}``."""
    generator = torch.Generator().manual_seed(0)
    made: dict[str, list[Pair]] = {"train": [], "val": []}
    for index in range(count):
        bpm = 90 + 10 * index
        frames = int(seconds * MOTION_FPS)
        motion = swing(bpm, frames, phase=index % 2, size=0.4 + 0.1 * index)
        samples = clicks(bpm, seconds + 0.1, generator)
        assert motion.contacts is not None
        mel = log_mel(samples, prepared_signal())[: 2 * frames]
        beats = torch.arange(0, seconds, 60 / bpm)
        pair = Pair(
            id=f"synthetic-{index}",
            genre="bob" if index % 2 else "swing",
            motion_name=f"swing-{index}",
            music_name=f"clicks-{index}",
            tempo=float(bpm),
            rotations=motion.rotations,
            root=motion.root,
            contacts=motion.contacts,
            mel=mel,
            onset=(torch.remainder(torch.arange(2 * frames) / MEL_FPS, 60 / bpm) < 0.03).float(),
            loudness=torch.full((2 * frames,), 0.5),
            beats=beats,
            downbeats=torch.arange(len(beats)) % 4 == 0,
            wave=to_int16(samples[: len(mel) * HOP_SAMPLES]),
        )
        made["val" if index >= count - 2 else "train"].append(pair)
    return made


def songs() -> dict[str, list[Tensor]]:
    """The log-mels (t, m) of the pairs' click tracks, by split."""
    return {split: [pair.mel for pair in some] for split, some in pairs().items()}


def waves() -> dict[str, list[Tensor]]:
    """The waveforms (s,) of the pairs' click tracks as int16, by split."""
    return {split: [pair.wave for pair in some if pair.wave is not None] for split, some in pairs().items()}
