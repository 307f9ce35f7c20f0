"""How a rig was before something was put on it for the time being, so that it can be taken off again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import bpy

from . import controls, under


@dataclass(frozen=True)
class Before:
    """A rig as it was.

    action: the session_uid of the action that it showed; 0 for none.
    slot: the handle of its slot.
    fake: whether that action had a fake user.
    data: whether the rig had animation data.
    values: path -> what stood there.
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
    values = {place.path: place.get() for place in _places(armature)}
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
    for place in _places(armature):
        if place.path in before.values:
            place.set(before.values[place.path])
    armature.update_tag()


@dataclass(frozen=True)
class _Place:
    """Numbers that a dance may key.

    path: as a curve calls it.
    owner: what has them.
    name: what it calls them.
    custom: whether they are a custom property, which may show words for its numbers.
    """

    path: str
    owner: Any
    name: str
    custom: bool = False

    def get(self) -> Any:
        found = self.owner[self.name] if self.custom else getattr(self.owner, self.name)
        return found if isinstance(found, int | float) else tuple(found)

    def set(self, value: Any) -> None:
        if self.custom:
            self.owner[self.name] = value
        else:
            setattr(self.owner, self.name, value)


def _places(armature: bpy.types.Object) -> Iterator[_Place]:
    yield from (_Place(name, armature, name) for name in under.REST)
    yield from _custom("", armature)
    for bone in armature.pose.bones:
        path = controls.bone_path(bone.name)
        yield from (_Place(f"{path}.{name}", bone, name) for name in under.REST)
        yield from _custom(path, bone)
        for one in bone.constraints:
            yield _Place(f"{controls.constraint_path(bone, one)}.influence", one, "influence")


def _custom(path: str, owner: bpy.types.Object | bpy.types.PoseBone) -> Iterator[_Place]:
    found = (name for name, value in owner.items() if isinstance(value, int | float))
    yield from (_Place(f'{path}["{bpy.utils.escape_identifier(name)}"]', owner, name, True) for name in found)
