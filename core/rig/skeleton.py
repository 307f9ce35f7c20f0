"""The body that Footlight dances with, and skeletons in general.

It has the joints of the SMPL body in their order, with our own bone lengths: an adult of 1.70 m who stands in a T-pose
and faces +z, the left hand at +x, y up.
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

    names: (j,).  parents: (j,), each smaller than its child's index; -1 for a root. Armatures may have several roots.
    offsets: (j, 3) from the parent joint, metres, in a rest pose in which every rotation is the identity; a root's is
    its own place.  tips: where bones end that have no child joint, offsets (3,) from the named joint.
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
        """The index of a joint by its name."""
        return self.names.index(name)

    def children(self, joint: int) -> tuple[int, ...]:
        """The joints that hang on ``joint``."""
        return tuple(i for i, parent in enumerate(self.parents) if parent == joint)

    def ancestors(self, joint: int) -> list[int]:
        """The joint and everything it hangs on, up to the root."""
        line = [joint]
        while self.parents[line[-1]] >= 0:
            line.append(self.parents[line[-1]])
        return line

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

    def rest_positions(self) -> Array:
        """Joint positions (j, 3) of the rest pose, a root at its own offset."""
        positions: Any = deepcopy(self.offsets)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                positions[joint] = positions[parent] + positions[joint]
        return positions


REST_HEIGHT = 0.95
"""Of the pelvis above the floor in the rest pose, metres."""

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
"""SMPL's order."""


def other_side(name: str) -> str:
    """The joint's counterpart on the other side of the body; itself in the middle."""
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
"""Our body, the pelvis at the origin."""

PARENTS, OFFSETS, TIPS = BODY.parents, BODY.offsets, BODY.tips


def standing() -> np.ndarray:
    """Every joint of our body where it stands at rest on the floor, (22, 3) metres, y up."""
    return replace(BODY, offsets=OFFSETS + np.eye(len(JOINTS))[:, :1] * (0.0, REST_HEIGHT, 0.0)).rest_positions()
