"""The skeleton that Footlight dances with, as tensors; ``core.rig.skeleton`` has its numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from core.rig.skeleton import BODY, REST_HEIGHT, other_side
from core.rig.skeleton import Skeleton as AnySkeleton

__all__ = ["FOOT_HEIGHTS", "FOOT_JOINTS", "LEFT_LEG", "MIRROR", "REST_HEIGHT", "RIGHT_LEG", "SMPL22", "Skeleton"]

Skeleton = AnySkeleton[Tensor]


def _tensor(values) -> Tensor:
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

LEFT_LEG, RIGHT_LEG = (1, 4, 7), (2, 5, 8)
"""Hip, knee, ankle: chains for ``kinematics.two_bone_ik``."""
