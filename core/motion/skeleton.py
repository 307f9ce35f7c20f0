"""The skeleton of Footlight's motion, as tensors. Its numbers are in ``core.rig.skeleton``."""

from __future__ import annotations

import torch
from torch import Tensor

from core.rig.skeleton import BODY, REST_HEIGHT, other_side
from core.rig.skeleton import Skeleton as AnySkeleton

__all__ = ["FOOT_HEIGHTS", "FOOT_JOINTS", "LEFT_LEG", "MIRROR", "REST_HEIGHT", "RIGHT_LEG", "SMPL22", "Skeleton"]

Skeleton = AnySkeleton[Tensor]


def _tensor(values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)


SMPL22: Skeleton = AnySkeleton(
    BODY.names, BODY.parents, _tensor(BODY.offsets), {name: _tensor(tip) for name, tip in BODY.tips.items()}
)

MIRROR = tuple(SMPL22.index(other_side(name)) for name in SMPL22.names)
"""For each joint, its counterpart on the other side of the body."""

FOOT_JOINTS = (7, 10, 8, 11)
"""Left ankle, left toe, right ankle, right toe: the order of ``Motion.contacts``."""

FOOT_HEIGHTS = (0.08, 0.02, 0.08, 0.02)
"""Heights of ``FOOT_JOINTS`` above the floor when the foot stands flat, metres."""

LEFT_LEG = (1, 4, 7)
"""Hip, knee and ankle of the left leg, for ``kinematics.two_bone_ik``."""

RIGHT_LEG = (2, 5, 8)
"""Hip, knee and ankle of the right leg."""
