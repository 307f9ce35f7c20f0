"""A song and a motion, as values and as files."""

import math

import pytest
import torch

from core.audio import io
from core.motion import bvh, rotation
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.types import Motion, Waveform

RATE = 16_000


def clicks(seconds: float, bpm: float = 120.0) -> Waveform:
    """Decaying bursts on every beat from 0 on, every fourth one lower and louder, over a quiet tone."""
    time = torch.arange(round(seconds * RATE)) / RATE
    beat = time * bpm / 60
    low = (beat.floor() % 4 == 0).float()
    burst = torch.exp(-(beat % 1) * 60 / bpm * 40) * torch.sin(2 * math.pi * (1000 - 850 * low) * time)
    return Waveform(0.5 * burst * (1 + low) / 2 + 0.02 * torch.sin(2 * math.pi * 220 * time), RATE)


@pytest.fixture(scope="session")
def make_song():
    return clicks


@pytest.fixture(scope="session")
def song_file(tmp_path_factory):
    """Six seconds at 120 beats a minute."""
    path = tmp_path_factory.mktemp("songs") / "song.wav"
    io.write(path, clicks(6.0))
    return path


@pytest.fixture(scope="session")
def swinging(tmp_path_factory):
    """Four seconds of arms that swing at 120 beats a minute, as a BVH file."""
    clock = torch.arange(120) / 30.0
    turns = torch.zeros(120, 22, 3)
    for name in ("left_shoulder", "right_shoulder", "spine1"):
        turns[:, SMPL22.names.index(name), 2] = 0.6 * torch.cos(2 * math.pi * clock)
    root = torch.tensor([0.0, REST_HEIGHT, 0.0]).repeat(120, 1)
    path = tmp_path_factory.mktemp("motion") / "swing.bvh"
    bvh.write(path, Motion(rotation.from_axis_angle(turns), root, 30.0), 30.0)
    return path
