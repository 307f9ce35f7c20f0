"""A model with random weights, and a song, as files."""

import math
from dataclasses import replace

import pytest
import torch

from core import checkpoint, config
from core.audio import io
from core.autoencoder.mel_vae import MelVAE
from core.autoencoder.motion_vae import MotionVAE
from core.diffusion.denoiser import Denoiser
from core.motion import features
from core.motion.skeleton import REST_HEIGHT
from core.types import Motion, Waveform

STYLES = ("salsa", "robot")
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
def model_folder(tmp_path_factory):
    """The tiny preset with two styles and random weights, whose motions are small movements about a standing pose."""
    generator_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    shape = config.preset("tiny")
    shape = replace(shape, denoiser=replace(shape.denoiser, styles=len(STYLES)), styles=STYLES)
    mel_vae, motion_vae, denoiser = MelVAE(shape.mel_vae), MotionVAE(shape.motion_vae), Denoiser(shape.denoiser)
    torch.nn.init.normal_(denoiser.out.weight, std=0.1)
    torch.nn.init.normal_(denoiser.styles.weight)
    torch.random.set_rng_state(generator_state)
    rest = torch.zeros(1, 22, 4)
    rest[..., 0] = 1
    standing = Motion(rest, torch.tensor([[0.0, REST_HEIGHT - 0.04, 0.0]]), 31.25, torch.ones(1, 4))
    motion_vae.mean.copy_(features.encode(standing)[0])
    motion_vae.std.fill_(0.3)
    motion_vae.std[:4] = torch.tensor([0.1, 0.1, 0.1, 0.02])
    networks = {"mel_vae": mel_vae, "motion_vae": motion_vae, "denoiser": denoiser}
    folder = tmp_path_factory.mktemp("models") / "tiny"
    checkpoint.save_folder(folder, shape, {name: network.state_dict() for name, network in networks.items()})
    return folder
