"""How a rig stands: by its rest pose, or, where that is no body that stands, by its animation.

Files of captures are imported with all bones along one axis, for example. Their animation tells where the joints go.
"""

from __future__ import annotations

import json
from dataclasses import replace

import bpy
import numpy as np
from mathutils import Quaternion

from ..errors import UserError
from ..names import BONES_PROPERTY, PREFIX
from ..shared import FootlightError, calibration, proportions, quaternion
from ..shared import rest as poses
from . import controls, rigs, staging

STANDING = poses.Limits(trunk=45.0, level=45.0, thigh=110.0, shin=65.0, arm=150.0)
"""A rest pose that is taken as it is: rigs are made in other poses than people stand in, and some sit."""

POSED = poses.Limits(trunk=20.0, level=20.0, thigh=40.0, shin=40.0, arm=125.0)
"""A pose that somebody put a rig in, which is taken for a standing one."""

SAMPLES = 120
"""Frames of an animation that are looked at."""

MOVES = 0.05
"""Of the length of a thigh: what moves less in an animation tells nothing."""

FOLDED = 60.0
"""Degrees between trunk and thighs below which a body is folded."""

TWISTED = 100.0
"""Degrees between the lines through hips and shoulders above which left and right are exchanged."""

KEPT = f"{PREFIX}t_pose"
"""The property of an action that keeps the T-pose that its dance was written by, or that it was the rest pose."""

AS_BUILT = ""
"""The text of a rest pose that nobody stands in."""

UP = (0.0, 1.0, 0.0)


def rests_of(
    scene: bpy.types.Scene | None, armature: bpy.types.Object, keyed: controls.Controls
) -> tuple[rigs.Rest, rigs.Rest]:
    """The ``keyed`` bones at rest, and ``rest_of`` the body; the animation is looked at once. Raises as ``rest_of``."""
    body = rest_of(scene, armature)
    same = body.known and not keyed.leaders
    return (body if same else rigs.at_rest(armature, keyed)), body


def rest_of(scene: bpy.types.Scene | None, armature: bpy.types.Object) -> rigs.Rest:
    """As ``rigs.at_rest``, or as the user let it stand by ``take``. Where the rest pose is no body that stands, with
    the T-pose that something else tells: the dance that was written last, a pose of the animation, the animation as a
    whole, or the pose that the rig is in.

    Raises UserError as ``rigs.at_rest``, and when nothing tells how a folded body stands.
    """
    mapped = rigs.bones(armature)
    if found := _read(getattr(getattr(armature, BONES_PROPERTY, None), "stance", ""), armature, mapped):
        return found
    if _stands(armature, mapped) or scene is None:
        return rigs.at_rest(armature)
    frames = staging.sampled(scene, armature, SAMPLES)
    found = remembered(armature, mapped) or _calibrated(scene, armature, mapped, frames)
    if found is None and _folded(armature, mapped):
        raise UserError(
            f"The rest pose of {armature.name!r} is folded, and no animation tells how it stands. Pose it as a T and "
            "try again, or give it back the animation that it was imported with."
        )
    return found or rigs.at_rest(armature)


def take(scene: bpy.types.Scene, armature: bpy.types.Object) -> None:
    """Take the pose that ``armature`` is in for the one that it stands in, in place of its rest pose.

    Raises UserError as ``rigs.bones``, for a control rig, and when nobody stands in that pose.
    """
    mapped = rigs.bones(armature)
    if rigs.keyed_bones(armature).leaders:
        raise UserError(f"{armature.name!r} is a control rig, which stands as its rest pose does.")
    found = _calibrated(scene, armature, mapped, [scene.frame_current])
    if found is None:
        raise UserError(
            f"Nobody stands in the pose of {armature.name!r}. Pose it upright, with arms as in a T or an A."
        )
    getattr(armature, BONES_PROPERTY).stance = _text(found)


def stands(armature: bpy.types.Object) -> bool:
    """Whether the rest pose of ``armature`` is that of a body that stands."""
    return _stands(armature, rigs.bones(armature))


def told(armature: bpy.types.Object) -> str:
    """What to do with a rest pose that is no body that stands, where no animation tells more."""
    return (
        f"The rest pose of {armature.name!r} is no body that stands, so the dance may be bent. Pose it as a T and "
        "apply that (Pose Mode, Pose > Apply > Apply Pose as Rest Pose)."
    )


def remember(armature: bpy.types.Object, action: bpy.types.Action, rest: rigs.Rest) -> None:
    """Keep with an action by which T-pose its dance was written, as it cannot be told as well from the dance."""
    if rest.known or not stands(armature):
        action[KEPT] = _text(rest) if rest.known else AS_BUILT


def remembered(armature: bpy.types.Object, mapped: dict[str, str]) -> rigs.Rest | None:
    """The T-pose that was kept with the dance that ``armature`` has; None where there is none, or of another rig."""
    action = staging.dance_of(armature)
    if action is None or KEPT not in action:
        return None
    return rigs.at_rest(armature) if action[KEPT] == AS_BUILT else _read(action[KEPT], armature, mapped)


def _text(rest: rigs.Rest) -> str:
    """A known T-pose as text."""
    posed = {bone.name: bone.posed.tolist() for bone in rest.bones if bone.posed is not None}
    between = {name: turn.tolist() for name, turn in rest.between.items()}
    return json.dumps({"posed": posed, "between": between, "turn": rest.turn.tolist()})


def _read(text: str, armature: bpy.types.Object, mapped: dict[str, str]) -> rigs.Rest | None:
    """The T-pose of a ``text``; None where there is none, or of another rig."""
    if not text:
        return None
    kept = json.loads(text)
    names = armature.data.bones.keys()
    if kept["posed"].keys() != set(mapped.values()) or not kept["between"].keys() <= set(names):
        return None
    posed, between = ({name: np.array(turn) for name, turn in kept[key].items()} for key in ("posed", "between"))
    return _known(armature, np.array(kept["turn"]), posed, between)


def _stands(armature: bpy.types.Object, mapped: dict[str, str]) -> bool:
    parts = {joint: name for joint, name in mapped.items() if not joint.endswith("foot") and joint != "head"}
    return poses.stands({j: np.array(armature.data.bones[name].head_local) for j, name in parts.items()}, STANDING)


def _folded(armature: bpy.types.Object, mapped: dict[str, str]) -> bool:
    """Whether nobody can be in the rest pose of ``armature``: head by the knees, or left and right exchanged."""
    at = {joint: np.array(armature.data.bones[name].head_local) for joint, name in mapped.items()}
    hips, shoulders, knees = (at[f"left_{part}"] + at[f"right_{part}"] for part in ("hip", "shoulder", "knee"))
    wide, broad = (at[f"left_{part}"] - at[f"right_{part}"] for part in ("hip", "shoulder"))
    return bool(_angle(shoulders - hips, knees - hips) < FOLDED or _angle(wide, broad) > TWISTED)


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12), -1.0, 1.0))))


def _calibrated(
    scene: bpy.types.Scene, armature: bpy.types.Object, mapped: dict[str, str], frames: list[int]
) -> rigs.Rest | None:
    """The bones with their orientations in the T-pose; None where the poses in these frames do not tell them."""
    names, between = list(mapped.values()), _between(armature, mapped)
    with staging.evaluated(scene, armature) as on:
        shown = [
            (staging.stance(rig, names)[1], [rig.pose.bones[name].matrix_basis.to_quaternion() for name in between])
            for rig in (on(frame) for frame in frames)
        ]
    matrices = np.array([stance for stance, _ in shown])
    places = {joint: matrices[:, i, :3, 3] for i, joint in enumerate(mapped)}
    lift = _lift(places)
    at = {joint: quaternion.rotate(lift, place) for joint, place in places.items()}
    turns = {
        joint: quaternion.mul(lift, quaternion.orientation(matrices[:, i, :3, :3])) for i, joint in enumerate(mapped)
    }
    if not calibration.sides_agree(at):
        raise UserError(
            f"Left and right of {armature.name!r} cannot be told: its rest pose is folded, and its animation has arms, "
            "legs, knees or feet on the other side. Rename its bones as Mixamo, VRM, Unreal or SMPL do."
        )
    try:
        posed = _posed(at, turns)
    except FootlightError:
        return None
    if posed is None or not mapped.keys() <= posed.keys():
        return None
    inner = {name: calibration.mean(np.array([basis[i] for _, basis in shown])) for i, name in enumerate(between)}
    turn = proportions.to_blender(quaternion.rotate(lift, np.eye(3))).T
    turned = {name: quaternion.mul(proportions.C, posed[joint]) for joint, name in mapped.items()}
    return _known(armature, turn, turned, inner)


def _posed(at: dict[str, np.ndarray], turns: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """The orientations (4,) of bones in the T-pose, by our joints; None where they cannot be told.

    at, turns: places (t, 3) and rotations (t, 4) of the bones, y up.
    """
    thigh = np.linalg.norm(at["left_knee"] - at["left_hip"], axis=-1).mean()
    still = max(np.ptp(place - at["pelvis"], axis=0).max() for place in at.values()) < MOVES * thigh
    first = {joint: place[0] for joint, place in at.items()}
    if poses.stands(first, POSED if still else poses.SPREAD):
        index = {joint: i for i, joint in enumerate(at)}
        pose = poses.Pose(np.array([turns[joint][0] for joint in at]), np.array([first[joint] for joint in at]))
        turned, own = poses.t_posed(poses.Joints(index, index, ()), pose)
        return {joint: quaternion.mul(quaternion.conjugate(own), turn) for joint, turn in turned.items()}
    return None if still else calibration.t_pose(at, {"spine3": turns["pelvis"]} | turns)


def _between(armature: bpy.types.Object, mapped: dict[str, str]) -> list[str]:
    """The bones that are between others of the body and move with no joint of ours, those above before those below."""
    body, found = set(mapped.values()), set()
    for name in body:
        line = [bone.name for bone in armature.data.bones[name].parent_recursive]
        at = next((i for i, one in enumerate(line) if one in body), 0)
        found |= {*line[:at]}
    return [bone.name for bone in armature.data.bones if bone.name in found]


def _known(
    armature: bpy.types.Object, turn: np.ndarray, posed: dict[str, np.ndarray], between: dict[str, np.ndarray]
) -> rigs.Rest:
    """The bones of a rig whose T-pose is known.

    They are at rest where the bones between them put them: these keep a pose that is theirs while the body stands.

    posed: bone -> its orientation (4,) in the T-pose, in upright space.
    between: bone -> its pose (4,).
    """
    at: dict[str, np.ndarray] = {}
    for bone in armature.data.bones:
        own = np.array(bone.matrix_local)
        if bone.parent:
            own = at[bone.parent.name] @ np.linalg.inv(np.array(bone.parent.matrix_local)) @ own
        if bone.name in between:
            own = own @ np.array(Quaternion(between[bone.name]).to_matrix().to_4x4())
        at[bone.name] = own
    rest = rigs.at_rest(armature, None, turn)
    bones = (
        replace(
            bone,
            rotation=quaternion.from_matrix(turn @ at[bone.name][:3, :3]),
            head=turn @ at[bone.name][:3, 3],
            tail=turn @ at[bone.name][:3, :3] @ (0.0, armature.data.bones[bone.name].length, 0.0)
            + turn @ at[bone.name][:3, 3],
            posed=posed[bone.name],
        )
        for bone in rest.bones
    )
    return rigs.Rest(tuple(bones), turn, between)


def _lift(places: dict[str, np.ndarray]) -> np.ndarray:
    """The rotation (4,) that turns the axis along which the body stands most to y."""
    shoulders, ankles = (places[f"left_{part}"] + places[f"right_{part}"] for part in ("shoulder", "ankle"))
    mean = (shoulders - ankles).mean(axis=0)
    up = np.zeros(3)
    up[np.abs(mean).argmax()] = np.sign(mean[np.abs(mean).argmax()])
    return quaternion.between(up, np.array(UP))
