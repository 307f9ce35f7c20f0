"""Removes drift: keeps a dance of minutes facing the front on average, and near where it started.

A model that integrates velocities drifts. Both corrections are slow. The rotation is about the dancer's own root and
also rotates the path, so it hardly affects the feet. The shift is slower than a foot that counts as sliding, and the
feet are locked afterwards.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from core.motion import rotation
from core.motion.resample import spline
from core.postprocess.smooth import gaussian
from core.types import Motion

TURN = math.radians(6)  # per second, at most
RADIUS = 1.0  # metres from the start within which the position is not corrected
PULL = 0.1  # metres per second for every metre beyond the radius
STRONGEST = 0.12  # metres per second, at most; a foot counts as sliding from 0.2 on
_MEAN_SECONDS = 2.0  # standard deviation of the average; a spin, or a step there and back, is not drift
_CLOCK = 4.0  # steps of the correction per second


def keep(motion: Motion, hold: Tensor | None = None) -> Motion:
    """Rotate a motion towards the front (+z) and move it towards where it started. Its first frame stays as it is.

    motion: (t, ...) the motion.
    hold: (t, j) bool, see ``core.postprocess.hold``. A path that is held somewhere has its place and does not drift, so
        it stays as it is.
    """
    if motion.frames < 3 or (hold is not None and bool(hold[:, 0].any())):
        return motion
    turn = rotation.about("y", _on_clock(_turning(motion), motion).to(motion.root.dtype))
    steps = rotation.rotate(turn[1:], torch.diff(motion.root, dim=0))
    root = motion.root[:1] + torch.cat((torch.zeros_like(motion.root[:1]), steps.cumsum(0)))
    rotations = motion.rotations.clone()
    rotations[:, 0] = rotation.normalise(rotation.mul(turn, rotations[:, 0]))
    pulled = _on_clock(_pulling(root, motion.fps), motion).to(root.dtype)
    pulled = torch.stack((pulled[:, 0], torch.zeros_like(pulled[:, 0]), pulled[:, 1]), -1)
    return replace(motion, rotations=rotations, root=root + pulled)


def _ticks(frames: int, fps: float) -> Tensor:
    """Frame numbers (n,) of the steps of the correction, one of them beyond the end."""
    return torch.arange(math.ceil(frames / fps * _CLOCK) + 2, dtype=torch.float64) * (fps / _CLOCK)


def _on_clock(values: Tensor, motion: Motion) -> Tensor:
    """Interpolate values (n, ...) at the steps of the correction to the motion's frames (t, ...)."""
    return spline(values, torch.arange(motion.frames, dtype=torch.float64) * (_CLOCK / motion.fps))


def _turning(motion: Motion) -> Tensor:
    """The rotation (n,) of the dancer towards the front at each step of the correction, radians.

    It takes the shorter way. The less the dancer faces one direction, the slower it is.
    """
    heading = rotation.yaw(motion.rotations[:, 0]).double()
    facing = gaussian(torch.stack((heading.sin(), heading.cos()), -1), motion.fps, _MEAN_SECONDS)
    turn, turns = 0.0, []
    for sine, cosine in spline(facing, _ticks(motion.frames, motion.fps)).tolist():
        turns.append(turn)
        away = math.remainder(math.atan2(sine, cosine) + turn, 2 * math.pi)
        strength = min(1.0, math.hypot(sine, cosine)) * max(-1.0, min(1.0, away / math.radians(45)))
        turn -= TURN / _CLOCK * strength
    return torch.tensor(turns, dtype=torch.float64)


def _pulling(root: Tensor, fps: float) -> Tensor:
    """The shift (n, 2) of the dancer in x and z at each step of the correction, metres."""
    path = gaussian(root[:, (0, 2)].double(), fps, _MEAN_SECONDS)
    path = spline(path - path[:1], _ticks(root.shape[0], fps))
    x = z = 0.0
    moves = []
    for path_x, path_z in path.tolist():
        moves.append((x, z))
        away_x, away_z = path_x + x, path_z + z
        distance = math.hypot(away_x, away_z)
        if distance > RADIUS:
            step = min(STRONGEST, PULL * (distance - RADIUS)) / _CLOCK / distance
            x, z = x - step * away_x, z - step * away_z
    return torch.tensor(moves, dtype=torch.float64)
