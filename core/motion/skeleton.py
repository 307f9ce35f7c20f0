"""Skeletons as values, and the one that Footlight dances with.

``SMPL22`` has the joints of the SMPL body in their order, with our own bone lengths: an adult of 1.70 m standing in
a T-pose on the floor, facing +z, the left hand at +x.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A tree of joints at rest.

    names: (j,).  parents: (j,), each smaller than its child's index; -1 for the root.
    offsets: (j, 3) from the parent joint, metres, in a rest pose in which every rotation is the identity; the root's is
    its own place (zero for ``SMPL22``).  tips: where bones end that have no child joint, offsets from the named joint.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Tensor
    tips: dict[str, Tensor] = field(default_factory=dict)

    @property
    def joints(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """The index of a joint by its name."""
        return self.names.index(name)

    def children(self, joint: int) -> tuple[int, ...]:
        """The joints that hang on ``joint``."""
        return tuple(i for i, parent in enumerate(self.parents) if parent == joint)

    def levels(self) -> tuple[tuple[int, ...], ...]:
        """The joints by depth, the root first: those of one level depend only on levels before it."""
        depth: list[int] = []
        for parent in self.parents:
            depth.append(0 if parent < 0 else depth[parent] + 1)
        return tuple(tuple(j for j, d in enumerate(depth) if d == level) for level in range(max(depth) + 1))

    def depth_first(self) -> list[int]:
        """The joints with every joint's descendants right behind it, as BVH files list them."""

        def branch(joint: int) -> list[int]:
            return [joint, *(below for child in self.children(joint) for below in branch(child))]

        return branch(0)

    def rest_positions(self) -> Tensor:
        """Joint positions (j, 3) of the rest pose with the root at its own offset."""
        positions: list[Tensor] = []
        for offset, parent in zip(self.offsets, self.parents, strict=True):
            positions.append(offset if parent < 0 else positions[parent] + offset)
        return torch.stack(positions)


REST_HEIGHT = 0.95  # of the pelvis above the floor in the rest pose, metres

_LEFT_OR_MIDDLE = {
    # joint: (parent, offset x y z in metres); right joints are mirrored
    "pelvis": (None, (0.0, 0.0, 0.0)),
    "left_hip": ("pelvis", (0.085, -0.07, 0.0)),
    "spine1": ("pelvis", (0.0, 0.11, -0.01)),
    "left_knee": ("left_hip", (0.0, -0.40, 0.0)),
    "spine2": ("spine1", (0.0, 0.13, -0.005)),
    "left_ankle": ("left_knee", (0.0, -0.40, 0.0)),
    "spine3": ("spine2", (0.0, 0.06, 0.005)),
    "left_foot": ("left_ankle", (0.0, -0.06, 0.13)),
    "neck": ("spine3", (0.0, 0.21, -0.01)),
    "left_collar": ("spine3", (0.06, 0.12, -0.005)),
    "head": ("neck", (0.0, 0.08, 0.02)),
    "left_shoulder": ("left_collar", (0.115, 0.03, 0.005)),
    "left_elbow": ("left_shoulder", (0.27, 0.0, 0.0)),
    "left_wrist": ("left_elbow", (0.25, 0.0, 0.0)),
}

_SMPL_ORDER = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip


def _other_side(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name


def _smpl22() -> Skeleton:
    parents, offsets = [], []
    for name in _SMPL_ORDER:
        right = name.startswith("right_")
        parent, (x, y, z) = _LEFT_OR_MIDDLE[_other_side(name) if right else name]
        if right and parent.startswith("left_"):
            parent = _other_side(parent)
        parents.append(-1 if parent is None else _SMPL_ORDER.index(parent))
        offsets.append((-x if right else x, y, z))
    tips = {
        "head": torch.tensor((0.0, 0.16, 0.0)),
        "left_wrist": torch.tensor((0.18, 0.0, 0.0)),
        "right_wrist": torch.tensor((-0.18, 0.0, 0.0)),
        "left_foot": torch.tensor((0.0, 0.0, 0.07)),
        "right_foot": torch.tensor((0.0, 0.0, 0.07)),
    }
    return Skeleton(_SMPL_ORDER, tuple(parents), torch.tensor(offsets), tips)


SMPL22 = _smpl22()

MIRROR = tuple(SMPL22.index(_other_side(name)) for name in SMPL22.names)
"""For each joint, its counterpart on the other side of the body."""

FOOT_JOINTS = (7, 10, 8, 11)
"""Left ankle, left toe, right ankle, right toe: the order of ``Motion.contacts``."""

FOOT_HEIGHTS = (0.08, 0.02, 0.08, 0.02)
"""Heights of ``FOOT_JOINTS`` above the floor when the foot stands flat, metres."""

LEFT_LEG, RIGHT_LEG = (1, 4, 7), (2, 5, 8)
"""Hip, knee, ankle: chains for ``kinematics.two_bone_ik``."""
