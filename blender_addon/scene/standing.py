"""How a rig stands: by its rest pose, or, where that is no body that stands, by its animation.

Files of captures are imported with all bones along one axis, for example. Their animation tells where the joints go.
"""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np

from ..shared import FootlightError, calibration, quaternion, retarget, skeleton
from ..shared import rest as poses
from . import controls, rigs, staging

STANDING = poses.Limits(trunk=45.0, leg=65.0, arm=150.0)
"""A rest pose that is taken as it is: rigs are made in other poses than people stand in."""

SAMPLES = 120
"""Frames of an animation that are looked at."""

MOVES = 0.05
"""Of the length of a thigh: what moves less in an animation tells nothing."""

UP = (0.0, 1.0, 0.0)


def rest_of(
    scene: bpy.types.Scene | None, armature: bpy.types.Object, keyed: controls.Controls | None = None
) -> rigs.Rest:
    """As ``rigs.at_rest``; the T-pose is found from the animation where the rest pose is no body that stands. Raises
    UserError as ``rigs.at_rest`` when the animation tells nothing either."""
    mapped = rigs.bones(armature)
    if _stands(armature, mapped) or scene is None or (keyed and keyed.leaders):
        return rigs.at_rest(armature, keyed)
    return _calibrated(scene, armature, mapped) or rigs.at_rest(armature, keyed)


def stands(armature: bpy.types.Object) -> bool:
    """Whether the rest pose of ``armature`` is that of a body that stands."""
    return _stands(armature, rigs.bones(armature))


def told(armature: bpy.types.Object) -> str:
    """What to do with a rest pose that is no body that stands, where no animation tells more."""
    return (
        f"The rest pose of {armature.name!r} is no body that stands, so the dance may be bent. Pose it as a T and "
        "apply that (Pose Mode, Pose > Apply > Apply Pose as Rest Pose)."
    )


def _stands(armature: bpy.types.Object, mapped: dict[str, str]) -> bool:
    parts = {joint: name for joint, name in mapped.items() if not joint.endswith("foot") and joint != "head"}
    return poses.stands({j: np.array(armature.data.bones[name].head_local) for j, name in parts.items()}, STANDING)


def _calibrated(scene: bpy.types.Scene, armature: bpy.types.Object, mapped: dict[str, str]) -> rigs.Rest | None:
    """The bones with their orientations in the T-pose; None where the animation does not tell them."""
    names = list(mapped.values())
    with staging.evaluated(scene, armature) as on:
        frames = staging.sampled(scene, armature, SAMPLES)
        matrices = np.array([staging.stance(on(frame), names)[1] for frame in frames])
    places = {joint: matrices[:, i, :3, 3] for i, joint in enumerate(mapped)}
    thigh = np.linalg.norm(places["left_knee"] - places["left_hip"], axis=-1).mean()
    if max(np.ptp(place - places["pelvis"], axis=0).max() for place in places.values()) < MOVES * thigh:
        return None
    lift = _lift(places)
    turns = {
        joint: quaternion.mul(lift, quaternion.orientation(matrices[:, i, :3, :3])) for i, joint in enumerate(mapped)
    }
    try:
        posed = calibration.t_pose(
            {joint: quaternion.rotate(lift, place) for joint, place in places.items()},
            {"spine3": turns["pelvis"]} | turns,
        )
    except FootlightError:
        return None
    turn = retarget.to_blender(quaternion.rotate(lift, np.eye(3))).T
    rest = rigs.at_rest(armature, None, turn)
    if not {skeleton.JOINTS[bone.joint] for bone in rest.bones} <= posed.keys():
        return None
    bones = (replace(bone, posed=quaternion.mul(retarget.C, posed[skeleton.JOINTS[bone.joint]])) for bone in rest.bones)
    return rigs.Rest(tuple(bones), turn)


def _lift(places: dict[str, np.ndarray]) -> np.ndarray:
    """The rotation (4,) that turns the axis along which the body stands most to y."""
    shoulders, ankles = (places[f"left_{part}"] + places[f"right_{part}"] for part in ("shoulder", "ankle"))
    mean = (shoulders - ankles).mean(axis=0)
    up = np.zeros(3)
    up[np.abs(mean).argmax()] = np.sign(mean[np.abs(mean).argmax()])
    return quaternion.between(up, np.array(UP))
