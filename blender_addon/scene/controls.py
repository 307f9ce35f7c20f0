"""Control rigs: which bones are keyed so that the bones of the body follow.

The bones of most rigs are keyed themselves. Those of a control rig follow others by constraints, in the same armature:
one bone for forward kinematics, one for inverse kinematics, and a property that says which of the two counts. Then the
leaders for forward kinematics are keyed, and the property too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import bpy

LEADING = {"COPY_TRANSFORMS", "COPY_ROTATION", "ARMATURE"}
"""Constraints by which a bone moves as another one does."""

OVERRIDING = LEADING | {"IK"}
"""Constraints that, at full influence, leave nothing of a bone's own rotation."""

FULL = 0.99
"""From this influence on a constraint counts as having all of it."""

LIMBS = tuple(f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "shoulder", "elbow"))
"""The joints of the eight long bones."""

FOLLOWING = 3
"""Of the long bones: where so many follow others, more than one limb does."""

PROPERTY = re.compile(r'(?:pose\.bones\["(?P<bone>(?:[^"\\]|\\.)*)"\])?\["(?:[^"\\]|\\.)*"\]$')
"""The path to a custom property of a bone or of the armature's object."""


_FK, _IK = (re.compile(f"{word.upper()}|(?<![a-z]){word}(?![a-z])") for word in ("fk", "ik"))


@dataclass(frozen=True)
class Trunk:
    """Names of a control rig's bones for the trunk.

    pelvis: carries the whole body.
    spine: a pattern for those above it.
    """

    pelvis: str
    spine: str
    neck: str
    head: str


TRUNKS = (
    Trunk("torso", r"spine_fk(\.\d+)?$", "neck", "head"),  # Rigify
    Trunk("c_root_master.x", r"c_spine_\d+\.x$", "c_neck.x", "c_head.x"),  # Auto-Rig Pro
)


@dataclass(frozen=True)
class Switch:
    """A number that decides whether the keyed bones lead.

    path: from the armature's object.
    bone: whose property it is; "" for the object's.
    value: what it shall be.
    on and off: constraints, (bone, constraint), that it is to give all influence or none.
    """

    path: str
    bone: str
    value: float = 1.0
    on: tuple[tuple[str, str], ...] = ()
    off: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Controls:
    """What is keyed to make an armature dance.

    bones: our joint -> its bone.
    leaders: a bone that follows -> the keyed bone that it follows.
    """

    bones: dict[str, str]
    leaders: dict[str, str]
    switches: tuple[Switch, ...] = ()


def follows(armature: bpy.types.Object, mapped: dict[str, str], kinds: Collection[str] = OVERRIDING) -> bool:
    """Whether more than one limb follows something by constraints of these ``kinds``."""
    return len(_followers(armature, mapped, kinds)) >= FOLLOWING


def led_by(armature: bpy.types.Object, mapped: dict[str, str]) -> tuple[str, str, bpy.types.Object] | None:
    """A bone of the limbs, the bone that it follows and the armature that this belongs to, where nearly all of the
    limbs follow another armature."""
    found = _followers(armature, mapped, LEADING)
    for name, (target, other) in found.items():
        together = [one for one, _ in found.values() if one == target]
        if target and target != armature and target.type == "ARMATURE" and len(together) > len(LIMBS) - FOLLOWING:
            return name, other, target
    return None


def _followers(
    armature: bpy.types.Object, mapped: dict[str, str], kinds: Collection[str]
) -> dict[str, tuple[bpy.types.Object | None, str]]:
    """The long bones that follow something by constraints of these ``kinds``, and the first thing that they follow."""
    found: dict[str, tuple[bpy.types.Object | None, str]] = {}
    for bone, constraint in active(armature.pose.bones):
        if constraint.type in kinds and is_full(constraint):
            for held in moved_by(bone, constraint):
                found.setdefault(held.name, first_target(constraint))
    return {mapped[part]: found[mapped[part]] for part in LIMBS if mapped[part] in found}


def of(armature: bpy.types.Object, mapped: dict[str, str]) -> Controls | None:
    """What is keyed on a control rig; None when ``armature`` is none, or not one whose leaders can be told.

    mapped: our joints -> the bones that move with them.
    """
    lines = {joint: _line(armature, name) for joint, name in mapped.items()}
    for joint in LIMBS:
        line = lines[joint]
        if not line or (len(line) == 1 and not _leads_itself(armature.pose.bones[line[0]])):
            return None
    leaders = {joint: line[-1] for joint, line in lines.items() if line}
    follow = {name: line[-1] for line in lines.values() for name in line[:-1]}
    trunk = _trunk(armature, mapped, leaders, follow)
    if trunk is None:
        return None
    limbs = {joint: bone for joint, bone in leaders.items() if joint.startswith(("left_", "right_"))}
    controls = Controls(trunk | limbs, follow)
    steps = {name: lead for line in lines.values() for name, lead in pairwise(line)}
    return replace(controls, switches=_switches(armature, controls, mapped, steps))


def above(armature: bpy.types.Object, controls: Controls, name: str) -> Iterator[str]:
    """The bones that carry a keyed bone, from the nearest on. Where one follows a keyed bone, that one carries it."""
    bone = armature.data.bones[name].parent
    while bone is not None:
        bone = armature.data.bones[controls.leaders.get(bone.name, bone.name)]
        yield bone.name
        bone = bone.parent


def active(bones: Iterable[bpy.types.PoseBone]) -> Iterator[tuple[bpy.types.PoseBone, bpy.types.Constraint]]:
    """The constraints of ``bones`` that are not muted."""
    for bone in bones:
        for constraint in bone.constraints:
            if not constraint.mute:
                yield bone, constraint


def is_full(constraint: bpy.types.Constraint) -> bool:
    """Whether a constraint has all influence."""
    return constraint.influence >= FULL


def moved_by(bone: bpy.types.PoseBone, constraint: bpy.types.Constraint) -> list[bpy.types.PoseBone]:
    """The bones that a constraint moves: of inverse kinematics a whole chain."""
    if constraint.type != "IK":
        return [bone]
    if not constraint.target:
        return []
    chain = [*([bone] if constraint.use_tail else ()), *bone.parent_recursive]
    return chain[: constraint.chain_count or None]


def bone_path(name: str) -> str:
    """The path from an armature's object to one of its bones."""
    return f'pose.bones["{bpy.utils.escape_identifier(name)}"]'


def constraint_path(bone: bpy.types.PoseBone, constraint: bpy.types.Constraint) -> str:
    """The path from an armature's object to a constraint of one of its bones."""
    return f'{bone_path(bone.name)}.constraints["{bpy.utils.escape_identifier(constraint.name)}"]'


def targets(constraint: bpy.types.Constraint) -> list[tuple[bpy.types.Object | None, str]]:
    """The objects and the bones that a constraint looks at; "" for a whole object."""
    if constraint.type == "ARMATURE":
        return [(one.target, one.subtarget) for one in constraint.targets]
    return [
        (target, getattr(constraint, f"{kind}subtarget", ""))
        for kind in ("", "pole_")
        if (target := getattr(constraint, f"{kind}target", None)) is not None
    ]


def first_target(constraint: bpy.types.Constraint) -> tuple[bpy.types.Object | None, str]:
    """The first of its ``targets``."""
    return next(iter(targets(constraint)), (None, ""))


def followed(armature: bpy.types.Object, name: str) -> list[str]:
    """The bones of ``armature`` that a bone moves as, or does at a switch's turn."""
    bone = armature.pose.bones[name]
    leads = [first_target(c) for _, c in active([bone]) if _leads(bone, c)]
    return [lead for target, lead in leads if target == armature and lead in armature.pose.bones]


def _line(armature: bpy.types.Object, name: str) -> list[str]:
    """The bones that ``name`` follows one after another by forward kinematics, from itself to the one that leads; none
    where it follows another object."""
    line = []
    while name not in line:
        line.append(name)
        bone = armature.pose.bones[name]
        own = followed(armature, name)
        if not own:
            return [] if any(_leads(bone, c) for _, c in active([bone])) else line + _control_of(bone)
        if _leads_itself(bone):
            return line
        name = min(own, key=lambda other: (not _is_fk(other), _by_ik(armature, other)))
    return []


def _control_of(bone: bpy.types.PoseBone) -> list[str]:
    """The control on which a helper hangs: Auto-Rig Pro's have its name with ``c_`` before it. None where it is one."""
    return [bone.parent.name] if bone.parent and bone.parent.name == f"c_{bone.name}" else []


def _leads_itself(bone: bpy.types.PoseBone) -> bool:
    """Whether a bone follows inverse kinematics at a switch's turn, and else the bones above it."""
    leads = [(c, first_target(c)[1]) for _, c in active([bone]) if _leads(bone, c)]
    return bool(leads) and all(
        _driver(bone, c) and not _is_fk(lead) and _by_ik(bone.id_data, lead) for c, lead in leads
    )


def _leads(bone: bpy.types.PoseBone, constraint: bpy.types.Constraint) -> bool:
    """Whether a bone follows by a constraint, or does so at a switch's turn."""
    return constraint.type in LEADING and (is_full(constraint) or _driver(bone, constraint) is not None)


def _driver(bone: bpy.types.PoseBone, constraint: bpy.types.Constraint) -> bpy.types.Driver | None:
    """What drives the influence of a constraint."""
    data = bone.id_data.animation_data
    path = f"{constraint_path(bone, constraint)}.influence"
    return next((curve.driver for curve in data.drivers if curve.data_path == path), None) if data else None


def _is_fk(name: str) -> bool:
    return _FK.search(name) is not None


def _by_ik(armature: bpy.types.Object, name: str) -> bool:
    """Whether a bone is called after inverse kinematics or moved by it."""
    if _IK.search(name):
        return True
    ik = [(bone, c) for bone, c in active(armature.pose.bones) if c.type == "IK"]
    return any(held.name == name for bone, c in ik for held in moved_by(bone, c))


def _trunk(
    armature: bpy.types.Object, mapped: dict[str, str], leaders: dict[str, str], follow: dict[str, str]
) -> dict[str, str] | None:
    """The keyed bones of the trunk. None when nothing carries all limbs."""
    bones = armature.pose.bones
    plain = Controls({}, follow)
    lines = [[leaders[joint], *above(armature, plain, leaders[joint])] for joint in LIMBS]
    carriers = [name for name in lines[0] if all(name in line for line in lines[1:])]
    if not carriers:
        return None
    for names in TRUNKS:
        if names.pelvis not in carriers:
            continue
        below = {name for joint in ("left_hip", "right_hip") for name in above(armature, plain, leaders[joint])}
        pattern = re.compile(names.spine)
        spine = [bone.name for bone in bones if pattern.match(bone.name) and bone.name not in below]
        found = {"pelvis": names.pelvis} | dict(zip(("spine3", "spine2", "spine1"), reversed(spine), strict=False))
        found |= {joint: name for joint, name in (("neck", names.neck), ("head", names.head)) if name in bones}
        return found
    pelvis = leaders.get("pelvis", mapped["pelvis"])
    found = {"pelvis": pelvis if pelvis in carriers else carriers[0]}
    for joint in ("spine1", "spine2", "spine3", "neck", "head"):
        name = leaders.get(joint)
        if name and name not in found.values() and found["pelvis"] in above(armature, plain, name):
            found[joint] = name
    return found


def property_of(bone: bpy.types.PoseBone, constraint: bpy.types.Constraint) -> str:
    """The path to the custom property that drives the influence of a constraint; "" when none does."""
    driver = _driver(bone, constraint)
    for variable in driver.variables if driver else ():
        target = variable.targets[0]
        if variable.type == "SINGLE_PROP" and target.id == bone.id_data and PROPERTY.match(target.data_path):
            return target.data_path
    return ""


def is_driven(bone: bpy.types.PoseBone, constraint: bpy.types.Constraint) -> bool:
    """Whether the influence of a constraint is driven, so that keys on it would not count."""
    return _driver(bone, constraint) is not None


def switches_of(
    constraints: Iterable[tuple[bpy.types.PoseBone, bpy.types.Constraint, bool]],
) -> tuple[Switch, ...]:
    """The properties that drive the influence of constraints. Each comes with whether it is to have influence."""
    on: dict[str, list[tuple[str, str]]] = {}
    off: dict[str, list[tuple[str, str]]] = {}
    for bone, constraint, wanted in constraints:
        if path := property_of(bone, constraint):
            (on if wanted else off).setdefault(path, []).append((bone.name, constraint.name))
    owners = {path: match["bone"] or "" for path in {**on, **off} if (match := PROPERTY.match(path))}
    return tuple(Switch(p, bone, 1.0, tuple(on.get(p, ())), tuple(off.get(p, ()))) for p, bone in owners.items())


def _switches(
    armature: bpy.types.Object, controls: Controls, mapped: dict[str, str], steps: dict[str, str]
) -> tuple[Switch, ...]:
    """The properties that drive the influence of constraints on bones that follow and on those between keyed bones.

    steps: a bone that follows -> the next one that it follows.
    """
    between = {name for bone in controls.bones.values() for name in above(armature, controls, bone)}
    between -= {*controls.bones.values(), *above(armature, controls, controls.bones["pelvis"])}
    limbs = {mapped[joint] for joint in LIMBS}
    found = active(armature.pose.bones[name] for name in {*controls.leaders, *limbs, *between})
    return switches_of((b, c, first_target(c)[1] == steps.get(b.name)) for b, c in found)
