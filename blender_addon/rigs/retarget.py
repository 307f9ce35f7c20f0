"""From the engine's joints to the bones of an armature, and back.

The engine speaks of 22 joints in SMPL order, y-up, each rotation local to its parent joint and the identity in a
T-pose that faces +z. A Blender bone has a rest orientation of its own, and its pose is told relative to that. With

    C    the change of axes (y-up, facing +z) -> (Blender's z-up, facing -y),
    G_j  the joint's rotation relative to the body's T-pose in Blender's axes: product of C l C* down to the root,
    R_j  the bone's rest orientation, and D_j what turns its rest direction into the joint's T-pose direction,

the bone shall stand at ``G_j D_j R_j``. Bones between it and the next mapped bone p above stay as they rest, which
leaves the bone's own pose: ``R_j* D_p* (G_p* G_j) D_j R_j`` (star: the inverse; no p: G_p and D_p are the identity).

A rig may be built on other axes than Blender's (y-up and turned by its object, or facing backwards). ``upright`` says
how; everything else here is told about bones that were turned so already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import quaternion as quat
from .body import JOINTS, PARENTS, joint_positions

C = np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0])
"""A quarter turn about x: y-up becomes z-up, facing +z becomes facing -y, left stays at +x."""

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])

LIMBS = {
    f"{side}_{start}": JOINTS.index(f"{side}_{end}")
    for side in ("left", "right")
    for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
}
ANKLES = (JOINTS.index("left_ankle"), JOINTS.index("right_ankle"))
HANDS = {f"{side}_wrist": JOINTS.index(f"{side}_elbow") for side in ("left", "right")}


def to_blender(points: np.ndarray) -> np.ndarray:
    """Points (..., 3) from the engine's axes to Blender's."""
    x, y, z = np.moveaxis(np.asarray(points), -1, 0)
    return np.stack((x, -z, y), axis=-1)


@dataclass(frozen=True)
class RestBone:
    """A mapped bone at rest, upright. joint: index into JOINTS; rotation: quaternion wxyz (4,); head, tail: (3,) in
    the armature's units."""

    name: str
    joint: int
    rotation: np.ndarray
    head: np.ndarray
    tail: np.ndarray


@dataclass(frozen=True)
class Pose:
    """Keys for an armature. rotations: bone name -> (t, 4) wxyz, sign-continuous; root: the bone that also travels;
    location: (t, 3) in that bone's own rest axes, the armature's units."""

    rotations: dict[str, np.ndarray]
    root: str
    location: np.ndarray


def upright(heads: Mapping[int, np.ndarray]) -> np.ndarray:
    """The quarter turns, (3, 3), that stand a rig up in Blender's axes, facing -y, its left at +x.

    heads: joint -> where its bone starts at rest (3,); hips, thighs and ankles are looked at.
    """
    up = heads[0] - (heads[ANKLES[0]] + heads[ANKLES[1]]) / 2
    left = heads[JOINTS.index("left_hip")] - heads[JOINTS.index("right_hip")]
    z = _nearest_axis(up)
    x = _nearest_axis(left * (z == 0))
    return np.stack((x, np.cross(z, x), z))


def _nearest_axis(direction: np.ndarray) -> np.ndarray:
    axis = np.zeros(3)
    longest = np.argmax(np.abs(direction))
    axis[longest] = np.copysign(1.0, direction[longest])
    return axis


def pose(rotations: np.ndarray, root: np.ndarray, bones: Sequence[RestBone]) -> Pose:
    """The pose of every bone in every frame.

    rotations: (t, 22, 4) and root: (t, 3) as the engine gives them.  bones: the mapped bones; joint 0 must be there.
    A rig of another size travels in proportion to its legs, on the floor that it stands on at rest.
    """
    by_joint = {bone.joint: bone for bone in bones}
    local = quat.mul(quat.mul(C, np.asarray(rotations, dtype=float)), quat.conjugate(C))
    align = {joint: _alignment(bone, by_joint) for joint, bone in by_joint.items()}
    keys = {}
    for joint, bone in by_joint.items():
        relative = local[:, joint]
        parent = PARENTS[joint]
        while parent >= 0 and parent not in by_joint:
            relative = quat.mul(local[:, parent], relative)
            parent = PARENTS[parent]
        above = align[parent] if parent >= 0 else IDENTITY
        before = quat.mul(quat.conjugate(bone.rotation), quat.conjugate(above))
        keys[bone.name] = quat.continuous(quat.mul(quat.mul(before, relative), quat.mul(align[joint], bone.rotation)))
    hips = by_joint[0]
    size, floor = _build(by_joint)
    travel = to_blender(np.asarray(root, dtype=float)) * size + floor - hips.head
    return Pose(keys, hips.name, quat.rotate(quat.conjugate(hips.rotation), travel))


def motion(matrices: np.ndarray, bones: Sequence[RestBone]) -> tuple[np.ndarray, np.ndarray]:
    """What ``pose`` was given, from where it put the bones.

    matrices: (t, n, 4, 4), how each of ``bones`` stands in every frame, in the same space as they are at rest; they may
    scale and shear.  Returns rotations (t, 22, 4) wxyz, sign-continuous, and root (t, 3) metres, y-up.  Joints without
    a bone stay straight: what they did is in the next joint below that has one.
    """
    by_joint = {bone.joint: bone for bone in bones}
    turned = {}  # G
    for i, bone in enumerate(bones):
        rest = quat.mul(_alignment(bone, by_joint), bone.rotation)
        turned[bone.joint] = quat.mul(quat.orientation(matrices[:, i, :3, :3]), quat.conjugate(rest))
    rotations = np.tile(IDENTITY, (len(matrices), len(JOINTS), 1))
    for joint, now in turned.items():
        parent = _mapped_parent(joint, by_joint)
        local = quat.mul(quat.conjugate(turned[parent]), now) if parent >= 0 else now
        rotations[:, joint] = quat.mul(quat.mul(quat.conjugate(C), local), C)
    hips = [bone.joint for bone in bones].index(0)
    size, floor = _build(by_joint)
    x, y, z = np.moveaxis((matrices[:, hips, :3, 3] - floor) / size, -1, 0)
    return quat.continuous(rotations), np.stack((x, z, -y), axis=-1)


def _mapped_parent(joint: int, by_joint: Mapping[int, RestBone]) -> int:
    """The next joint above that has a bone; -1 where there is none."""
    parent = PARENTS[joint]
    while parent >= 0 and parent not in by_joint:
        parent = PARENTS[parent]
    return parent


def _build(by_joint: Mapping[int, RestBone]) -> tuple[float, np.ndarray]:
    """A rig's units for each of our metres, by the height of its hips above its ankles, and the floor (3,) under it."""
    ours, ours_above = joint_positions()[[0, ANKLES[0]], 1]
    above = (by_joint[ANKLES[0]].head[2] + by_joint[ANKLES[1]].head[2]) / 2
    size = (by_joint[0].head[2] - above) / (ours - ours_above)
    return size, np.array((0.0, 0.0, above - size * ours_above))


def _alignment(bone: RestBone, by_joint: dict[int, RestBone]) -> np.ndarray:
    """D: limbs turn from their direction at rest (an A-pose, say) to the T-pose's, and hands go with the forearm.
    The trunk and the feet keep the rig's own rest: there a different direction is its build, not its pose."""
    name = JOINTS[bone.joint]
    if name in HANDS and HANDS[name] in by_joint:
        return _alignment(by_joint[HANDS[name]], by_joint)
    if name not in LIMBS:
        return IDENTITY
    end = LIMBS[name]
    rest_end = by_joint[end].head if end in by_joint else bone.tail
    positions = to_blender(joint_positions())
    return quat.between(rest_end - bone.head, positions[end] - positions[bone.joint])
