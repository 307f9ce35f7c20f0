"""Foot contacts, and the height of the floor."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from core.motion import kinematics
from core.motion.skeleton import FOOT_HEIGHTS, FOOT_JOINTS
from core.types import Motion

# A contact is low and slow by the loose limits throughout, and by the tight ones somewhere. Heights are metres above
# the joint's own height when standing, speeds metres per second.
TIGHT_HEIGHT = 0.035
LOOSE_HEIGHT = 0.06
TIGHT_SPEED = 0.25
LOOSE_SPEED = 0.5
SHORTEST = 0.08  # seconds; shorter contacts, and shorter gaps in a contact, are noise


def label(positions: Tensor, fps: float) -> Tensor:
    """Contacts (t, 4) of ``FOOT_JOINTS``: 1 where the joint stands on the floor, else 0.

    positions: (t, j, 3) joint positions, metres, with the floor at y = 0.
    fps: frames per second.
    """
    feet = positions[:, FOOT_JOINTS]
    lift = feet[..., 1] - feet.new_tensor(FOOT_HEIGHTS)
    speed = joint_speed(feet, fps)
    loose = (lift < LOOSE_HEIGHT) & (speed < LOOSE_SPEED)
    tight = (lift < TIGHT_HEIGHT) & (speed < TIGHT_SPEED)
    return stretches(loose, tight, max(1, round(SHORTEST * fps))).to(positions.dtype)


def stretches(loose: Tensor, tight: Tensor, shortest: int) -> Tensor:
    """Threshold with hysteresis: the runs of ``loose`` that are ``tight`` somewhere, (t, n) bool.

    Short gaps are closed first, then short runs are dropped.

    loose: (t, n) bool, by the loose limit.
    tight: (t, n) bool, by the tight limit.
    shortest: frames below which a gap or a run counts as short.
    """
    stands = _touched(loose, tight)
    stands = ~_longer(~stands, shortest)
    return _longer(stands, shortest)


def joint_speed(positions: Tensor, fps: float) -> Tensor:
    """Speed (t, ...) of points (t, ..., 3), in metres per second: central differences, one-sided at the ends."""
    if positions.shape[0] < 2:
        return torch.zeros_like(positions[..., 0])
    return torch.linalg.vector_norm(torch.gradient(positions, dim=0)[0], dim=-1) * fps


def floor_height(positions: Tensor, fps: float) -> Tensor:
    """The height () of the floor under joint positions (t, j, 3), metres.

    It is the median height of the lower foot, less that joint's height when standing, over the slower half of the
    frames. Planted feet are slow. A median ignores jumps and the odd frame in which a foot sinks through the floor.
    """
    feet = positions[:, FOOT_JOINTS]
    lift, which = (feet[..., 1] - feet.new_tensor(FOOT_HEIGHTS)).min(-1)
    speed = joint_speed(feet, fps).gather(-1, which[:, None])[:, 0]
    return lift[speed <= speed.median()].median()


def fix_floor(motion: Motion) -> Motion:
    """Raise or lower a motion so that its planted feet stand at y = 0."""
    height = floor_height(kinematics.forward(motion.rotations, motion.root), motion.fps)
    return replace(motion, root=motion.root - height * motion.root.new_tensor((0.0, 1.0, 0.0)))


def _touched(loose: Tensor, tight: Tensor) -> Tensor:
    """The runs of ``loose`` (t, n) that contain a ``tight`` frame, found by one scan in each direction of time."""

    def since_start(loose: Tensor, tight: Tensor) -> Tensor:
        frame = torch.arange(loose.shape[0], device=loose.device)[:, None].expand_as(loose)
        last_break = torch.where(loose, -1, frame).cummax(0).values
        last_tight = torch.where(tight & loose, frame, -2).cummax(0).values
        return loose & (last_tight > last_break)

    return since_start(loose, tight) | since_start(loose.flip(0), tight.flip(0)).flip(0)


def _longer(runs: Tensor, shortest: int) -> Tensor:
    """``runs`` (t, n) without those shorter than ``shortest`` frames. A run that fills the clip always stays."""
    frames = runs.shape[0]
    frame = torch.arange(frames, device=runs.device)[:, None].expand_as(runs)
    before = torch.where(runs, -1, frame).cummax(0).values
    after = torch.where(runs, frames, frame).flip(0).cummin(0).values.flip(0)
    length = after - before - 1
    return runs & ((length >= shortest) | (length == frames))
