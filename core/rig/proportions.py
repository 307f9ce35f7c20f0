"""How a rig is built: its bones at rest, its proportions, and where its floor is.

A rig may be built on other axes than Blender's. ``upright`` finds the rotation between them. All other functions here
expect bones to which it was already applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from . import quaternion as quat
from . import rest
from .feet import LEGS
from .sharing import Share
from .skeleton import JOINTS, OFFSETS, SIDES, standing

HIPS = JOINTS.index("left_hip"), JOINTS.index("right_hip")
_ANKLES = JOINTS.index("left_ankle"), JOINTS.index("right_ankle")
_LEG = float(np.linalg.norm(OFFSETS[list(LEGS[0][1:3])], axis=-1).sum())  # metres, of our thigh and shin
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
    """A mapped bone at rest, after ``upright``, or one that shares the turn of two of them.

    name: the bone's name.
    joint: index into JOINTS; from ``len(JOINTS)`` on for bones that share.
    parent: the joint of the next of these bones above; -1 for none.
    rotation: (4,) rest orientation, wxyz.
    head: (3,) where the bone starts, in the armature's units.
    tail: (3,) where it ends.
    inherits: whether it rotates with the bone above.
    posed: (4,) its orientation in our T-pose; None derives it from the rest pose. All bones of a rig have it or none.
    share: of a bone that shares. All such bones come after the others, those above before those below.
    goes_with: the joint whose bone it goes with though it hangs elsewhere, see ``ends.is_detached``; -1 for none.
    """

    name: str
    joint: int
    parent: int
    rotation: np.ndarray
    head: np.ndarray
    tail: np.ndarray
    inherits: bool = True
    posed: np.ndarray | None = None
    share: Share | None = None
    goes_with: int = -1

    @property
    def carrier(self) -> int:
        """The joint whose bone takes it along; -1 for none."""
        return self.parent if self.goes_with < 0 else self.goes_with


@dataclass(frozen=True)
class Floor:
    """The floor under a rig at rest, in its units.

    height: of the floor.
    leg: length of a leg, from the hip to the ankle.
    ankle: height of the ankles above the floor.
    middle: (2,) below the pelvis.
    """

    height: float
    leg: float
    ankle: float
    middle: np.ndarray


def size(bones: Sequence[RestBone]) -> float:
    """A rig's units per metre of our body.

    bones: as of ``floor``.
    """
    return build_of({bone.joint: bone for bone in bones}, None).size


def on_floor(points: np.ndarray, bones: Sequence[RestBone]) -> np.ndarray:
    """Where points (n, 3) of a rig's upright space are on the floor of a dance: x and z (n, 2), metres.

    bones: as of ``floor``.
    """
    build = build_of({bone.joint: bone for bone in bones}, None)
    places = (np.asarray(points, dtype=float) - build.floor) / build.size
    return places[:, :2] * (1.0, -1.0)


def floor(bones: Sequence[RestBone]) -> Floor:
    """The floor on which a rig stands at rest.

    bones: those of the legs and the pelvis must be among them.
    """
    by_joint = {bone.joint: bone for bone in bones}
    place = stood(by_joint)
    thighs, ankles = ((place[left] + place[right]) / 2 for left, right in (HIPS, _ANKLES))
    build = build_of(by_joint, None)
    height = float(build.floor[2])
    return Floor(height, float(np.linalg.norm(thighs - ankles)), float(ankles[2]) - height, build.floor[:2])


@dataclass(frozen=True)
class Build:
    """The proportions of a rig, in its units.

    size: the rig's units per metre of our body.
    floor: (3,) the point on the floor below the pelvis at rest.
    pelvis: (3,) the pelvis at rest.
    hips: (3,) the middle between the hips at rest.
    wide: how many times wider its hips are than ours in its size.
    """

    size: float
    floor: np.ndarray
    pelvis: np.ndarray
    hips: np.ndarray
    wide: float


def build_of(by_joint: Mapping[int, RestBone], ground: float | None) -> Build:
    """The proportions of a rig, from the length of its legs.

    The pelvis is where ours would be above its hips. The bone that carries legs and spine starts anywhere: higher, or
    on the floor.
    """
    place = stood(by_joint)
    middle = np.mean([place[hip] for hip in HIPS], axis=0)
    bones = [np.linalg.norm(place[lower] - place[upper]) for leg in LEGS for upper, lower in pairwise(leg[:3])]
    size = float(np.sum(bones)) / (2.0 * _LEG)
    pelvis = middle - (0.0, 0.0, size * OFFSETS[HIPS[0], 1])
    lower = min(float(place[ankle][2]) for ankle in _ANKLES)  # the other leg may be bent or in a step
    floor = lower - size * standing()[_ANKLES[0], 1] if ground is None else ground
    width = np.linalg.norm(place[HIPS[0]] - place[HIPS[1]]) / (2.0 * OFFSETS[HIPS[0], 0])
    return Build(size, np.array((pelvis[0], pelvis[1], floor)), pelvis, middle, float(width) / size)


def stood(by_joint: Mapping[int, RestBone]) -> dict[int, np.ndarray]:
    """Joint -> where its bone starts (3,) while the rig stands: at rest, or in the T-pose if that is known."""
    if by_joint[0].posed is None:
        return {joint: bone.head for joint, bone in by_joint.items()}
    align = alignments(by_joint)

    def place(joint: int) -> np.ndarray:
        bone = by_joint[joint]
        if bone.carrier < 0:
            return bone.head
        return place(bone.carrier) + quat.rotate(align[bone.carrier], bone.head - by_joint[bone.carrier].head)

    return {joint: place(joint) for joint in by_joint}


def alignments(by_joint: Mapping[int, RestBone]) -> dict[int, np.ndarray]:
    """D of every mapped joint. Trunk and feet keep their rest pose, which is part of how the rig is built, unless the
    T-pose is known."""
    known = {joint: bone.posed for joint, bone in by_joint.items() if bone.posed is not None}
    if known:
        return {joint: quat.mul(posed, quat.conjugate(by_joint[joint].rotation)) for joint, posed in known.items()}
    place = {JOINTS[joint]: bone.head for joint, bone in by_joint.items() if bone.share is None}
    for side in SIDES:
        place.setdefault(f"{side}_wrist", by_joint[JOINTS.index(f"{side}_elbow")].tail)
    found = rest.straighten(place, C, place.keys(), as_built=True)
    return {j: _IDENTITY if bone.share else found.get(JOINTS[j], _IDENTITY) for j, bone in by_joint.items()}


def heights_of(by_joint: Mapping[int, RestBone]) -> dict[int, float]:
    """Ankles and toes of a rig -> how high they are above the floor on which it stands at rest."""
    place, level = stood(by_joint), build_of(by_joint, None).floor[2]
    return {joint: float(place[joint][2] - level) for leg in LEGS for joint in leg[2:] if joint in place}


def drops(by_joint: Mapping[int, RestBone], size: float) -> list[float]:
    """How much lower left and right toes of a rig are than ankles while the soles are flat, against ours."""
    place = stood(by_joint)
    return [place[t][2] - place[a][2] - size * float(OFFSETS[t, 1]) if t in place else 0.0 for *_, a, t in LEGS]
