"""Hops that were pressed to the floor, of which the truth is known."""

import math

import numpy as np
import pytest
import torch

from core.formats import bvh
from core.motion import rotation
from core.types import Motion
from train.data.motion import flight, sources

FPS = 31.25


def jump(seconds, tuck=0.08, at=2.0, length=5.0, drop=0.0):
    """True heights (t,) of a pelvis that bends down, jumps, flies ``seconds`` and lands ``drop`` lower; and the heights
    over its own feet, which are drawn up by ``tuck`` in the air.
    """
    clock = np.arange(round(length * FPS)) / FPS
    speed = flight.GRAVITY * seconds / 2
    leaves, meets = -drop / seconds + speed, -drop / seconds - speed
    true, lift = np.full(len(clock), 0.9), np.zeros(len(clock))
    for i, t in enumerate(clock):
        if t < at:  # rises from a bend, ever faster, to the speed of the jump
            true[i] = 0.9 - leaves * 0.15 * (1 - math.exp(-(at - t) / 0.15)) * math.exp(-(at - t) / 0.4)
        elif t < at + seconds:
            since = t - at
            true[i] = 0.9 + leaves * since - flight.GRAVITY * since**2 / 2
            lift[i] = tuck * math.sin(math.pi * since / seconds)
        else:
            since = t - at - seconds
            true[i] = 0.9 - drop + meets * 0.15 * (1 - math.exp(-since / 0.15)) * math.exp(-since / 0.4)
    return true, true - lift


def body(height, x=None):
    frames = len(height)
    root = torch.zeros(frames, 3)
    root[:, 1] = torch.from_numpy(height).float()
    if x is not None:
        root[:, 0] = torch.from_numpy(x).float()
    return Motion(rotation.identity(frames, 22), root, FPS)


@pytest.mark.parametrize(("seconds", "tuck"), [(0.2, 0.05), (0.3, 0.08), (0.42, 0.15)])
@pytest.mark.parametrize("drop", [0.0, 0.05])
def test_a_jump_flies_as_high_as_it_did(seconds, tuck, drop):
    true, pinned = jump(seconds, tuck, drop=drop)
    made, count = flight.restored(body(pinned))
    assert count == 1
    missed = np.abs(pinned - true).max()
    assert np.abs(made.root[:, 1].numpy() - true).max() < 0.35 * missed
    assert np.abs(made.root[:, 1].numpy() - true).mean() < 0.25 * np.abs(pinned - true).mean()


def test_what_flies_keeps_its_speed_over_the_floor():
    _, pinned = jump(0.32)
    clock = np.arange(len(pinned)) / FPS
    true = 0.8 * clock
    stopped = true - 0.8 * np.clip(clock - 2.0, 0, 0.32)  # held by feet that do not move against the body
    made, _ = flight.restored(body(pinned, stopped))
    found = float(made.root[-1, 0] - made.root[0, 0])
    assert found == pytest.approx(true[-1] - true[0], abs=0.1)  # of 0.26 m that were lost
    assert made.root[0].tolist() == body(pinned, stopped).root[0].tolist()


@pytest.mark.parametrize("hertz", [0.5, 1.0, 1.6])
def test_bends_of_the_knees_are_no_flights(hertz):
    clock = np.arange(200) / FPS
    motion = body(0.85 + 0.05 * np.cos(2 * math.pi * hertz * clock))
    made, count = flight.restored(motion)
    assert count == 0
    torch.testing.assert_close(made.root, motion.root)


def test_neither_is_a_shaking_hand_at_the_camera():
    noise = 0.002 * np.random.default_rng(0).standard_normal(400)
    assert flight.flights(0.9 + noise, FPS) == []
    assert flight.flights(np.full(3, 0.9), FPS) == []


def test_only_a_root_that_was_rebuilt_is_mended(tmp_path):
    _, pinned = jump(0.3)
    bvh.write(tmp_path / "jump.bvh", body(pinned), fps=60.0)
    assert "flights" not in sources.load(tmp_path / "jump.bvh", {"root": "original"}).report
    assert sources.load(tmp_path / "jump.bvh", {"root": sources.PINNED}).report["flights"] == 1
