"""Armatures: whether one can dance or be read, and how its bones rest."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ..errors import UserError
from ..rigs import bonemaps, retarget
from ..rigs.quaternion import from_matrix


@dataclass(frozen=True)
class Rest:
    """bones: those that move with a joint.  turn: (3, 3), what stands the armature's own space upright; the bones are
    told in the upright space."""

    bones: tuple[retarget.RestBone, ...]
    turn: np.ndarray


def check(armature: bpy.types.Object) -> None:
    """Raises UserError, saying why and what to do, when ``armature`` is not a body that Footlight knows."""
    if armature.type != "ARMATURE":
        raise UserError(f"{armature.name!r} is not an armature. Choose the dancer's armature.")
    names = armature.data.bones.keys()
    if not bonemaps.match(names):
        lacking = ", ".join(bonemaps.missing(names)[:4])
        known = ", ".join(bonemaps.MAPS)
        raise UserError(
            f"{armature.name!r} is not a rig that Footlight knows ({known}): it has no bone {lacking}. "
            "Use Add Dancer, or choose another armature."
        )


def check_writable(armature: bpy.types.Object) -> None:
    """Raises UserError, saying why and what to do, when ``armature`` cannot be given a dance."""
    check(armature)
    if not armature.is_editable:
        raise UserError(f"{armature.name!r} is linked from another file. Make a library override of it first.")
    if armature.animation_data and armature.animation_data.use_tweak_mode:
        raise UserError(f"{armature.name!r} has an NLA strip in tweak mode. Leave tweak mode (Tab in the NLA) first.")


def check_readable(armature: bpy.types.Object) -> None:
    """Raises UserError, saying why and what to do, when the animation of ``armature`` cannot be seen."""
    check(armature)
    if armature.data.is_editmode:
        raise UserError(f"{armature.name!r} is in Edit Mode, where it does not move. Leave Edit Mode (Tab) first.")
    if armature.data.pose_position == "REST":
        raise UserError(f"{armature.name!r} is in Rest Position, where it does not move. Choose Pose Position first.")
    if armature.hide_viewport:
        raise UserError(
            f"{armature.name!r} is disabled in viewports, where it does not move. Enable it in the Outliner first."
        )


def at_rest(armature: bpy.types.Object) -> Rest:
    """The bones that move with a joint, at rest. Raises UserError as ``check``."""
    check(armature)
    mapped = {joint: armature.data.bones[name] for joint, name in bonemaps.match(armature.data.bones.keys()).items()}
    turn = retarget.upright({joint: np.array(bone.head_local) for joint, bone in mapped.items()})
    bones = (
        retarget.RestBone(
            bone.name,
            joint,
            from_matrix(turn @ np.array(bone.matrix_local.to_3x3())),
            turn @ np.array(bone.head_local),
            turn @ np.array(bone.tail_local),
        )
        for joint, bone in mapped.items()
    )
    return Rest(tuple(bones), turn)
