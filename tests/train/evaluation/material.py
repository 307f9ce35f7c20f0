"""Songs of clicks, and bodies that sway to them."""

import torch

from core.motion import rotation
from core.rhythm.features import analyse
from core.types import Motion, Waveform
from train.data import synthetic
from train.data.rates import AUDIO_RATE, MOTION_FPS
from train.evaluation.dance.material import Excerpt


def song(bpm: float, seconds: float = 30.0) -> Waveform:
    return Waveform(synthetic.clicks(bpm, seconds, torch.Generator().manual_seed(0)), AUDIO_RATE)


def excerpt(bpm: float, seconds: float = 20.0, number: int = 0) -> Excerpt:
    heard = song(bpm, seconds)
    return Excerpt(f"clicks {bpm:g}", heard, analyse(heard), number)


def swaying(bpm: float, seconds: float, seed: int = 0) -> Motion:
    """Arms and spine that turn round on beats, each time by another amount, on a body that slowly turns and walks."""
    generator = torch.Generator().manual_seed(seed)
    motion = synthetic.swing(bpm, int(seconds * MOTION_FPS), 0.0, 0.8)
    clock = torch.arange(motion.frames) / MOTION_FPS
    size = 0.7 + 0.3 * torch.sin(clock * (0.5 + torch.rand(1, generator=generator)))
    rotations = rotation.slerp(rotation.identity(22).expand_as(motion.rotations), motion.rotations, size[:, None])
    rotations[:, 0] = rotation.about("y", 0.3 * clock + seed)
    root = motion.root + torch.stack((0.1 * clock, 0 * clock, 0.05 * clock), dim=1)
    return Motion(rotations, root, MOTION_FPS, motion.contacts)
