"""Which parts of the feet stand on the floor, and where the floor is."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from core.motion import kinematics
from core.motion.skeleton import FOOT_HEIGHTS, FOOT_JOINTS
from core.types import Motion

# A stretch of contact is low and slow throughout by the loose limits and somewhere by the tight ones. Heights are
# metres above that joint's own height when standing, speeds metres per second.
TIGHT_HEIGHT, LOOSE_HEIGHT = 0.035, 0.06
TIGHT_SPEED, LOOSE_SPEED = 0.25, 0.5
SHORTEST = 0.08  # seconds; shorter contacts and shorter gaps in a contact are noise


def label(positions: Tensor, fps: float) -> Tensor:
    """Contacts (t, 4), 0 or 1, of ``FOOT_JOINTS`` from joint positions (t, j, 3), metres, with the floor at y = 0."""
    feet = positions[:, FOOT_JOINTS]
    lift = feet[..., 1] - feet.new_tensor(FOOT_HEIGHTS)
    speed = joint_speed(feet, fps)
    loose = (lift < LOOSE_HEIGHT) & (speed < LOOSE_SPEED)
    tight = (lift < TIGHT_HEIGHT) & (speed < TIGHT_SPEED)
    return stretches(loose, tight, max(1, round(SHORTEST * fps))).to(positions.dtype)


def stretches(loose: Tensor, tight: Tensor, shortest: int) -> Tensor:
    """Hysteresis: the runs of ``loose`` (t, n) that are ``tight`` somewhere, without gaps and then without runs of
    fewer than ``shortest`` frames; (t, n) bool."""
    stands = _touched(loose, tight)
    stands = ~_longer(~stands, shortest)
    return _longer(stands, shortest)


def joint_speed(positions: Tensor, fps: float) -> Tensor:
    """Speed (t, ...) in metres per second of points (t, ..., 3): central differences, one-sided at the ends."""
    if positions.shape[0] < 2:
        return torch.zeros_like(positions[..., 0])
    return torch.linalg.vector_norm(torch.gradient(positions, dim=0)[0], dim=-1) * fps


def floor_height(positions: Tensor, fps: float) -> Tensor:
    """The height () of the floor under joint positions (t, j, 3), metres.

    The median height of the lower foot, less its height when standing, over the slower half of its frames: planted feet
    are slow, and a median ignores both hops and the odd foot that sinks through the floor.
    """
    feet = positions[:, FOOT_JOINTS]
    lift, which = (feet[..., 1] - feet.new_tensor(FOOT_HEIGHTS)).min(-1)
    speed = joint_speed(feet, fps).gather(-1, which[:, None])[:, 0]
    return lift[speed <= speed.median()].median()


def fix_floor(motion: Motion) -> Motion:
    """The motion raised or lowered so that its planted feet stand at y = 0."""
    height = floor_height(kinematics.forward(motion.rotations, motion.root), motion.fps)
    return replace(motion, root=motion.root - height * motion.root.new_tensor((0.0, 1.0, 0.0)))


def _touched(loose: Tensor, tight: Tensor) -> Tensor:
    """Runs of ``loose`` (t, n) that hold a ``tight`` frame: seen since the run began, looking from either side."""

    def since_start(loose: Tensor, tight: Tensor) -> Tensor:
        frame = torch.arange(loose.shape[0], device=loose.device)[:, None].expand_as(loose)
        last_break = torch.where(loose, -1, frame).cummax(0).values
        last_tight = torch.where(tight & loose, frame, -2).cummax(0).values
        return loose & (last_tight > last_break)

    return since_start(loose, tight) | since_start(loose.flip(0), tight.flip(0)).flip(0)


def _longer(runs: Tensor, shortest: int) -> Tensor:
    """``runs`` (t, n) without those of fewer than ``shortest`` frames, unless one fills the clip."""
    frames = runs.shape[0]
    frame = torch.arange(frames, device=runs.device)[:, None].expand_as(runs)
    before = torch.where(runs, -1, frame).cummax(0).values
    after = torch.where(runs, frames, frame).flip(0).cummin(0).values.flip(0)
    length = after - before - 1
    return runs & ((length >= shortest) | (length == frames))
