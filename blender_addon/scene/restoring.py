"""How a rig was before something was put on it for the time being, so that it can be taken off again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import bpy

from . import controls, under

PLACES = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale")
"""Channels of an object, as of a bone."""


@dataclass(frozen=True)
class Before:
    """A rig as it was.

    action: the session_uid of the action that it showed; 0 for none.  slot: the handle of its slot.  fake: whether that
    action had a fake user.  data: whether the rig had animation data.  values: path -> what stood there.
    """

    action: int
    slot: int
    fake: bool
    data: bool
    values: dict[str, Any]


def of(armature: bpy.types.Object) -> Before:
    """How a rig is now: its action, its pose, where it stands, and what its controls are set to. Of that only what is
    keyed meanwhile is worth restoring, see ``keyed``."""
    data = armature.animation_data
    action = data.action if data else None
    slot = data.action_slot if data else None
    values = {path: _plain(armature.path_resolve(path)) for path in _paths(armature)}
    return Before(
        action.session_uid if action else 0,
        slot.handle if slot else 0,
        bool(action and action.use_fake_user),
        data is not None,
        values,
    )


def keyed(before: Before, action: bpy.types.Action) -> Before:
    """Without the values that an action leaves alone, which the user may change."""
    paths = {curve.data_path for curve in under.curves(action, action.slots[0])}
    return replace(before, values={path: value for path, value in before.values.items() if path in paths})


def restore(armature: bpy.types.Object, before: Before) -> None:
    """Let a rig be as it was, as far as that is still there."""
    action = next((one for one in bpy.data.actions if before.action and one.session_uid == before.action), None)
    data = armature.animation_data
    if data is not None:
        data.action = action
        if action is not None:
            data.action_slot = next((slot for slot in action.slots if slot.handle == before.slot), None)
            action.use_fake_user = before.fake
        elif not (before.data or data.nla_tracks or data.drivers):
            armature.animation_data_clear()
    there = {*_paths(armature)}
    for path, value in before.values.items():
        if path in there:
            _set(armature, path, value)
    armature.update_tag()


def _paths(armature: bpy.types.Object) -> Iterator[str]:
    """The paths of all numbers that a dance may key."""
    yield from (*PLACES, *_numbers("", armature))
    for bone in armature.pose.bones:
        path = controls.bone_path(bone.name)
        yield from (f"{path}.{channel}" for channel in under.REST)
        yield from _numbers(path, bone)
        names = (bpy.utils.escape_identifier(constraint.name) for constraint in bone.constraints)
        yield from (f'{path}.constraints["{name}"].influence' for name in names)


def _numbers(path: str, owner: bpy.types.Object | bpy.types.PoseBone) -> Iterator[str]:
    """The paths of custom properties that are numbers."""
    found = (name for name, value in owner.items() if isinstance(value, int | float))
    yield from (f'{path}["{bpy.utils.escape_identifier(name)}"]' for name in found)


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float) else tuple(value)


def _set(armature: bpy.types.Object, path: str, value: Any) -> None:
    custom = path.endswith('"]')
    owner, _, name = path.rpartition('["' if custom else ".")
    place = armature.path_resolve(owner) if owner else armature
    if custom:
        place[bpy.utils.unescape_identifier(name.removesuffix('"]'))] = value
    else:
        setattr(place, name, value)
