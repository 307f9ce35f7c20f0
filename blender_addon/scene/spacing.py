"""Which frames of a dance are keyed, and the groups that its channels are in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..shared import posing, proportions, quaternion, retarget, thinning
from . import inverse, rigs, travelling
from .keying import Curve

HIPS = "Hips"
GROUPS = {
    joint: HIPS if joint == "pelvis" else "Spine" if joint.startswith("spine") else "Head"
    for joint in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
} | {
    f"{side}_{part}": f"{side.title()} {limb}"
    for side in ("left", "right")
    for limb, parts in (("Arm", ("collar", "shoulder", "elbow", "wrist")), ("Leg", ("hip", "knee", "ankle", "foot")))
    for part in parts
}
"""Our joint -> the group of its channels."""


@dataclass(frozen=True)
class Written:
    """What was keyed.

    keys: how many there are.
    dense: how many there were with one a frame.
    errors: how far the curves are off the dance; None where every frame is keyed with straight curves between.
    """

    keys: int
    dense: int
    errors: thinning.Errors | None

    @property
    def properties(self) -> dict[str, float]:
        """What an action keeps of it, without the prefix."""
        if self.errors is None:
            return {}
        found = {"keys": self.keys, "keys_dense": self.dense, "keys_degrees": self.errors.degrees}
        return found | {"keys_millimetres": self.errors.millimetres, "keys_slide": 100 * self.errors.slide}


def spaced(
    curves: Iterable[Curve],
    options: thinning.Spacing,
    tracks: Mapping[posing.Track, posing.Channels],
    body: posing.Body,
    stands: np.ndarray | None,
    fps: float,
) -> tuple[list[Curve], Written]:
    """The curves with the keys that are wanted. Parameters are those of ``thinning.spaced``."""
    found, errors = list(curves), None
    if options != thinning.EVERY_FRAME:
        keys, errors = thinning.spaced(options, body, tracks, stands, fps)
        found = [replace(curve, keys=keys[curve.track]) if curve.track else curve for curve in found]
    moving = [curve for curve in found if curve.track]
    count = sum(len(curve.values) if curve.keys is None else len(curve.keys.at) for curve in moving)
    return found, Written(count, sum(len(curve.values) for curve in moving), errors)


def body(rest: rigs.Rest, led: inverse.Keys, travel: travelling.Travel) -> posing.Body:
    """The rig as it is keyed: without the bones that are moved by inverse kinematics or travel by themselves, and those
    that these carry."""
    by_joint = {bone.joint: bone for bone in rest.bones}
    own = {*led.unread, *(bone.name for bone in rest.bones if bone.goes_with >= 0)}

    def is_free(joint: int) -> bool:
        return joint < 0 or (by_joint[joint].name not in own and is_free(by_joint[joint].parent))

    bones = [bone for bone in rest.bones if is_free(bone.joint)]
    return posing.Body(bones, proportions.size(rest.bones), tuple(led.controls), travel.carries)


def tracks(
    turned: Mapping[str, posing.Channels], danced: retarget.Keys, led: inverse.Keys, rest: rigs.Rest
) -> dict[posing.Track, posing.Channels]:
    """What is keyed of a dance.

    turned: bone -> its rotations.
    """
    hips = next(bone for bone in rest.bones if bone.joint == 0)
    found = {(bone, posing.TURN): one for bone, one in turned.items()}
    found |= {(bone, posing.PLACE): posing.Channels(way @ rest.turn.T) for bone, way in led.travels.items()}
    return found | {posing.WAY: posing.Channels(quaternion.rotate(hips.rotation, danced.location))}


def grouped(
    curves: list[Curve], armature: bpy.types.Object, bones: Mapping[str, str], further: Mapping[str, str]
) -> list[Curve]:
    """The curves in groups by limb: a bone belongs where the next of ours does that carries it, or else to the hips.

    bones: our joint -> its bone.
    further: bone -> our joint.
    """
    joint_of = {**{bone: joint for joint, bone in bones.items()}, **further}

    def group(name: str) -> str:
        bone = armature.data.bones.get(name)
        line = (one.name for one in (bone, *bone.parent_recursive)) if bone else ()
        return next((GROUPS[joint_of[one]] for one in line if one in joint_of), HIPS if bone else name)

    groups = {name: group(name) for name in {curve.group for curve in curves}}
    return [replace(curve, group=groups[curve.group]) for curve in curves]
