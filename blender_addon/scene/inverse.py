"""Inverse kinematics of Rigify's rigs: hands, feet and poles are keyed, so that feet stay easy to edit.

A hand or a foot control goes rigidly with the hand or foot of the dance, and a pole stands where the limb bends to. The
controls hang on nothing that the dance moves but the root bone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import bpy
import numpy as np

from ..names import BONES_PROPERTY
from ..shared import posing, quaternion, retarget, skeleton, thinning
from . import controls

FK = "FK"
IK = "IK"

_BENT = 0.02
"""Of a limb's length: where the middle joint is nearer to the straight limb, the bone above tells where it bends to."""


@dataclass(frozen=True)
class Limb:
    """A limb's controls.

    joints: ours at its start, middle and end.  end, pole: the controls of hand or foot, and of where the limb bends to.
    owner: the bone with the properties.  further: controls that turn as another one does -> that other one.
    """

    joints: tuple[str, str, str]
    end: str
    pole: str
    owner: str
    further: tuple[tuple[str, str], ...] = ()


LIMBS = tuple(
    limb
    for side, s in (("left", "L"), ("right", "R"))
    for limb in (
        Limb(
            (f"{side}_hip", f"{side}_knee", f"{side}_ankle"),
            f"foot_ik.{s}",
            f"thigh_ik_target.{s}",
            f"thigh_parent.{s}",
            ((f"toe_ik.{s}", f"toe_fk.{s}"),),
        ),
        Limb(
            (f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"),
            f"hand_ik.{s}",
            f"upper_arm_ik_target.{s}",
            f"upper_arm_parent.{s}",
        ),
    )
)
"""Of a rig that Rigify generated."""


PROPERTIES = {"pole_vector": 1.0, "pole_parent": 1.0, "IK_parent": 1.0}
"""Of a limb: that its pole counts, and that pole and hand or foot hang on the root bone."""


@dataclass(frozen=True)
class Keys:
    """Keys of such controls.

    rotations: bone -> (t, 4).  travels: bone -> (t, 3), along the armature's axes.  values: bone and property -> its
    value.  controls: those that travel.  led: our joints whose places these decide.  joints: bone -> the joint at the
    start of its limb.
    """

    rotations: dict[str, np.ndarray] = field(default_factory=dict)
    travels: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    controls: tuple[posing.Control, ...] = ()
    led: frozenset[int] = frozenset()
    joints: dict[str, str] = field(default_factory=dict)


def possible(armature: bpy.types.Object) -> bool:
    """Whether ``armature`` has such controls."""
    bones = armature.pose.bones
    return all(name in bones for limb in LIMBS for name in (limb.end, limb.pole, limb.owner))


def wanted(armature: bpy.types.Object) -> bool:
    """Whether the user wants them keyed, and there are any."""
    return getattr(getattr(armature, BONES_PROPERTY, None), "keys", FK) == IK and possible(armature)


def led(keyed: controls.Controls) -> controls.Controls:
    """``keyed``, with switches that let inverse kinematics lead."""
    owners = {limb.owner for limb in LIMBS}
    turned = tuple(
        replace(one, value=0.0, on=one.off, off=one.on)
        if one.bone in owners and one.path.endswith('["IK_FK"]')
        else one
        for one in keyed.switches
    )
    return replace(keyed, switches=turned)


def keys(
    armature: bpy.types.Object,
    keyed: retarget.Keys,
    placed: Mapping[int, tuple[np.ndarray, np.ndarray]],
    rest: Mapping[int, retarget.RestBone],
    turn: np.ndarray,
) -> Keys:
    """The keys of hands, feet and poles for a dance.

    placed: of ``keyed``, without what the root bone or the object does.  rest: our joint -> its bone.
    turn: of ``rigs.Rest``.
    """
    rotations, travels, values, stood, joints = {}, {}, {}, [], {}
    for limb in LIMBS:
        upper, middle, end = (skeleton.JOINTS.index(joint) for joint in limb.joints)
        bone = armature.data.bones[limb.end]
        whole, start = placed[end]
        own = quaternion.from_matrix(turn @ np.array(bone.matrix_local.to_3x3()))
        head = turn @ np.array(bone.head_local)
        moved = quaternion.mul(quaternion.conjugate(own), quaternion.mul(whole, own))
        rotations[limb.end] = quaternion.continuous(moved)
        place = start + quaternion.rotate(whole, head - rest[end].head)
        travels[limb.end] = (place - head) @ turn
        pole = turn @ np.array(armature.data.bones[limb.pole].head_local)
        travels[limb.pole] = (_pole(placed, (upper, middle, end), pole, rest) - pole) @ turn
        values |= {(limb.owner, name): value for name, value in PROPERTIES.items()}
        foot = thinning.FEET.index(end) if end in thinning.FEET else -1
        reach = float(np.linalg.norm(pole - rest[middle].head))
        stood += [posing.Control(limb.end, foot), posing.Control(limb.pole, reach=reach)]
        joints |= dict.fromkeys((limb.end, limb.pole, *(name for name, _ in limb.further)), limb.joints[0])
        for name, other in limb.further:
            if name in armature.pose.bones and other in keyed.rotations:
                rotations[name] = keyed.rotations[other]
    return Keys(rotations, travels, values, tuple(stood), frozenset(thinning.ENDS), joints)


def _pole(
    placed: Mapping[int, tuple[np.ndarray, np.ndarray]],
    joints: tuple[int, int, int],
    pole: np.ndarray,
    rest: Mapping[int, retarget.RestBone],
) -> np.ndarray:
    """Where the pole is (t, 3): as far from the middle joint as at rest, where the limb bends to."""
    upper, middle, end = (placed[joint][1] for joint in joints)
    line = quaternion.unit(end - upper)
    out = middle - upper - ((middle - upper) * line).sum(-1, keepdims=True) * line
    limb = np.linalg.norm(end - upper, axis=-1, keepdims=True)
    along = quaternion.rotate(placed[joints[0]][0], pole - rest[joints[1]].head)
    along = quaternion.unit(along - (along * line).sum(-1, keepdims=True) * line)
    straight = np.clip(1.0 - np.linalg.norm(out, axis=-1, keepdims=True) / (_BENT * limb), 0.0, 1.0)
    aside = _aside([rest[joint].head for joint in joints], pole)
    bend = np.cos(aside) * quaternion.unit(out) + np.sin(aside) * np.cross(line, quaternion.unit(out))
    way = quaternion.unit(bend * (1.0 - straight) + along * straight)
    return middle + np.linalg.norm(pole - rest[joints[1]].head) * way


def _aside(limb: list[np.ndarray], pole: np.ndarray) -> float:
    """The angle about a limb at rest from where it bends to its pole: as they are there, the solver keeps them.

    limb: the places (3,) of its start, middle and end.
    """
    upper, middle, end = limb
    line = quaternion.unit(end - upper)
    out, way = (one - (one @ line) * line for one in (middle - upper, pole - middle))
    return float(np.arctan2(np.cross(out, way) @ line, out @ way))
