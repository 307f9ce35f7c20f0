"""Limbs with inverse kinematics: which controls hold hand or foot, where the limb bends to, and what lets them lead.

Rigify's are known by name. Those of other rigs are found by their constraints: a bone of the limb is moved by an IK
constraint with a pole, or follows one that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import bpy
import numpy as np

from . import controls

NEAR = 0.05
"""Of a limb's length: a control that starts so near to a wrist or an ankle holds it."""

CARRYING = controls.LEADING | {"CHILD_OF", "COPY_LOCATION"}
"""Constraints by which a control is carried by another bone."""

_CHAINS = tuple(
    tuple(f"{side}_{part}" for part in parts)
    for side in ("left", "right")
    for parts in (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist"))
)

_RIGIFY = tuple(
    names
    for s in "LR"
    for names in (
        (f"foot_ik.{s}", f"thigh_ik_target.{s}", f"thigh_parent.{s}"),
        (f"hand_ik.{s}", f"upper_arm_ik_target.{s}", f"upper_arm_parent.{s}"),
    )
)
"""For each of ``_CHAINS``: the controls of hand or foot and pole of a rig that Rigify generated, and the bone with the
limb's properties."""


@dataclass(frozen=True)
class Value:
    """What a number of the rig is to be: its path from the armature's object, and the bone in whose group it goes."""

    path: str
    bone: str
    value: float


@dataclass(frozen=True)
class Limb:
    """A limb's controls.

    joints: ours at its start, middle and end.
    end, pole: the controls of hand or foot, and of where the limb bends to.
    toes: the control that turns toes; "" where none does.
    unread: bones that forward kinematics keys and that nothing reads while inverse kinematics leads.
    values: that numbers are to have.
    turned: paths of switches that decide which of both leads.
    further: other switches.
    """

    joints: tuple[str, ...]
    end: str
    pole: str
    toes: str
    unread: frozenset[str]
    values: tuple[Value, ...]
    turned: frozenset[str]
    further: tuple[controls.Switch, ...] = ()


def possible(armature: bpy.types.Object) -> bool:
    """Whether ``armature`` may have such limbs. Looks no further than it must: a panel asks this whenever it is
    drawn."""
    bones = armature.pose.bones
    return _is_generated(bones) or any(
        constraint.type == "IK" and constraint.pole_target == armature for _, constraint in controls.active(bones)
    )


def of(armature: bpy.types.Object, mapped: Mapping[str, str], keyed: controls.Controls) -> tuple[Limb, ...]:
    """The limbs of ``armature`` with inverse kinematics.

    mapped: our joint -> the bone that moves with it.
    """
    bones = armature.pose.bones
    if _is_generated(bones):
        return tuple(_generated(keyed, chain, bones, *names) for chain, names in zip(_CHAINS, _RIGIFY, strict=True))
    found = (_by_constraints(armature, mapped, keyed, chain) for chain in _CHAINS)
    return tuple(limb for limb in found if limb is not None)


def _is_generated(bones: Mapping) -> bool:
    """Whether a rig has the controls of those that Rigify generated."""
    return all(name in bones for names in _RIGIFY for name in names)


def _generated(
    keyed: controls.Controls, chain: tuple[str, ...], bones: Mapping, end: str, pole: str, owner: str
) -> Limb:
    """A limb of Rigify's: its pole counts, and pole and hand or foot hang on the root bone."""
    path = controls.bone_path(owner)
    values = tuple(Value(f'{path}["{name}"]', owner, 1.0) for name in ("pole_vector", "pole_parent", "IK_parent"))
    toes = end.replace("foot", "toe") if len(chain) > 3 else ""
    toes = toes if toes in bones else ""
    unread = (keyed.bones[joint] for joint in (chain if toes else chain[:3]) if joint in keyed.bones)
    return Limb(chain[:3], end, pole, toes, frozenset(unread), values, frozenset({f'{path}["IK_FK"]'}))


def _by_constraints(
    armature: bpy.types.Object, mapped: Mapping[str, str], keyed: controls.Controls, chain: tuple[str, ...]
) -> Limb | None:
    """A limb that an IK constraint with a pole moves, or can move; None where there is none."""
    bones, chain = armature.data.bones, tuple(joint for joint in chain if joint in mapped)
    reached = {joint: _reached(armature, mapped[joint]) for joint in chain}
    solver = next(_solvers(armature, reached[chain[1]]), None) if len(chain) > 2 else None
    if solver is None:
        return None
    owner, ik = solver
    heads = [np.array(bones[mapped[joint]].head_local) for joint in chain[:3]]
    near = NEAR * sum(float(np.linalg.norm(lower - upper)) for upper, lower in pairwise(heads))
    body = {*mapped.values(), *keyed.bones.values(), *controls.above(armature, keyed, keyed.bones["pelvis"])}
    end = _handle(bones[ik.subtarget], heads[2], near, body)
    pole = _handle(bones[ik.pole_subtarget], np.array(bones[ik.pole_subtarget].head_local), near, body)
    held = {end, *(bone.name for bone in bones[end].children_recursive)}
    holding = {joint: _holding(armature, mapped[joint], held) for joint in chain[2:]}
    by = {joint: sorted(reached[joint] & held - {mapped[joint]} | {*holding[joint].values()}) for joint in chain[2:]}
    unread = {keyed.bones[joint] for joint in chain if joint in chain[:2] or (by[joint] and joint in keyed.bones)}
    unread |= {bone.name for bone in controls.moved_by(owner, ik)}
    toes = next((by[joint][0] for joint in chain[3:] if by[joint]), "")
    every = {name for names in reached.values() for name in names}
    turned = {one.path for one in keyed.switches if every & {name for name, _ in (*one.on, *one.off)}}
    leading = [solver, *(constraint for one in holding.values() for constraint in one)]
    values, switches = _leading(armature, leading, (end, pole))
    further = tuple(one for one in switches if one.path not in turned)
    return Limb(chain[:3], end, pole, toes, frozenset(unread), values, frozenset(turned), further)


Constrained = tuple[bpy.types.PoseBone, bpy.types.Constraint]
"""A bone and one of its constraints."""


def _holding(armature: bpy.types.Object, name: str, held: set[str]) -> dict[Constrained, str]:
    """The constraints by which a bone follows one of ``held``, those too that have no influence now, and which."""
    bone = armature.pose.bones[name]
    found = ((c, controls.first_target(c)) for _, c in controls.active([bone]) if c.type in controls.LEADING)
    return {(bone, c): other for c, (target, other) in found if target == armature and other in held}


def _leading(
    armature: bpy.types.Object, leading: Iterable[Constrained], handles: tuple[str, ...]
) -> tuple[tuple[Value, ...], tuple[controls.Switch, ...]]:
    """What lets inverse kinematics lead, by controls that only their own keys and the bones above them move.

    leading: what is to have influence.
    """
    wanted = [(*one, True) for one in leading]
    for bone, constraint in controls.active(armature.pose.bones[name] for name in handles):
        if constraint.type in CARRYING:
            wanted.append((bone, constraint, False))
    values = (
        Value(f"{controls.constraint_path(bone, constraint)}.influence", bone.name, float(on))
        for bone, constraint, on in wanted
        if not controls.is_driven(bone, constraint)
    )
    return tuple(values), controls.switches_of(wanted)


def _reached(armature: bpy.types.Object, name: str) -> set[str]:
    """The bones that a bone moves as, or can move as: itself and those that it follows."""
    found, todo = set(), [name]
    while todo:
        if (name := todo.pop()) not in found:
            found.add(name)
            todo += controls.followed(armature, name)
    return found


def _solvers(
    armature: bpy.types.Object, names: set[str]
) -> Iterator[tuple[bpy.types.PoseBone, bpy.types.KinematicConstraint]]:
    """The IK constraints with a pole that move one of the bones, with the bones that have them."""
    for bone, constraint in controls.active(armature.pose.bones):
        if (
            constraint.type == "IK"
            and constraint.target == constraint.pole_target == armature
            and constraint.subtarget in armature.data.bones
            and constraint.pole_subtarget in armature.data.bones
            and any(held.name in names for held in controls.moved_by(bone, constraint))
        ):
            yield bone, constraint


def _handle(bone: bpy.types.Bone, at: np.ndarray, near: float, body: set[str]) -> str:
    """What moves a bone that a limb reaches for: the highest bone above it that starts at a place, or itself.

    near: how near to the place.
    body: bones that are none of that kind.
    """
    line = (one for one in (bone, *bone.parent_recursive) if one.name not in body)
    found = [one.name for one in line if np.linalg.norm(np.array(one.head_local) - at) < near]
    return found[-1] if found else bone.name
