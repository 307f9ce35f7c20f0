"""Joint limits: knees and elbows are hinges that bend one way, and hardly sideways."""

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
    """The limits of one joint.

    joint: its name.
    bone: direction of the lower bone at rest.
    fold: direction towards which the bone turns when the joint bends.
    backward: radians that it may turn the other way.
    sideways: radians that it may leave the plane of the two directions.
    """

    joint: str
    bone: tuple[float, float, float]
    fold: tuple[float, float, float]
    backward: float
    sideways: float


_DOWN = (0.0, -1.0, 0.0)
_BACK = (0.0, 0.0, -1.0)
_FRONT = (0.0, 0.0, 1.0)
_BACKWARD = math.radians(3)
HINGES = (
    Hinge("left_knee", _DOWN, _BACK, _BACKWARD, math.radians(25)),
    Hinge("right_knee", _DOWN, _BACK, _BACKWARD, math.radians(25)),
    Hinge("left_elbow", (1.0, 0.0, 0.0), _FRONT, _BACKWARD, math.radians(60)),
    Hinge("right_elbow", (-1.0, 0.0, 0.0), _FRONT, _BACKWARD, math.radians(60)),
)
_SOFTNESS = _BACKWARD  # radians around a limit within which a joint slows down; the straight joint is not affected


def limit(motion: Motion, hinges: tuple[Hinge, ...] = HINGES, hold: Tensor | None = None) -> Motion:
    """Rotate the lower bones of a motion into the limits of their joints, by the shortest way.

    motion: (t, ...) the motion.
    hinges: the joints that are limited.
    hold: (t, j) bool, what stays as it is; see ``core.postprocess.hold``.
    """
    rotations = motion.rotations.clone()
    for hinge in hinges:
        joint = SMPL22.index(hinge.joint)
        rotations[:, joint] = inside(rotations[:, joint], hinge)
    if hold is not None:
        rotations = torch.where(hold[..., None], motion.rotations, rotations)
    return replace(motion, rotations=rotations)


def inside(local: Tensor, hinge: Hinge) -> Tensor:
    """Local rotations (..., 4) of one joint, brought within its limits."""
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
    """The maximum of ``values`` and ``lowest``, with the corner rounded by a parabola."""
    over = values - lowest
    corner = (over + _SOFTNESS).square() / (4 * _SOFTNESS)
    return lowest + torch.where(over > _SOFTNESS, over, torch.where(over < -_SOFTNESS, torch.zeros_like(over), corner))
