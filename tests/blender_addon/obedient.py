"""An engine that does what it is told, and the dance and the light that it hands out."""

import sys
from pathlib import Path

import numpy as np
import torch

from core.motion import rotation
from core.motion.skeleton import REST_HEIGHT, SMPL22
from core.show import file as show_file
from core.show.channels import CHANNELS, SHOW_FPS
from core.show.show import Show, as_valid

INSIDE = Path(__file__).parent / "inside"


def obedient(folder):
    """A "Python" that runs the obedient engine whatever it is asked to run."""
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{INSIDE / "obedient_engine.py"}"\n')
    python.chmod(0o755)
    return str(python)


def save_dance(folder):
    """What the obedient engine hands out."""
    rotations, root = wild_motion(60)
    np.savez(folder / "dance.npz", rotations=rotations, root=root, joints=SMPL22.names, seed="0")
    dim = Show(as_valid(np.full((32, CHANNELS), 0.5, np.float32)), SHOW_FPS)
    (folder / "SHOW.json").write_bytes(show_file.encoded(dim))


def wild_motion(frames):
    """Smooth turns of every joint by up to most of a circle, and a walk about: nothing a person could dance."""
    generator = torch.Generator().manual_seed(1)
    t = torch.linspace(0, 1, frames)[:, None, None]
    waves = torch.randn(3, 22, 3, generator=generator)
    turns = sum(wave * torch.sin(2 * torch.pi * (k + 1) * t + k) for k, wave in enumerate(waves))
    rotations = rotation.from_axis_angle(turns)
    rotations[20:40] *= -1  # the same rotations from the other half of the sphere
    drift = torch.cat((torch.sin(3 * t), 0.1 * t, torch.cos(2 * t)), dim=-1)[:, 0]
    return rotations, drift + torch.tensor((0.0, REST_HEIGHT, 0.0))
