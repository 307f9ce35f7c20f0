"""Retargets motion from our joints to the bones of an armature, and back.

Our rotations are given for 22 joints in SMPL order, y up. Each is local to its parent joint, and the identity in a
T-pose that faces +z. A bone has its own rest orientation, and its pose is relative to that and to the bone above. Let

    C    be the change of axes from (y up, facing +z) to Blender's (z up, facing -y),
    G_j  the rotation of joint j relative to our T-pose in Blender's axes: the product of C l C* down from the root,
         where l is a local rotation,
    R_j  the bone's rest orientation,
    D_j  the rotation from the bone's rest direction to the joint's direction in the T-pose.

The world orientation of the bone is then ``G_j D_j R_j``. Let p be the next mapped bone above. Bones between the two
keep their rest pose, so the bone's own pose is ``R_j* D_p* (G_p* G_j) D_j R_j``. A star is the inverse. Without p, G_p
and D_p are the identity.

A rig may be built on other axes than Blender's. ``upright`` finds the rotation between them. All other functions here
expect bones to which it was already applied.
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
"""A quarter turn about x: y up becomes z up, facing +z becomes facing -y, and left stays at +x."""


def to_blender(points: np.ndarray) -> np.ndarray:
    """Transform points (..., 3) from our axes to Blender's: z up, facing -y, the left hand at +x."""
    x, y, z = np.moveaxis(np.asarray(points), -1, 0)
    return np.stack((x, -z, y), axis=-1)


def upright(place: dict[str, np.ndarray]) -> np.ndarray:
    """The rotation matrix (3, 3) from a rig's own axes to Blender's.

    place: our joint name -> position (3,) where its bone starts at rest.

    Raises FootlightError as ``rest.axes`` does.
    """
    x, y, z = rest.upright(place)
    return np.stack((x, -z, y))


@dataclass(frozen=True)
class RestBone:
    """A mapped bone at rest, after ``upright``.

    name: the bone's name.
    joint: index into JOINTS.
    parent: the joint of the next mapped bone above; -1 for none.
    rotation: (4,) rest orientation, wxyz.
    head: (3,) where the bone starts, in the armature's units.
    tail: (3,) where it ends.
    inherits: whether it rotates with the bone above.
    posed: (4,) its orientation in our T-pose; None derives it from the rest pose. All bones of a rig have it or none.
    """

    name: str
    joint: int
    parent: int
    rotation: np.ndarray
    head: np.ndarray
    tail: np.ndarray
    inherits: bool = True
    posed: np.ndarray | None = None


@dataclass(frozen=True)
class Keys:
    """Keys for an armature.

    rotations: bone name -> (t, 4) wxyz, sign-continuous.
    root: name of the bone that also has location keys.
    location: (t, 3) of that bone, along its own rest axes, in the armature's units.
    """

    rotations: dict[str, np.ndarray]
    root: str
    location: np.ndarray


def keys(rotations: np.ndarray, root: np.ndarray, bones: Sequence[RestBone], ground: float | None = None) -> Keys:
    """The keys of every bone in every frame.

    A rig of another size travels in proportion to its legs. The middle of the stage is where it stands at rest.

    rotations: (t, 22, 4) local rotations of our body, wxyz.
    root: (t, 3) positions of its pelvis, metres.
    bones: the mapped bones; joint 0 must be among them.
    ground: height of the floor in the armature's units; None for the floor on which the rig stands at rest.
    """
    by_joint = {bone.joint: bone for bone in bones}
    turned = _turned(rotations)
    align = _alignments(by_joint)
    found = {}
    for joint, bone in by_joint.items():
        relative, above = turned[joint], _IDENTITY
        if bone.parent >= 0 and bone.inherits:
            relative, above = quat.mul(quat.conjugate(turned[bone.parent]), relative), align[bone.parent]
        before = quat.mul(quat.conjugate(bone.rotation), quat.conjugate(above))
        found[bone.name] = quat.continuous(quat.mul(quat.mul(before, relative), quat.mul(align[joint], bone.rotation)))
    hips = by_joint[0]
    travel = _carried(root, turned[0], hips, _build(by_joint, ground)) - hips.head
    return Keys(found, hips.name, quat.rotate(quat.conjugate(hips.rotation), travel))


def heads(
    rotations: np.ndarray, root: np.ndarray, bones: Sequence[RestBone], ground: float | None = None
) -> dict[int, np.ndarray]:
    """Joint -> (t, 3) where its bone starts in a dance, if its keys alone decide. Parameters are those of ``keys``.

    Bones that do not hang on that of the pelvis are left out.
    """
    by_joint = {bone.joint: bone for bone in bones}
    turned, align = _turned(rotations), _alignments(by_joint)
    found = {0: _carried(root, turned[0], by_joint[0], _build(by_joint, ground))}

    def place(joint: int) -> np.ndarray | None:
        if joint not in found and joint >= 0:
            bone = by_joint[joint]
            start = place(bone.parent)
            if start is not None:
                whole = quat.mul(turned[bone.parent], align[bone.parent])
                found[joint] = start + quat.rotate(whole, bone.head - by_joint[bone.parent].head)
        return found.get(joint)

    return {joint: start for joint in by_joint if (start := place(joint)) is not None}


def motion(
    matrices: np.ndarray, bones: Sequence[RestBone], ground: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The motion of an animated armature: the inverse of ``keys``.

    Returns rotations (t, 22, 4), wxyz and sign-continuous, and root (t, 3) in metres, y up. Joints without a bone stay
    straight; the next joint below that has a bone takes over their rotation.

    matrices: (t, n, 4, 4) world transforms of ``bones`` in every frame, after ``upright``. They may scale and shear.
    bones: the mapped bones; joint 0 must be among them.
    ground: as in ``keys``.
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
    build = _build(by_joint, ground)
    starts = matrices[:, [bone.joint for bone in bones].index(0), :3, 3]
    pelvis = starts - quat.rotate(turned[0], by_joint[0].head - build.pelvis)
    x, y, z = np.moveaxis((pelvis - build.floor) / build.size, -1, 0)
    return quat.continuous(rotations), np.stack((x, z, -y), axis=-1)


@dataclass(frozen=True)
class Floor:
    """The floor under a rig at rest, in its units.

    height: of the floor.
    leg: length of a leg, from the hip to the ankle.
    ankle: height of the ankles above the floor.
    """

    height: float
    leg: float
    ankle: float


def floor(bones: Sequence[RestBone]) -> Floor:
    """The floor on which a rig stands at rest. bones: those of the legs and the pelvis must be among them."""
    by_joint = {bone.joint: bone for bone in bones}
    place = _stood(by_joint)
    hips, ankles = ((place[left] + place[right]) / 2 for left, right in (_HIPS, _ANKLES))
    height = float(_build(by_joint, None).floor[2])
    return Floor(height, float(np.linalg.norm(hips - ankles)), float(ankles[2]) - height)


def _turned(rotations: np.ndarray) -> list[np.ndarray]:
    """G: the rotation (t, 4) of every joint relative to our T-pose, from our local rotations (t, 22, 4)."""
    local = quat.mul(quat.mul(C, np.asarray(rotations, dtype=float)), quat.conjugate(C))
    turned: list[np.ndarray] = []
    for joint, parent in enumerate(PARENTS):
        turned.append(local[:, joint] if parent < 0 else quat.mul(turned[parent], local[:, joint]))
    return turned


def _carried(root: np.ndarray, turned: np.ndarray, hips: RestBone, build: _Build) -> np.ndarray:
    """Where the bone of the pelvis starts (t, 3) when our pelvis is at ``root`` (t, 3) and rotated by ``turned``."""
    pelvis = to_blender(np.asarray(root, dtype=float)) * build.size + build.floor
    return pelvis + quat.rotate(turned, hips.head - build.pelvis)


@dataclass(frozen=True)
class _Build:
    """The proportions of a rig, in its units.

    size: the rig's units per metre of our body.
    floor: (3,) the point on the floor below the pelvis at rest.
    pelvis: (3,) the pelvis at rest.
    """

    size: float
    floor: np.ndarray
    pelvis: np.ndarray


def _build(by_joint: Mapping[int, RestBone], ground: float | None) -> _Build:
    """The proportions of a rig, from the height of its pelvis above its ankles.

    The pelvis is where its bone starts. In some rigs the bone that carries legs and spine starts elsewhere, e.g. on the
    floor. Their pelvis is taken to be as far above the hips as ours.
    """
    ours = standing()[:, 1]
    place = _stood(by_joint)
    hips, knees, ankles = ((place[left] + place[right]) / 2 for left, right in (_HIPS, _KNEES, _ANKLES))
    pelvis = place[0]
    if np.linalg.norm(pelvis - hips) > np.linalg.norm(hips - knees):
        size = (hips[2] - ankles[2]) / (ours[_HIPS[0]] - ours[_ANKLES[0]])
        pelvis = hips - (0.0, 0.0, size * OFFSETS[_HIPS[0], 1])
    size = (pelvis[2] - ankles[2]) / (ours[0] - ours[_ANKLES[0]])
    floor = ankles[2] - size * ours[_ANKLES[0]] if ground is None else ground
    return _Build(size, np.array((pelvis[0], pelvis[1], floor)), pelvis)


def _stood(by_joint: Mapping[int, RestBone]) -> dict[int, np.ndarray]:
    """Joint -> where its bone starts (3,) while the rig stands: at rest, or in the T-pose if that is known."""
    if by_joint[0].posed is None:
        return {joint: bone.head for joint, bone in by_joint.items()}
    align = _alignments(by_joint)

    def place(joint: int) -> np.ndarray:
        bone = by_joint[joint]
        if bone.parent < 0:
            return bone.head
        return place(bone.parent) + quat.rotate(align[bone.parent], bone.head - by_joint[bone.parent].head)

    return {joint: place(joint) for joint in by_joint}


def _alignments(by_joint: Mapping[int, RestBone]) -> dict[int, np.ndarray]:
    """D of every mapped joint. Trunk and feet keep their rest pose, which is part of how the rig is built, unless the
    T-pose is known."""
    known = {joint: bone.posed for joint, bone in by_joint.items() if bone.posed is not None}
    if known:
        return {joint: quat.mul(posed, quat.conjugate(by_joint[joint].rotation)) for joint, posed in known.items()}
    place = {JOINTS[joint]: bone.head for joint, bone in by_joint.items()}
    for side in ("left", "right"):
        place.setdefault(f"{side}_wrist", by_joint[JOINTS.index(f"{side}_elbow")].tail)
    found = rest.straighten(place, C, {JOINTS[joint] for joint in by_joint}, as_built=True)
    return {joint: found.get(JOINTS[joint], _IDENTITY) for joint in by_joint}
