"""Armatures: whether one can dance or be read, and how its bones rest."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ..errors import UserError
from ..shared import FootlightError, humanoid, quaternion, retarget, skeleton

OVERRIDING = {"COPY_TRANSFORMS", "COPY_ROTATION", "ARMATURE", "IK"}
"""Constraints that, at full influence, leave nothing of a bone's own rotation."""

FOLLOWING = 3
"""Of the eight long bones of the limbs: where so many follow others, more than one limb does, and a dance on the
armature would not show."""


@dataclass(frozen=True)
class Rest:
    """bones: those that move with a joint.  turn: (3, 3), what stands the armature's own space upright; the bones are
    told in the upright space."""

    bones: tuple[retarget.RestBone, ...]
    turn: np.ndarray


def check(armature: bpy.types.Object) -> None:
    """Raises UserError, saying why and what to do, when ``armature`` is not a body that Footlight knows."""
    bones(armature)


def fits(armature: bpy.types.Object) -> bool:
    """Whether ``armature`` is a body that Footlight knows."""
    try:
        bones(armature)
    except UserError:
        return False
    return True


def check_writable(armature: bpy.types.Object) -> None:
    """Raises UserError, saying why and what to do, when ``armature`` cannot be given a dance."""
    mapped = bones(armature)
    if followed := _followed(armature, mapped):
        bone, other = followed
        raise UserError(
            f"{armature.name!r} is a control rig: its bone {bone} follows {other} by a constraint, so keys on it would "
            "not show. Choose the armature it was made from (Rigify's metarig, say), mute such constraints, or use Add "
            "Dancer."
        )
    pelvis = armature.data.bones[mapped["pelvis"]]
    if pelvis.use_connect:
        raise UserError(
            f"{armature.name!r} cannot travel: its bone {pelvis.name} is connected to {pelvis.parent.name}. Switch off "
            "Connected for it in Edit Mode (Bone properties, Relations)."
        )
    if not armature.is_editable:
        raise UserError(f"{armature.name!r} is linked from another file. Make a library override of it first.")
    if armature.animation_data and armature.animation_data.use_tweak_mode:
        raise UserError(f"{armature.name!r} has an NLA strip in tweak mode. Leave tweak mode (Tab in the NLA) first.")


def check_readable(armature: bpy.types.Object) -> None:
    """Raises UserError, saying why and what to do, when the animation of ``armature`` cannot be seen."""
    check(armature)
    check_moving(armature)


def check_moving(armature: bpy.types.Object) -> None:
    """Raises UserError, saying why and what to do, when ``armature`` is in a state in which it does not move."""
    if armature.data.is_editmode:
        raise UserError(f"{armature.name!r} is in Edit Mode, where it does not move. Leave Edit Mode (Tab) first.")
    if armature.data.pose_position == "REST":
        raise UserError(f"{armature.name!r} is in Rest Position, where it does not move. Choose Pose Position first.")
    if armature.hide_viewport:
        raise UserError(
            f"{armature.name!r} is disabled in viewports, where it does not move. Enable it in the Outliner first."
        )


def bones(armature: bpy.types.Object) -> dict[str, str]:
    """Our joints' names -> the bones that move with them.

    Raises UserError, saying what was found and what is missing, when ``armature`` is no humanoid.
    """
    if armature.type != "ARMATURE":
        raise UserError(f"{armature.name!r} is not an armature. Choose the dancer's armature.")
    tree = _skeleton(armature.data)
    try:
        found = humanoid.match(tree)
    except FootlightError:
        raise UserError(
            f"{armature.name!r} is no body that Footlight knows: among its {tree.joints} bones no two legs and arms "
            f"could be found{humanoid.lacking(tree)}. Rename its bones as Mixamo, VRM, Unreal or SMPL do, choose "
            "another armature, or use Add Dancer."
        ) from None
    mapped = {joint: tree.names[index] for joint, index in humanoid.movers(tree, found).items()}
    if _followed(armature, mapped):
        # The bones of a control rig are only read; that on which all of them hang need not turn with the hips.
        mapped["pelvis"] = tree.names[found.joints["pelvis"]]
    return mapped


def at_rest(armature: bpy.types.Object) -> Rest:
    """The bones that move with a joint, at rest. Raises UserError as ``bones``, and when it does not stand."""
    mapped = {joint: armature.data.bones[name] for joint, name in bones(armature).items()}
    try:
        turn = retarget.upright({joint: np.array(bone.head_local) for joint, bone in mapped.items()})
    except FootlightError as error:
        raise UserError(f"{armature.name!r} has {error}. Correct its rest pose in Edit Mode.") from None
    joint_of = {bone.name: skeleton.JOINTS.index(joint) for joint, bone in mapped.items()}
    return Rest(
        tuple(
            retarget.RestBone(
                bone.name,
                joint_of[bone.name],
                next((joint_of[above.name] for above in bone.parent_recursive if above.name in joint_of), -1),
                quaternion.from_matrix(turn @ np.array(bone.matrix_local.to_3x3())),
                turn @ np.array(bone.head_local),
                turn @ np.array(bone.tail_local),
            )
            for bone in mapped.values()
        ),
        turn,
    )


def _skeleton(armature: bpy.types.Armature) -> skeleton.Skeleton[np.ndarray]:
    """The bones as a tree of joints, in the armature's own axes and unit; Blender lists parents before children."""
    names = tuple(armature.bones.keys())
    index = {name: i for i, name in enumerate(names)}
    heads = np.array([bone.head_local for bone in armature.bones]).reshape(-1, 3)
    parents = tuple(index[bone.parent.name] if bone.parent else -1 for bone in armature.bones)
    above = np.array([heads[parent] if parent >= 0 else np.zeros(3) for parent in parents]).reshape(-1, 3)
    tips = {bone.name: np.array(bone.tail_local - bone.head_local) for bone in armature.bones if not bone.children}
    return skeleton.Skeleton(names, parents, heads - above, tips)


def _followed(armature: bpy.types.Object, mapped: dict[str, str]) -> tuple[str, str] | None:
    """A bone of the limbs and the one that it follows, where the bones of more than one limb follow others."""
    parts = [f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "shoulder", "elbow")]
    limbs = [mapped[part] for part in parts]
    found: dict[str, str] = {}
    for bone in armature.pose.bones:
        for constraint in bone.constraints:
            if constraint.type not in OVERRIDING or constraint.mute or constraint.influence < 0.99:
                continue
            held = [bone]
            if constraint.type == "IK":
                chain = [*([bone] if constraint.use_tail else ()), *bone.parent_recursive]
                held = chain[: constraint.chain_count or None] if constraint.target else []
            other = getattr(constraint, "subtarget", "") or "another object"
            found |= {one.name: other for one in held if one.name not in found}
    followers = [name for name in limbs if name in found]
    return (followers[0], found[followers[0]]) if len(followers) >= FOLLOWING else None
