"""A song, as samples and as a file."""

import math

import pytest
import torch

from core.audio import io
from core.types import Waveform

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
