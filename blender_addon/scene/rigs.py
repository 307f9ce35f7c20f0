"""Armatures: whether one can dance or be read, and how its bones rest."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import bpy
import numpy as np

from ..errors import UserError
from ..names import BONES_PROPERTY
from ..shared import FootlightError, ends, mapping, named_limbs, proportions, quaternion, sharing, skeleton
from . import controls

SUPPORTED = (
    "Rename its bones as Mixamo, VRM, Unreal or SMPL do, pick them under Bones, choose another armature, or press Add "
    "Dancer. The page docs/rigs.md of the manual lists the rigs that dance."
)
"""What to do with an armature that is no body."""

OVERRIDE = (
    "Make a library override of it first: select it in the 3D Viewport, then Object > Library Override > Make, and "
    "choose the new armature under Dancer."
)
"""What to do with a linked character. The menu is the same from Blender 4.5 to 5.2."""


@dataclass(frozen=True)
class Rest:
    """The bones of an armature at rest.

    bones: those that move with a joint, or those that are keyed.
    turn: (3, 3), what stands the armature's own space upright; the bones are told in the upright space.
    between: bones between them -> their pose (4,) in the T-pose, if it is not their rest.
    """

    bones: tuple[proportions.RestBone, ...]
    turn: np.ndarray
    between: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether the T-pose of the bones is known otherwise than by the rest pose."""
        return self.bones[0].posed is not None


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
    found = controls.led_by(armature, bones(armature))
    if found and not keyed_bones(armature).leaders:
        bone, other, leader = found
        if fits(leader):
            raise UserError(
                f"{armature.name!r} is moved by a control rig: its bone {bone} follows {other} of {leader.name!r} by a "
                f"constraint, so keys on it would not show. Choose {leader.name!r} under Dancer, and {armature.name!r} "
                "dances along; or mute these constraints."
            )
    if not armature.is_editable:
        raise UserError(f"{armature.name!r} is linked from another file. {OVERRIDE}")
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
    mapped, pelvis = _matched(armature)
    if controls.follows(armature, mapped, controls.LEADING) and "pelvis" not in chosen(armature):
        # What carries all bones of a control rig need not turn with the hips.
        mapped["pelvis"] = pelvis
    return mapped


def keyed_bones(armature: bpy.types.Object) -> controls.Controls:
    """What is keyed to make ``armature`` dance: the controls of a control rig, or the bones of the body themselves.

    Raises UserError as ``bones``.
    """
    found = controls.of(armature, bones(armature))
    return found or controls.Controls(_matched(armature)[0], {})


def _matched(armature: bpy.types.Object) -> tuple[dict[str, str], str]:
    """Our joints' names -> the bones that move with them, the pelvis being what carries legs and spine; and the bone
    at which the legs meet."""
    found = recognised(armature)
    if found.lacking == mapping.FOUR_LEGS:
        raise UserError(
            f"{armature.name!r} stands on four legs, and a dance is for a body on two. Choose another armature, or "
            "press Add Dancer."
        )
    if found.lacking or not found.pelvis:
        tree = _skeleton(armature.data)
        raise UserError(
            f"{armature.name!r} is no body that Footlight knows: among its {tree.joints} bones no two legs and arms "
            f"could be found{found.lacking}.{_counterparts(tree)} {SUPPORTED}"
        )
    return dict(found.bones), found.pelvis


def chosen(armature: bpy.types.Object) -> dict[str, str]:
    """Our joints' names -> the bones that the user chose for them."""
    kept = getattr(armature, BONES_PROPERTY, None)
    return {joint: bone for joint in mapping.WORDS if (bone := getattr(kept, joint, ""))}


def choose(armature: bpy.types.Object, bones: dict[str, str]) -> None:
    """Keep these choices with ``armature``, and no others.

    bones: as of ``chosen``.
    """
    kept = getattr(armature, BONES_PROPERTY)
    for joint in mapping.WORDS:
        setattr(kept, joint, bones.get(joint, ""))


def recognised(armature: bpy.types.Object) -> mapping.Found:
    """Which bone is which, by what the user chose and else as found.

    Raises UserError when ``armature`` is none.
    """
    if armature.type != "ARMATURE":
        raise UserError(f"{armature.name!r} is not an armature. Choose the dancer's armature.")
    tree = _skeleton(armature.data)
    tips = tuple((name, tip.dtype.str, tip.tobytes()) for name, tip in tree.tips.items())
    return _found(tree.names, tree.parents, tree.offsets.tobytes(), tips, tuple(chosen(armature).items()))


@functools.lru_cache(maxsize=32)
def _found(
    names: tuple[str, ...],
    parents: tuple[int, ...],
    offsets: bytes,
    tips: tuple[tuple[str, str, bytes], ...],
    choices: tuple[tuple[str, str], ...],
) -> mapping.Found:
    """What the skeleton of these values is: kept, because the panels ask for it whenever they are drawn.

    offsets: (j, 3) as float64.
    tips: names, and (3,) as a dtype and its bytes: Blender 5 has float32.
    """
    ends = {name: np.frombuffer(tip, kind) for name, kind, tip in tips}
    tree = skeleton.Skeleton(names, parents, np.frombuffer(offsets).reshape(-1, 3), ends)
    return mapping.find(tree, dict(choices))


def at_rest(armature: bpy.types.Object, keyed: controls.Controls | None = None, turn: np.ndarray | None = None) -> Rest:
    """The bones that move with a joint, or the ``keyed`` ones, at rest.

    turn: of ``Rest``; told by the rest pose unless given.

    Raises UserError as ``bones``, and when the rest pose does not tell it.
    """
    mapped = bones(armature)
    if turn is None:
        try:
            place = {joint: np.array(armature.data.bones[name].head_local) for joint, name in mapped.items()}
            turn = proportions.upright(place)
        except FootlightError as error:
            raise UserError(f"{armature.name!r} has {error}. Correct its rest pose in Edit Mode.") from None
    shares = {} if keyed is None or keyed.leaders else _shares(armature, keyed.bones, turn)
    keyed = keyed or controls.Controls(mapped, {})
    joint_of = {name: skeleton.JOINTS.index(joint) for joint, name in keyed.bones.items()}
    joint_of |= {name: len(skeleton.JOINTS) + i for i, name in enumerate(shares)}
    detached = {} if keyed.leaders else ends.DETACHED

    def rest_bone(name: str) -> proportions.RestBone:
        bone = armature.data.bones[name]
        line = list(controls.above(armature, keyed, name))
        at = next((i for i, one in enumerate(line) if one in joint_of), len(line))
        joint = skeleton.JOINTS[joint_of[name]] if name not in shares else ""
        end_of = keyed.bones.get(detached.get(joint, ""), "")
        return proportions.RestBone(
            name,
            joint_of[name],
            joint_of[line[at]] if at < len(line) else -1,
            quaternion.from_matrix(turn @ np.array(bone.matrix_local.to_3x3())),
            turn @ np.array(bone.head_local),
            turn @ np.array(bone.tail_local),
            all(armature.data.bones[one].use_inherit_rotation for one in (name, *line[:at])),
            share=shares.get(name),
            goes_with=joint_of[end_of] if end_of and end_of not in line else -1,
        )

    return Rest(tuple(rest_bone(name) for name in joint_of), turn)


def _shares(armature: bpy.types.Object, bones: dict[str, str], turn: np.ndarray) -> dict[str, sharing.Share]:
    """The bones that share the turn of two keyed ones, unless constraints move them.

    turn: of ``Rest``.
    """
    tree = _skeleton(armature.data)
    upright = skeleton.Skeleton(tree.names, tree.parents, tree.offsets @ turn.T)
    index = {name: i for i, name in enumerate(tree.names)}
    found = sharing.shares(upright, {joint: index[name] for joint, name in bones.items()})
    held = {bone.name for bone, _ in controls.active(armature.pose.bones)}
    return {tree.names[i]: share for i, share in found.items() if tree.names[i] not in held}


def _counterparts(tree: skeleton.Skeleton[np.ndarray]) -> str:
    """A sentence with the names that the other side has for what is missing; "" when it has none."""
    names = named_limbs.counterparts(tree)
    return f" On the other side there is {', '.join(names)}." if names else ""


def _skeleton(armature: bpy.types.Armature) -> skeleton.Skeleton[np.ndarray]:
    """The bones as a tree of joints, in the armature's own axes and unit; Blender lists parents before children."""
    names = tuple(armature.bones.keys())
    index = {name: i for i, name in enumerate(names)}
    heads = np.array([bone.head_local for bone in armature.bones]).reshape(-1, 3)
    parents = tuple(index[bone.parent.name] if bone.parent else -1 for bone in armature.bones)
    above = np.array([heads[parent] if parent >= 0 else np.zeros(3) for parent in parents]).reshape(-1, 3)
    tips = {bone.name: np.array(bone.tail_local - bone.head_local) for bone in armature.bones if not bone.children}
    return skeleton.Skeleton(names, parents, heads - above, tips)
