"""What lies under a dance: poses left over on bones that it does not key, and the object's own animation.

A new action leaves whatever it does not key as it was. So bones between, above and on those of the dance are keyed at
rest where something was left on them, and the object's own curves go along into the new action.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from ..names import PREFIX
from . import controls, staging
from .floors import ORIGIN
from .wording import listed

REST = {
    "location": (0.0, 0.0, 0.0),
    "scale": (1.0, 1.0, 1.0),
    "rotation_quaternion": (1.0, 0.0, 0.0, 0.0),
    "rotation_axis_angle": (0.0, 0.0, 1.0, 0.0),
    "rotation_euler": (0.0, 0.0, 0.0),
}
"""Channels of a bone, or of an object, and their values at rest."""

CLOSE = 1e-5
"""What is nearer to rest than this (units of the armature, factors, radians) is no pose."""


@dataclass(frozen=True)
class Leftover:
    """A channel of a bone that a dance does not key and that is not at rest, or is animated by NLA strips."""

    bone: str
    channel: str


def rotation_channel(mode: str) -> str:
    """The channel of a bone's rotation in a rotation mode."""
    return {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}.get(mode, "rotation_euler")


def leftovers(
    armature: bpy.types.Object, body: Iterable[str], rotated: Iterable[str], travelling: Collection[str]
) -> list[Leftover]:
    """What was left on the bones that decide where the body is.

    body: bones that move with our joints.
    rotated: those whose rotation is keyed.
    travelling: those whose location is.
    """
    animated = nla_paths(armature)
    taken, found = {*rotated}, []
    for name in _deciding(armature, {*body, *taken}):
        bone = armature.pose.bones[name]
        turn = rotation_channel(bone.rotation_mode)
        for channel in (*(() if bone.bone.use_connect else ("location",)), turn, "scale"):
            keyed = (channel == turn and name in taken) or (channel == "location" and name in travelling)
            if not keyed and (f"{controls.bone_path(name)}.{channel}" in animated or not _rests(bone, channel)):
                found.append(Leftover(name, channel))
    return found


def told(left: list[Leftover]) -> str:
    """One line about what is overridden; empty when there is nothing."""
    names = list(dict.fromkeys(one.bone for one in left))
    if not names:
        return ""
    return f"A pose that was left on {listed(names)} is overridden: the new action keys it at rest."


def told_locked(armature: bpy.types.Object, rotated: Iterable[str], travelling: Iterable[str]) -> str:
    """One line about keyed channels that are locked; empty when there are none. Parameters are those of
    ``leftovers``."""
    bones = armature.pose.bones
    locked = [name for name in rotated if any(bones[name].lock_rotation)]
    locked += [name for name in travelling if any(bones[name].lock_location) and name not in locked]
    if not locked:
        return ""
    return (
        f"Channels of {listed(locked)} are locked. They are keyed and move all the same; to edit them by hand, unlock "
        "them in the side panel's tab Item."
    )


def has_own(action: bpy.types.Action, slot: bpy.types.ActionSlot) -> bool:
    """Whether an action has curves that are not about bones."""
    return any(_kept(action, curve.data_path) for curve in curves(action, slot))


def own_animation(
    action: bpy.types.Action, slot: bpy.types.ActionSlot, name: str
) -> tuple[bpy.types.Action, bpy.types.ActionSlot]:
    """A new action with the curves of ``action`` that are not about bones, and its slot.

    Of an earlier dance what it switched off goes along too.
    """
    copy = action.copy()
    copy.name = name
    copy.asset_clear()
    copy.use_frame_range = copy.use_cyclic = False
    for marker in list(copy.pose_markers):
        copy.pose_markers.remove(marker)
    kept = next(one for one in copy.slots if one.identifier == slot.identifier)
    for other in [one for one in copy.slots if one != kept]:
        copy.slots.remove(other)
    for bag in (strip.channelbag(kept) for layer in copy.layers for strip in layer.strips):
        for curve in list(bag.fcurves) if bag else ():
            if not _kept(action, curve.data_path):
                bag.fcurves.remove(curve)
        for group in list(bag.groups) if bag else ():
            if not group.channels:
                bag.groups.remove(group)
    for key in [key for key in list(copy.keys()) if key.startswith(PREFIX)]:
        del copy[key]
    return copy, kept


def own_paths(action: bpy.types.Action, slot: bpy.types.ActionSlot) -> set[str]:
    """What the curves of an action animate that are not about bones."""
    return {curve.data_path for curve in curves(action, slot) if not curve.data_path.startswith("pose.bones[")}


def told_own(action: bpy.types.Action, slot: bpy.types.ActionSlot) -> str:
    """One line about the curves of an action that are not about bones; empty when there are none."""
    paths = own_paths(action, slot)
    if not paths:
        return ""
    return f"The object's own keys ({listed(sorted(paths))}) are in the new action too."


def _kept(action: bpy.types.Action, path: str) -> bool:
    if not path.startswith("pose.bones["):
        return path != "location" or ORIGIN not in action
    return PREFIX + "seed" in action and path.endswith((".influence", '"]'))


def curves(action: bpy.types.Action, slot: bpy.types.ActionSlot) -> Iterator[bpy.types.FCurve]:
    """The curves of a slot."""
    for layer in action.layers:
        for strip in layer.strips:
            if bag := strip.channelbag(slot):
                yield from bag.fcurves


def nla_paths(armature: bpy.types.Object) -> set[str]:
    """What the NLA strips of ``armature`` that play animate."""
    return {
        curve.data_path
        for strip in staging.nla_strips(armature)
        if strip.action and strip.action_slot
        for curve in curves(strip.action, strip.action_slot)
    }


def _deciding(armature: bpy.types.Object, names: set[str]) -> list[str]:
    """These bones, those that carry them, and those that they follow by constraints, in the armature's order."""
    found, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        bone = armature.pose.bones[name]
        if bone.parent:
            todo.append(bone.parent.name)
        for _, constraint in controls.active([bone]):
            todo += [other for target, other in controls.targets(constraint) if target == armature and other]
    return [bone.name for bone in armature.pose.bones if bone.name in found]


def _rests(bone: bpy.types.PoseBone, channel: str) -> bool:
    values = np.array(getattr(bone, channel))
    if channel == "rotation_axis_angle":
        return bool(abs(values[0]) < CLOSE)
    if channel == "rotation_quaternion":
        length = np.linalg.norm(values)
        return bool(length < CLOSE or np.linalg.norm(values[1:]) / length < CLOSE)
    return bool(np.abs(values - REST[channel]).max() < CLOSE)
