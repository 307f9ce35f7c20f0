"""Whether a dance that was written can be seen.

The armature is evaluated on a few frames, and the places of its joints are compared with those of the dance. Where they
differ, something else moves the bones. Constraints that hold whole limbs are switched off in the new action; anything
else is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..shared import proportions, skeleton
from . import controls, keying, rigs, staging, under
from .wording import listed

FRAMES = 5
"""Frames that are looked at."""

TOLERANCE = 0.05
"""Of the length of a leg: joints that are nearer to the dance are in their place."""

KEEPING = ("LIMIT_", "FLOOR", "CLAMP_TO", "SHRINKWRAP", "MAINTAIN_VOLUME")
"""How the types of constraints begin that only restrict a bone. They are never switched off."""

ENDS = {"left_wrist", "right_wrist", "left_ankle", "right_ankle", "left_foot", "right_foot", "neck", "head"}
"""Joints at the ends of the body. What holds one of these is meant to, unless something holds its whole limb."""

_PARTS = {
    "left leg": ("left_hip", "left_knee", "left_ankle", "left_foot"),
    "right leg": ("right_hip", "right_knee", "right_ankle", "right_foot"),
    "left arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right arm": ("right_shoulder", "right_elbow", "right_wrist"),
}
_PAIRS = (("left leg", "right leg"), ("left arm", "right arm"))


@dataclass(frozen=True)
class Dance:
    """What was written.

    scene, armature: where.
    mapped: our joint -> bone of the body.
    keyed: the bones that have its curves.
    rest: those at rest.
    heads: joint -> (t, 3) where they start in the dance, in upright space.
    frame_start: the frame of the first of them.
    """

    scene: bpy.types.Scene
    armature: bpy.types.Object
    mapped: dict[str, str]
    keyed: controls.Controls
    rest: rigs.Rest
    heads: dict[int, np.ndarray]
    frame_start: int


def check(dance: Dance) -> list[str]:
    """What the user should know about a dance that was just written, a sentence each; nothing when all of it shows.

    Switches of a control rig get the values at which its keyed bones lead.
    """
    said = []
    _set_switches(dance, dance.keyed.switches)
    off, reason = _off(dance), _blocked(dance)
    if not reason and (held := _holding(dance, off)):
        said.append(_switch_off(dance, held))
        off = _off(dance)
    if off.parts or off.travel:
        why = reason or _driven(dance) or _constrained(dance, off)
        said.append(f"{dance.armature.name!r} does not move as the dance does: {why}")
    return said + list(_scaled(dance.armature)) + list(_hidden(dance))


@dataclass(frozen=True)
class _Off:
    """Where a rig is not as in the dance.

    parts: the parts of the body that do not move as in the dance.
    travel: whether the hips are elsewhere.
    farthest: the largest distance from the dance, in legs.
    """

    parts: frozenset[str]
    travel: bool
    farthest: float


def _frames(dance: Dance) -> np.ndarray:
    count = len(dance.heads[0])
    return np.unique(np.linspace(0, count - 1, FRAMES).round().astype(int))


def _off(dance: Dance) -> _Off:
    """Where the evaluated joints are not where the dance has them."""
    frames = _frames(dance)
    rest_head = {bone.joint: bone.head for bone in dance.rest.bones}
    joints = [joint for names in _PARTS.values() for joint in names if joint in dance.mapped]
    names = [dance.mapped[joint] for joint in joints]
    with staging.evaluated(dance.scene, dance.armature) as on:
        shown = np.array([staging.stance(on(int(dance.frame_start + i)), names)[1] for i in frames])[:, :, :3, 3]
    shown = shown @ dance.rest.turn.T
    leg = proportions.floor(dance.rest.bones).leg
    place = {joint: shown[:, i] for i, joint in enumerate(joints)}
    wanted = {}
    for joint in joints:
        index = skeleton.JOINTS.index(joint)
        own = dance.rest.turn @ np.array(dance.armature.data.bones[dance.mapped[joint]].head_local)
        if index in dance.heads and np.linalg.norm(own - rest_head[index]) < TOLERANCE * leg:
            wanted[joint] = dance.heads[index][frames]
    hips = [joint for joint in ("left_hip", "right_hip") if joint in wanted]
    travel = sum((place[joint] - wanted[joint] for joint in hips), np.zeros(3)) / max(len(hips), 1)
    parts, farthest = set(), 0.0
    for part, chain in _PARTS.items():
        for joint in chain:
            if joint in wanted:
                distance = float(np.linalg.norm(place[joint] - wanted[joint] - travel, axis=-1).max()) / leg
                if distance > TOLERANCE:
                    parts.add(part)
                    farthest = max(farthest, distance)
    away = float(np.linalg.norm(np.atleast_2d(travel), axis=-1).max()) / leg
    return _Off(frozenset(parts), away > TOLERANCE, max(farthest, away))


def _set_switches(dance: Dance, switches: Sequence[controls.Switch]) -> None:
    """Turn over every switch, which was keyed, at which a constraint that should have no influence has some."""
    if not switches:
        return
    with staging.evaluated(dance.scene, dance.armature) as on:
        bones = on(dance.frame_start).pose.bones
        wrong = [
            switch
            for switch in switches
            if any(bones[bone].constraints[name].influence > 0.01 for bone, name in switch.off)
            or any(not controls.is_full(bones[bone].constraints[name]) for bone, name in switch.on)
        ]
    for switch in wrong:
        keying.set_value(dance.armature, switch.path, 1.0 - switch.value, dance.frame_start, switch.bone)


def _body(dance: Dance) -> dict[str, str]:
    """The bones of the body -> our joint; those between two of them -> the joint below."""
    found = {name: joint for joint, name in dance.mapped.items()}
    for joint, name in dance.mapped.items():
        bone = dance.armature.data.bones[name].parent if joint != "pelvis" else None
        while bone is not None and bone.name not in dance.mapped.values():
            found.setdefault(bone.name, joint)
            bone = bone.parent
    return found


def _constraints(dance: Dance) -> Iterator[tuple[bpy.types.PoseBone, bpy.types.Constraint, set[str]]]:
    """Constraints that move bones of the body, with our joints that these are."""
    body, animated = _body(dance), under.nla_paths(dance.armature)
    for bone, constraint in controls.active(dance.armature.pose.bones):
        joints = {body[held.name] for held in controls.moved_by(bone, constraint) if held.name in body}
        path = f"{controls.constraint_path(bone, constraint)}.influence"
        if joints and (constraint.influence > 0.01 or path in animated):
            yield bone, constraint, joints


def _holding(dance: Dance, off: _Off) -> list[tuple[bpy.types.PoseBone, bpy.types.Constraint]]:
    """Constraints that may be switched off: those on both legs or both arms that do not move as in the dance. What
    holds one hand or the head alone is meant to."""
    if dance.keyed.leaders or dance.keyed.switches:
        return []
    parts = {part for pair in _PAIRS if off.parts.issuperset(pair) for part in pair}
    if not parts:
        return []
    loose = {joint for part in off.parts - parts for joint in _PARTS[part]}
    found = [
        (bone, constraint, joints)
        for bone, constraint, joints in _constraints(dance)
        if not (constraint.type.startswith(KEEPING) or joints <= loose)
        and (controls.property_of(bone, constraint) or not controls.is_driven(bone, constraint))
    ]
    whole = [(constraint, joints) for _, constraint, joints in found if not joints <= ENDS]
    limbs = {part for _, joints in whole for part in _PARTS if joints & {*_PARTS[part]}}
    leaders = {controls.first_target(constraint)[0] for constraint, _ in whole} - {dance.armature, None}

    def meant(constraint: bpy.types.Constraint, joints: set[str]) -> bool:
        held = any(joints & {*_PARTS[part]} for part in limbs)
        return joints <= ENDS and not held and controls.first_target(constraint)[0] not in leaders

    return [(bone, constraint) for bone, constraint, joints in found if not meant(constraint, joints)]


def _switch_off(dance: Dance, held: list[tuple[bpy.types.PoseBone, bpy.types.Constraint]]) -> str:
    for bone, constraint in held:
        if not controls.is_driven(bone, constraint):
            path = f"{controls.constraint_path(bone, constraint)}.influence"
            keying.set_value(dance.armature, path, 0.0, dance.frame_start, bone.name)
    switches = controls.switches_of((bone, constraint, False) for bone, constraint in held)
    for switch in switches:
        keying.set_value(dance.armature, switch.path, switch.value, dance.frame_start, switch.bone)
    _set_switches(dance, switches)
    names = list(dict.fromkeys(bone.name for bone, _ in held))
    return (
        f"Constraints on {listed(names, 'bones')} would hide the dance; the new action switches them off. Switch them "
        "on again for your other actions (influence 1)."
    )


def _blocked(dance: Dance) -> str:
    """What keeps the whole armature from moving with its action, in one sentence; "" for nothing."""
    armature = dance.armature
    data = armature.animation_data
    if armature.data.is_editmode:
        return "it is in Edit Mode. Leave Edit Mode (Tab)."
    if armature.data.pose_position == "REST":
        return "it is in Rest Position. Choose Pose Position (Armature properties, Pose)."
    render = dance.scene.render
    if render.frame_map_old != render.frame_map_new:
        return (
            f"its scene stretches {render.frame_map_old} frames to {render.frame_map_new}, but not its sound. Set both "
            "to 100 (Output properties, Frame Range, Time Stretching)."
        )
    if solo := next((track for track in data.nla_tracks if track.is_solo), None):
        return f"its NLA track {solo.name!r} plays solo. Switch off the track's star in the NLA."
    if data.nla_tracks and (data.action_influence < 1.0 or data.action_blend_type != "REPLACE"):
        return (
            f"its action is mixed with its NLA tracks (blending {data.action_blend_type.title()}, influence "
            f"{data.action_influence:.2g}). Choose Replace and influence 1 in the NLA's Action panel, or mute the "
            "tracks."
        )
    return ""


def _constrained(dance: Dance, off: _Off) -> str:
    """Which constraint moves the bones elsewhere, in one sentence; where there is none, how far off they are."""
    wanted = {joint for part in off.parts for joint in _PARTS[part]}
    found = [(b, c) for b, c, joints in _constraints(dance) if joints & wanted]
    found = found or [(b, c) for b, c, _ in _constraints(dance)] or list(_above(dance))
    if found:
        bone, constraint = found[0]
        other = " of ".join(name for name in (controls.first_target(constraint)[1], _object(dance, constraint)) if name)
        follows = f" to {other}" if other else ""
        return (
            f"its bone {bone.name} has the constraint {constraint.name!r}{follows}. Mute the constraint, or set its "
            "influence to 0."
        )
    where = " and ".join(sorted(off.parts)) or "whole body"
    return f"its {where} differs by up to {off.farthest:.0%} of a leg's length."


def _object(dance: Dance, constraint: bpy.types.Constraint) -> str:
    """The object that a constraint looks at, if that is another one."""
    target = controls.first_target(constraint)[0]
    return "" if target is None or target == dance.armature else repr(target.name)


def _above(dance: Dance) -> Iterator[tuple[bpy.types.PoseBone, bpy.types.Constraint]]:
    """Constraints on bones that carry the keyed ones."""
    names = _carrying(dance)
    return controls.active(bone for bone in dance.armature.pose.bones if bone.name in names)


def _carrying(dance: Dance) -> set[str]:
    """The bones above the keyed ones."""
    return {name for bone in dance.keyed.bones.values() for name in controls.above(dance.armature, dance.keyed, bone)}


def _driven(dance: Dance) -> str:
    """A keyed bone, or one that carries it, whose transform is driven, in one sentence; "" for none."""
    paths = {controls.bone_path(name): name for name in {*dance.keyed.bones.values()} | _carrying(dance)}
    data = dance.armature.animation_data
    for curve in data.drivers if data else ():
        start, _, channel = curve.data_path.rpartition(".")
        if not curve.mute and start in paths and channel.startswith(("location", "rotation", "scale")):
            return f"a driver holds its bone {paths[start]}. Remove the driver, or mute it in the Drivers editor."
    return ""


def _scaled(armature: bpy.types.Object) -> Iterator[str]:
    """What the object's own scale does to a dance."""
    matrix = np.array(armature.matrix_world.to_3x3())
    lengths = np.linalg.norm(matrix, axis=0)
    if np.linalg.det(matrix) < 0:
        yield f"{armature.name!r} has a negative scale: the dance is mirrored. Apply its scale (Ctrl A) first."
    elif lengths.max() > 1.02 * lengths.min():
        yield f"{armature.name!r} is scaled unevenly: the dance is distorted. Apply its scale (Ctrl A) first."


def _hidden(dance: Dance) -> Iterator[str]:
    """Why nothing of the armature is visible in its scene, if that is so."""
    armature, scene = dance.armature, dance.scene
    generated = getattr(armature.data, "rigify_target_rig", None)
    if generated is not None and generated.name in scene.objects:
        yield (
            f"{armature.name!r} is the metarig of {generated.name!r}, which does not follow it. Choose "
            f"{generated.name!r} under Dancer."
        )
    layer = bpy.context.view_layer if scene == bpy.context.scene else scene.view_layers[0]
    showing = [armature, *(ob for ob in scene.objects if _shows(ob, armature))]
    if any(ob.name in layer.objects and ob.visible_get(view_layer=layer) for ob in showing):
        return
    if armature.name not in layer.objects:
        why = f"its collection is excluded from the view layer {layer.name!r}. Tick the collection in the Outliner."
    elif armature.hide_viewport:
        why = "it is disabled in viewports. Enable it in the Outliner."
    else:
        why = "it or its collection is hidden. Show it in the Outliner (Alt H)."
    yield f"{armature.name!r} cannot be seen: {why}"


def _shows(ob: bpy.types.Object, armature: bpy.types.Object) -> bool:
    """Whether an object moves with the armature."""
    parent = ob.parent
    while parent is not None and parent != armature:
        parent = parent.parent
    return parent == armature or any(
        modifier.type == "ARMATURE" and modifier.object == armature for modifier in ob.modifiers
    )
