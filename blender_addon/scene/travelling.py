"""What carries a dance about: the hips, a root bone, or the armature's object.

The way along the floor goes to what the user chose. The hips keep what is left: up and down, or all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from ..names import BONES_PROPERTY
from ..shared import posing, retarget
from . import controls, staging, under
from .floors import ORIGIN
from .keying import Curve

HIPS = "HIPS"
ROOT = "ROOT"
OBJECT = "OBJECT"


@dataclass(frozen=True)
class Travel:
    """How a dance travels.

    curves: of locations.
    bones: those whose location is keyed.
    away: (t, 3) by how much the object itself is moved, along the armature's axes.
    below: (t, 3) by how much the root bone is.
    root: that bone, where it is moved.
    origin: (3,) where the object stood before; None where it is not moved.
    said: what the user should know; "" for nothing.
    """

    curves: tuple[Curve, ...]
    bones: tuple[str, ...]
    away: np.ndarray
    below: np.ndarray
    origin: np.ndarray | None = None
    root: str = ""
    said: str = ""

    @property
    def carries(self) -> bool:
        """Whether something else than the hips goes the way along the floor."""
        return bool(self.away.any() or self.below.any())


def of(armature: bpy.types.Object, keys: retarget.Keys, turn: np.ndarray) -> Travel:
    """How a dance with these ``keys`` travels on ``armature``.

    turn: of ``rigs.Rest``.
    """
    whole = keys.location @ np.array(armature.data.bones[keys.root].matrix_local.to_3x3()).T
    up = turn[2]
    level = whole - (whole @ up)[:, None] * up
    carrier = _carrier(armature, keys.root)
    wanted, why = _possible(armature, carrier)
    still = np.zeros_like(whole)
    if wanted == ROOT:
        root = _root(armature, carrier)
        curves = (*bone_curves(root, level, posing.WAY), *bone_curves(carrier, whole - level, posing.WAY))
        return Travel(curves, (root.name, carrier.name), still, level, root=root.name)
    if wanted == OBJECT:
        origin = _origin(armature)
        places = origin + level @ np.array(armature.matrix_basis.to_3x3()).T
        moved = [Curve("location", i, places[:, i], "Object Transforms", posing.WAY) for i in range(3)]
        curves = (*moved, *bone_curves(carrier, whole - level, posing.WAY))
        return Travel(curves, (carrier.name,), level, still, origin)
    return Travel(tuple(bone_curves(carrier, whole, posing.WAY)), (carrier.name,), still, still, said=why)


def _possible(armature: bpy.types.Object, carrier: bpy.types.Bone) -> tuple[str, str]:
    """What is to carry the dance, and why it is not what the user chose; "" where it is."""
    wanted = getattr(getattr(armature, BONES_PROPERTY, None), "travel", HIPS)
    if wanted == ROOT and (carrier.parent is None or _root(armature, carrier).use_connect):
        return HIPS, f"{armature.name!r} has no bone above its hips, so the hips carry the dance about."
    if wanted == OBJECT:
        data, moved = armature.animation_data, set()
        if data and data.action and data.action_slot and ORIGIN not in data.action:
            moved = under.own_paths(data.action, data.action_slot)
        if "location" in moved or any(not constraint.mute for constraint in armature.constraints):
            return HIPS, f"The object {armature.name!r} moves by itself, so the hips carry the dance about."
    return wanted, ""


def _origin(armature: bpy.types.Object) -> np.ndarray:
    """Where the object stood before any dance moved it (3,)."""
    action = staging.dance_of(armature)
    return np.array(action[ORIGIN] if action is not None and ORIGIN in action else armature.location)


def bone_curves(bone: bpy.types.Bone, travel: np.ndarray, track: posing.Track) -> list[Curve]:
    """The curves of a bone that travels (t, 3) along the armature's axes.

    track: of ``Curve``.
    """
    location = _located(bone, travel)
    path = f"{controls.bone_path(bone.name)}.location"
    return [Curve(path, i, location[:, i], bone.name, track) for i in range(3)]


def _carrier(armature: bpy.types.Object, name: str) -> bpy.types.Bone:
    """The bone that takes ``name`` along when it travels: itself, or the one on which it hangs by connected bones,
    which have no location of their own."""
    bone = armature.data.bones[name]
    while bone.use_connect and bone.parent:
        bone = bone.parent
    return bone


def _root(armature: bpy.types.Object, bone: bpy.types.Bone) -> bpy.types.Bone:
    """The bone above all others that carry ``bone``. One of a control rig that follows another is carried by that."""
    top = bone.parent_recursive[-1] if bone.parent else bone
    for _, constraint in controls.active([armature.pose.bones[top.name]]):
        target, name = controls.first_target(constraint)
        follows = constraint.type in controls.LEADING and controls.is_full(constraint)
        if follows and target == armature and name in armature.data.bones:
            return _root(armature, armature.data.bones[name])
    return top


def _located(bone: bpy.types.Bone, travel: np.ndarray) -> np.ndarray:
    """Travel (t, 3) along the armature's axes as a bone's location channels take it."""
    if bone.use_local_location:
        return travel @ np.array(bone.matrix_local.to_3x3())
    if bone.parent is None:
        return travel  # it moves along the armature's axes
    above = bone.parent.matrix_local

    def moved(offset: tuple[float, float, float]) -> np.ndarray:
        return np.array(
            bone.convert_local_to_pose(
                Matrix.Translation(offset), bone.matrix_local, parent_matrix=above, parent_matrix_local=above
            ).translation
        )

    axes = np.stack([moved(tuple(axis)) - moved((0.0, 0.0, 0.0)) for axis in np.eye(3)], axis=1)
    return travel @ np.linalg.inv(axes).T
