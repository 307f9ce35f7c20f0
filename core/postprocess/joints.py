"""Knees and elbows as hinges with stops: they fold one way, and hardly sideways."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.motion import rotation
from core.motion.skeleton import SMPL22
from core.types import Motion


@dataclass(frozen=True)
class Hinge:
    """One joint's stops. bone: the lower bone's direction at rest.  fold: where it turns to when the joint folds.
    backward: radians it may turn the other way.  sideways: radians it may lean out of the plane of both."""

    joint: str
    bone: tuple[float, float, float]
    fold: tuple[float, float, float]
    backward: float
    sideways: float


_DOWN, _BACK, _FRONT = (0.0, -1.0, 0.0), (0.0, 0.0, -1.0), (0.0, 0.0, 1.0)
_BACKWARD = math.radians(3)
HINGES = (
    Hinge("left_knee", _DOWN, _BACK, _BACKWARD, math.radians(25)),
    Hinge("right_knee", _DOWN, _BACK, _BACKWARD, math.radians(25)),
    Hinge("left_elbow", (1.0, 0.0, 0.0), _FRONT, _BACKWARD, math.radians(60)),
    Hinge("right_elbow", (-1.0, 0.0, 0.0), _FRONT, _BACKWARD, math.radians(60)),
)
_SOFTNESS = _BACKWARD  # before and after a stop: there the joint is slowed instead of stopped dead; straight is free


def limit(motion: Motion, hinges: tuple[Hinge, ...] = HINGES) -> Motion:
    """The motion with the lower bones turned back inside their joints' stops, by the shortest way."""
    rotations = motion.rotations.clone()
    for hinge in hinges:
        joint = SMPL22.index(hinge.joint)
        rotations[:, joint] = inside(rotations[:, joint], hinge)
    return replace(motion, rotations=rotations)


def inside(local: Tensor, hinge: Hinge) -> Tensor:
    """Local rotations (..., 4) of one joint, within its stops."""
    bone, fold = local.new_tensor(hinge.bone), local.new_tensor(hinge.fold)
    axis = torch.linalg.cross(bone, fold)
    now = rotation.rotate(local, bone)
    lean = (now * fold).sum(-1).clamp(-1, 1).asin()  # positive: folded
    side = (now * axis).sum(-1).clamp(-1, 1).asin()
    allowed_lean = _soft_max(lean, -hinge.backward)
    allowed_side = -_soft_max(-_soft_max(side, -hinge.sideways), -hinge.sideways)
    x, y = allowed_lean.sin(), allowed_side.sin()
    along = (now * bone).sum(-1)
    rest = torch.copysign((1 - x * x - y * y).clamp_min(1e-6).sqrt(), along)
    wanted = x[..., None] * fold + y[..., None] * axis + rest[..., None] * bone
    turned = rotation.normalise(rotation.mul(rotation.between(now, wanted), local))
    changed = ((allowed_lean - lean).abs() + (allowed_side - side).abs() > 1e-5)[..., None]
    return torch.where(changed, turned, local)


def _soft_max(values: Tensor, lowest: float) -> Tensor:
    """``values``, never below ``lowest``, with a parabola for the corner."""
    over = values - lowest
    corner = (over + _SOFTNESS).square() / (4 * _SOFTNESS)
    return lowest + torch.where(over > _SOFTNESS, over, torch.where(over < -_SOFTNESS, torch.zeros_like(over), corner))
