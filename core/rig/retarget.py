"""From our joints to the bones of an armature, and back.

Rotations are told for 22 joints in SMPL order, y up, each local to its parent joint and the identity in a T-pose that
faces +z. A bone has a rest orientation of its own, and its pose is told relative to that and to the bone above it. With

    C    the change of axes (y up, facing +z) -> (Blender's z up, facing -y),
    G_j  the joint's rotation relative to our T-pose in Blender's axes: the product of C l C* down from the root,
    R_j  the bone's rest orientation, and D_j what turns its rest direction into the joint's T-pose direction,

the bone shall stand at ``G_j D_j R_j``. Bones between it and the next mapped bone p above stay as they rest, which
leaves the bone's own pose: ``R_j* D_p* (G_p* G_j) D_j R_j`` (star: the inverse; no p: G_p and D_p are the identity).

A rig may be built on other axes than Blender's. ``upright`` says how; everything here is told about bones that were
turned so already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import quaternion as quat
from . import rest
from .skeleton import JOINTS, OFFSETS, PARENTS, standing

_HIPS = JOINTS.index("left_hip"), JOINTS.index("right_hip")
_KNEES = JOINTS.index("left_knee"), JOINTS.index("right_knee")
_ANKLES = JOINTS.index("left_ankle"), JOINTS.index("right_ankle")
_IDENTITY = np.array(quat.IDENTITY)

C = np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0])
"""A quarter turn about x: y up becomes z up, facing +z becomes facing -y, left stays at +x."""


def to_blender(points: np.ndarray) -> np.ndarray:
    """Points (..., 3) from our axes to those of Blender's world: z up, facing -y, the left hand at +x."""
    x, y, z = np.moveaxis(np.asarray(points), -1, 0)
    return np.stack((x, -z, y), axis=-1)


def upright(place: dict[str, np.ndarray]) -> np.ndarray:
    """The rotation matrix (3, 3) that stands a rig up in Blender's axes.

    place: where the bones of our joints begin at rest, by name; raises FootlightError as ``rest.axes``.
    """
    x, y, z = rest.upright(place)
    return np.stack((x, -z, y))


@dataclass(frozen=True)
class RestBone:
    """A mapped bone at rest, upright.

    joint: index into JOINTS.  parent: the joint of the next mapped bone above, -1 for none.  rotation: (4,) wxyz.
    head, tail: (3,) in the armature's units.
    """

    name: str
    joint: int
    parent: int
    rotation: np.ndarray
    head: np.ndarray
    tail: np.ndarray


@dataclass(frozen=True)
class Keys:
    """Keys for an armature.

    rotations: bone name -> (t, 4) wxyz, sign-continuous.  root: the bone that also travels.  location: (t, 3) in that
    bone's own rest axes, the armature's units.
    """

    rotations: dict[str, np.ndarray]
    root: str
    location: np.ndarray


def keys(rotations: np.ndarray, root: np.ndarray, bones: Sequence[RestBone]) -> Keys:
    """The keys of every bone in every frame.

    rotations: (t, 22, 4) wxyz and root: (t, 3) metres, of our body.  bones: the mapped bones; joint 0 must be there.
    A rig of another size travels in proportion to its legs, on the floor that it stands on at rest.
    """
    by_joint = {bone.joint: bone for bone in bones}
    turned = _down(quat.mul(quat.mul(C, np.asarray(rotations, dtype=float)), quat.conjugate(C)))
    align = _alignments(by_joint)
    found = {}
    for joint, bone in by_joint.items():
        relative, above = turned[joint], _IDENTITY
        if bone.parent >= 0:
            relative, above = quat.mul(quat.conjugate(turned[bone.parent]), relative), align[bone.parent]
        before = quat.mul(quat.conjugate(bone.rotation), quat.conjugate(above))
        found[bone.name] = quat.continuous(quat.mul(quat.mul(before, relative), quat.mul(align[joint], bone.rotation)))
    build = _build(by_joint)
    hips = by_joint[0]
    travel = to_blender(np.asarray(root, dtype=float)) * build.size + build.floor - build.pelvis
    lever = hips.head - build.pelvis
    travel = travel + quat.rotate(turned[0], lever) - lever
    return Keys(found, hips.name, quat.rotate(quat.conjugate(hips.rotation), travel))


def motion(matrices: np.ndarray, bones: Sequence[RestBone]) -> tuple[np.ndarray, np.ndarray]:
    """What ``keys`` was given, from where it put the bones.

    matrices: (t, n, 4, 4), how each of ``bones`` stands in every frame, upright as they are at rest; they may scale and
    shear.  Returns rotations (t, 22, 4) wxyz, sign-continuous, and root (t, 3) metres, y up.  Joints without a bone
    stay straight: what they did is in the next joint below that has one.
    """
    by_joint = {bone.joint: bone for bone in bones}
    align = _alignments(by_joint)
    turned = {}
    for i, bone in enumerate(bones):
        at_rest = quat.mul(align[bone.joint], bone.rotation)
        turned[bone.joint] = quat.mul(quat.orientation(matrices[:, i, :3, :3]), quat.conjugate(at_rest))
    rotations = np.tile(_IDENTITY, (len(matrices), len(JOINTS), 1))
    for joint, now in turned.items():
        parent = PARENTS[joint]
        while parent >= 0 and parent not in by_joint:
            parent = PARENTS[parent]
        local = quat.mul(quat.conjugate(turned[parent]), now) if parent >= 0 else now
        rotations[:, joint] = quat.mul(quat.mul(quat.conjugate(C), local), C)
    build = _build(by_joint)
    heads = matrices[:, [bone.joint for bone in bones].index(0), :3, 3]
    pelvis = heads - quat.rotate(turned[0], by_joint[0].head - build.pelvis)
    x, y, z = np.moveaxis((pelvis - build.floor) / build.size, -1, 0)
    return quat.continuous(rotations), np.stack((x, z, -y), axis=-1)


def _down(rotations: np.ndarray) -> list[np.ndarray]:
    """G: how every joint (t, 4) is turned from our T-pose, of the local ones (t, 22, 4)."""
    turned: list[np.ndarray] = []
    for joint, parent in enumerate(PARENTS):
        turned.append(rotations[:, joint] if parent < 0 else quat.mul(turned[parent], rotations[:, joint]))
    return turned


@dataclass(frozen=True)
class _Build:
    """size: the rig's units for each of our metres.  floor: (3,) under it.  pelvis: (3,) at rest."""

    size: float
    floor: np.ndarray
    pelvis: np.ndarray


def _build(by_joint: Mapping[int, RestBone]) -> _Build:
    """A rig's build, by the height of its pelvis above its ankles.

    The pelvis is where its bone begins. Some rigs carry legs and spine with a bone that begins elsewhere, on the floor,
    say; their pelvis is above the hips as ours is.
    """
    ours = standing()[:, 1]
    hips, knees, ankles = (sum(by_joint[joint].head for joint in pair) / 2 for pair in (_HIPS, _KNEES, _ANKLES))
    pelvis = by_joint[0].head
    if np.linalg.norm(pelvis - hips) > np.linalg.norm(hips - knees):
        size = (hips[2] - ankles[2]) / (ours[_HIPS[0]] - ours[_ANKLES[0]])
        pelvis = hips - (0.0, 0.0, size * OFFSETS[_HIPS[0], 1])
    size = (pelvis[2] - ankles[2]) / (ours[0] - ours[_ANKLES[0]])
    return _Build(size, np.array((0.0, 0.0, ankles[2] - size * ours[_ANKLES[0]])), pelvis)


def _alignments(by_joint: Mapping[int, RestBone]) -> dict[int, np.ndarray]:
    """D of every mapped joint. The trunk and the feet keep the rig's own rest: it is its build, not its pose."""
    place = {JOINTS[joint]: bone.head for joint, bone in by_joint.items()}
    for side in ("left", "right"):
        place.setdefault(f"{side}_wrist", by_joint[JOINTS.index(f"{side}_elbow")].tail)
    found = rest.straighten(place, C, {JOINTS[joint] for joint in by_joint}, as_built=True)
    return {joint: found.get(JOINTS[joint], _IDENTITY) for joint in by_joint}
