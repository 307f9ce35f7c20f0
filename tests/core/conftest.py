"""Songs and motions with known properties, as values and as files."""

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from core.audio import io
from core.formats import bvh
from core.motion import kinematics, rotation
from core.motion.skeleton import LEFT_LEG, REST_HEIGHT, RIGHT_LEG, SMPL22
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


@pytest.fixture
def swaying():
    """A smooth motion of every joint, walking in an arc while turning twice about the vertical."""

    def make(frames: int = 200, fps: float = 31.25, seed: int = 0) -> Motion:
        generator = torch.Generator().manual_seed(seed)
        time = torch.arange(frames, dtype=torch.float64) / fps
        axis = torch.randn(22, 3, generator=generator, dtype=torch.float64)
        rate = 0.3 + 0.7 * torch.rand(22, 1, generator=generator, dtype=torch.float64)
        phase = 6.28 * torch.rand(22, 1, generator=generator, dtype=torch.float64)
        bend = 0.5 * axis * torch.sin(2 * math.pi * rate * time[:, None, None] + phase)
        rotations = rotation.from_axis_angle(bend)
        turn = rotation.about("y", 4 * math.pi * time / time[-1].clamp_min(1e-9))
        rotations[:, 0] = rotation.mul(turn, rotations[:, 0])
        height = REST_HEIGHT + 0.05 * torch.sin(4 * time)
        root = torch.stack((torch.sin(0.5 * time), height, 0.4 * time), -1)
        contacts = torch.rand(frames, 4, generator=generator).round()
        return Motion(rotations.float(), root.float(), fps, contacts)

    return make


@pytest.fixture(scope="session")
def music():
    """(s,) five seconds at 16 kHz, a whole number of mel frames."""
    clock = torch.arange(312 * 256) / RATE
    sound = 0.02 * torch.randn(clock.shape, generator=torch.Generator().manual_seed(0))
    for number, root in enumerate((220.0, 261.6, 196.0, 246.9, 293.7)):
        inside = (clock >= number) & (clock < number + 1)
        since = (clock - number).clamp_min(0)
        for overtone in range(1, 9):
            for interval in (1.0, 1.26, 1.5):
                tone = torch.sin(2 * math.pi * root * interval * overtone * clock) / overtone**1.3
                sound = sound + 0.1 * inside * torch.exp(-2 * since) * tone
    since = torch.remainder(clock, 0.5)
    click = torch.randn(clock.shape, generator=torch.Generator().manual_seed(1)) * torch.exp(-since / 0.01)
    return (sound + 0.2 * click).clamp(-1, 1)


class _Largest(TorchDispatchMode):
    bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, torch.Tensor):
                self.bytes = max(self.bytes, one.untyped_storage().nbytes())  # a view has none of its own
        return made


@pytest.fixture
def largest():
    """``bytes`` is how large the largest tensor was that was made inside of it."""
    return _Largest()


def _stepping(seconds: float = 12.0, fps: float = 31.25, stride: float = 0.0) -> Motion:
    """Steps from foot to foot, one a second, built by inverse kinematics: standing feet stand exactly still.

    stride: metres forward a step; without, the dancer steps on the spot and to the sides.
    """
    frames = round(seconds * fps)
    time = torch.arange(frames, dtype=torch.float64) / fps
    rotations = rotation.identity(frames, 22, like=time)
    swing = 0.5 * torch.sin(math.pi * time)
    for name, sign in (("left_shoulder", -1), ("right_shoulder", 1)):
        rotations[:, SMPL22.index(name)] = rotation.from_euler(
            torch.stack((swing * sign, torch.full_like(swing, 1.2 * sign)), -1), "YZ"
        )
    rotations[:, SMPL22.index("left_elbow")] = rotation.about("y", -0.8 + 0.3 * swing)
    rotations[:, SMPL22.index("right_elbow")] = rotation.about("y", 0.8 + 0.3 * swing)
    forward = stride * time
    bounce = 0.02 * torch.cos(2 * math.pi * time)
    root = torch.stack((0.05 * torch.sin(math.pi * time), REST_HEIGHT - 0.05 + bounce, forward), -1)
    for leg, phase, side in ((LEFT_LEG, 0.0, 1), (RIGHT_LEG, 1.0, -1)):
        step = (time + phase) / 2  # one step of this foot every two seconds, of which it swings 0.7
        whole, part = step.floor(), (step % 1) * 2
        moved = (part / 0.7).clamp(0, 1)
        moved = moved * moved * moved * (10 - 15 * moved + 6 * moved * moved)
        lift = 0.10 * torch.sin(math.pi * (part / 0.7).clamp(0, 1)).square()
        start, end = ((whole + shift) * 2 - phase for shift in (0.0, 1.0))
        place = torch.stack(
            (
                torch.full_like(step, 0.085 * side),
                0.08 + lift,
                stride * (start + (end - start) * moved),
            ),
            -1,
        )
        rotations = kinematics.two_bone_ik(rotations, root, place, leg)
    return Motion(rotations.float(), root.float(), fps)


@pytest.fixture(scope="session")
def stepping():
    return _stepping


@pytest.fixture(scope="session")
def steps() -> Motion:
    return _stepping()
