"""Skeletons, and the one of Footlight's body.

The body has the joints of SMPL in their order, with its own bone lengths. It is an adult 1.70 m tall, who stands in a
T-pose and faces +z, with the left hand at +x and y up.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np

Array = TypeVar("Array")


@dataclass(frozen=True, eq=False)
class Skeleton(Generic[Array]):
    """A tree of joints at rest. Its numbers are numpy arrays here and torch tensors in ``core.motion``.

    names: (j,) joint names.
    parents: (j,) index of each joint's parent, smaller than its own; -1 for a root. Armatures may have several roots.
    offsets: (j, 3) from the parent joint, metres, in the rest pose, where every rotation is the identity. The offset of
        a root is its position.
    tips: joint name -> offset (3,) from that joint to the end of its bone, for bones without a child joint.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    tips: dict[str, Array] = field(default_factory=dict)

    @property
    def joints(self) -> int:
        """The number of joints."""
        return len(self.names)

    def index(self, name: str) -> int:
        """The index of the joint of that name."""
        return self.names.index(name)

    def children(self, joint: int) -> tuple[int, ...]:
        """The direct children of ``joint``."""
        return tuple(i for i, parent in enumerate(self.parents) if parent == joint)

    def ancestors(self, joint: int) -> list[int]:
        """The joint itself and its ancestors, up to the root."""
        line = [joint]
        while self.parents[line[-1]] >= 0:
            line.append(self.parents[line[-1]])
        return line

    def levels(self) -> tuple[tuple[int, ...], ...]:
        """The joints by depth, the root first. The joints of a level depend only on the levels above it."""
        depth: list[int] = []
        for parent in self.parents:
            depth.append(0 if parent < 0 else depth[parent] + 1)
        return tuple(tuple(j for j, d in enumerate(depth) if d == level) for level in range(max(depth) + 1))

    def depth_first(self) -> list[int]:
        """The joints in depth-first order, as BVH files list them."""

        def branch(joint: int) -> list[int]:
            return [joint, *(below for child in self.children(joint) for below in branch(child))]

        return branch(0)

    def rest_positions(self) -> Array:
        """Joint positions (j, 3) of the rest pose. A root is at its own offset."""
        positions: Any = deepcopy(self.offsets)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                positions[joint] = positions[parent] + positions[joint]
        return positions


REST_HEIGHT = 0.95  # metres of the pelvis above the floor in the rest pose

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

JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
"""The joints of ``BODY``, in SMPL's order."""

SIDES = ("left", "right")
"""How the names of the joints of arms and legs begin."""


def other_side(name: str) -> str:
    """The joint's counterpart on the other side of the body; a joint in the middle is its own."""
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name


def _body() -> Skeleton[np.ndarray]:
    parents, offsets = [], []
    for name in JOINTS:
        right = name.startswith("right_")
        parent, (x, y, z) = _LEFT_OR_MIDDLE[other_side(name) if right else name]
        if parent is not None and right and parent.startswith("left_"):
            parent = other_side(parent)
        parents.append(-1 if parent is None else JOINTS.index(parent))
        offsets.append((-x if right else x, y, z))
    tips = {
        "head": np.array((0.0, 0.16, 0.0)),
        "left_wrist": np.array((0.18, 0.0, 0.0)),
        "right_wrist": np.array((-0.18, 0.0, 0.0)),
        "left_foot": np.array((0.0, 0.0, 0.07)),
        "right_foot": np.array((0.0, 0.0, 0.07)),
    }
    return Skeleton(JOINTS, tuple(parents), np.array(offsets), tips)


BODY = _body()
"""Footlight's body, with the pelvis at the origin."""

PARENTS = BODY.parents
OFFSETS = BODY.offsets
TIPS = BODY.tips


def standing() -> np.ndarray:
    """Joint positions (22, 3) of our body at rest, standing on the floor, metres, y up."""
    return replace(BODY, offsets=OFFSETS + np.eye(len(JOINTS))[:, :1] * (0.0, REST_HEIGHT, 0.0)).rest_positions()
