"""What a user changed by hand of a lit stage since it was built, so that it is built with that again.

What counts are values and keys of what the stage has: of its objects, lamps and camera, of their constraints, and of
the materials of floor, cloth and costume. An object that was deleted stays away. What the user adds is not the stage's,
and stays where it is.
"""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import bpy
import numpy as np

from ..names import PREFIX, STAGE
from ..scene import actions, keying

PART = PREFIX + "part"
"""The custom property of an object of a stage that says which one it is, whatever it is called."""

BUILT = "built"
"""What keeps the values and keys with which a stage was built."""

KINDS = ("BOOLEAN", "INT", "FLOAT", "ENUM", "STRING")
LEFT_OUT = re.compile(r"matrix_|rna_|is_|(name|tag|dimensions|use_fake_user|active_material_index|dof_object)$")
"""Properties that are no choice of a user's about the stage, or are told by others."""

NUMBERED = re.compile(r"\.\d{3,}$")
"""What Blender adds to a name that is taken."""

COLUMNS = (("co", 2), ("interpolation", 1), ("handle_left", 2), ("handle_right", 2))
TYPES = ("handle_left_type", "handle_right_type")

State = dict[str, dict[str, dict[str, Any]]]
"""Of each owner its values by their paths, and its curves by theirs."""


def remember(scene: bpy.types.Scene, stage: bpy.types.Collection) -> None:
    """Let a stage that was just built keep how, for ``of``."""
    for ob in stage.objects:
        if STAGE in ob:
            ob[PART] = NUMBERED.sub("", ob.name)
    stage[PREFIX + BUILT] = _packed(_state(scene, stage))


def of(scene: bpy.types.Scene, stage: bpy.types.Collection, first: int) -> bytes:
    """What was changed of a stage since it was built; nothing where that is nothing, or is not known.

    first: its first frame, from which keys are counted.
    """
    built = _unpacked(stage.get(PREFIX + BUILT, b""))
    now, owners = _state(scene, stage), _owners(scene, stage)
    found: dict[str, Any] = {}
    for name, old in built.items():
        if name not in owners:
            found[name] = None
            continue
        new = now[name]
        values = {
            path: value
            for path, value in new["values"].items()
            if value != old["values"].get(path, value) or f"{path} 0" in old["curves"]
        }
        curves = {path: None for path in old["curves"] if path not in new["curves"]}
        changed = [path for path, told in new["curves"].items() if told != old["curves"].get(path)]
        curves |= {path: _points(_curve(owners[name], path), first) for path in changed}
        if values or curves:
            found[name] = {"values": values, "curves": curves}
    return _packed(found) if found else b""


def put_back(
    scene: bpy.types.Scene,
    stage: bpy.types.Collection,
    changes: bytes,
    first: int,
    anew: Sequence[tuple[int, int]] = (),
) -> None:
    """Change a stage that was just built as it was changed before.

    changes: as ``of`` gave them.
    first: as of ``of``.
    anew: frames [start, end), counted from the first, in which keys stay as they were built.
    """
    owners = _owners(scene, stage)
    for name, told in _unpacked(changes).items():
        owner = owners.get(name)
        if owner is None:
            continue
        if told is None:
            if isinstance(owner, bpy.types.Object):
                bpy.data.objects.remove(owner)
            continue
        for path, points in told["curves"].items():
            _set_curve(owner, path, points, first, anew)
        keyed = {path.rsplit(" ", 1)[0] for path in _curves(owner)}
        for path, value in told["values"].items():
            if path not in keyed:
                with contextlib.suppress(AttributeError, TypeError, ValueError, KeyError, IndexError):
                    _set(owner, path, value)


def _owners(scene: bpy.types.Scene, stage: bpy.types.Collection) -> dict[str, bpy.types.ID]:
    """What has values and keys of a stage, by names that are the same on every stage."""
    found: dict[str, bpy.types.ID] = {}
    for ob in stage.objects:
        if STAGE not in ob or PART not in ob:
            continue
        part = ob[PART]
        found[part] = ob
        if isinstance(ob.data, bpy.types.Light | bpy.types.Camera):
            found[f"{part} data"] = ob.data
        elif isinstance(ob.data, bpy.types.Mesh):
            trees = [material.node_tree for material in ob.data.materials if material and material.node_tree]
            found |= {f"{part} material {i}": tree for i, tree in enumerate(trees)}
    worn = (slot.material for ob in scene.objects for slot in ob.material_slots if slot.link == "OBJECT")
    costume = next((material for material in worn if material and STAGE in material and material.node_tree), None)
    return found if costume is None else found | {"costume": costume.node_tree}


def _state(scene: bpy.types.Scene, stage: bpy.types.Collection) -> State:
    found: State = {}
    for name, owner in _owners(scene, stage).items():
        curves = _curves(owner)
        keyed = {path.rsplit(" ", 1)[0] for path in curves}
        values = {path: value for path, value in _values(owner) if path not in keyed}
        found[name] = {"values": values, "curves": {path: _digest(curve) for path, curve in curves.items()}}
    return found


def _values(owner: bpy.types.ID) -> Iterator[tuple[str, Any]]:
    """Every value that a user may have set, and its path."""
    if isinstance(owner, bpy.types.NodeTree):
        for node in owner.nodes:
            path = f'nodes["{bpy.utils.escape_identifier(node.name)}"]'
            yield f"{path}.mute", node.mute
            for i, socket in enumerate(node.inputs):
                if not socket.is_linked and hasattr(socket, "default_value"):
                    yield f"{path}.inputs[{i}].default_value", _plain(socket.default_value)
        return
    yield from _own(owner, "")
    for constraint in getattr(owner, "constraints", ()):
        yield from _own(constraint, f'constraints["{bpy.utils.escape_identifier(constraint.name)}"].')


def _own(struct: bpy.types.bpy_struct, before: str) -> Iterator[tuple[str, Any]]:
    """The values of one structure. before: of its path."""
    for prop in struct.bl_rna.properties:
        name = prop.identifier
        if not prop.is_readonly and not prop.is_runtime and prop.type in KINDS and not LEFT_OUT.match(name):
            with contextlib.suppress(AttributeError, TypeError):
                yield before + name, _plain(getattr(struct, name))


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, set):
        return sorted(value)
    return value if isinstance(value, bool | int | float | str) else [_plain(one) for one in value]


def _set(owner: bpy.types.ID, path: str, value: Any) -> None:
    where, dot, name = path.rpartition(".")
    struct = owner.path_resolve(where) if dot else owner
    old = getattr(struct, name)
    setattr(struct, name, set(value) if isinstance(old, set) else value)


def _curves(owner: bpy.types.ID) -> dict[str, bpy.types.FCurve]:
    """The curves of what is animated, by path and index."""
    channels = _channels(owner)
    return {} if channels is None else {f"{curve.data_path} {curve.array_index}": curve for curve in channels.fcurves}


def _channels(owner: bpy.types.ID) -> bpy.types.ActionChannelbag | None:
    data = owner.animation_data
    if data is None or data.action is None or data.action_slot is None or not data.action.layers:
        return None
    return data.action.layers[0].strips[0].channelbag(data.action_slot, ensure=True)


def _curve(owner: bpy.types.ID, path: str) -> bpy.types.FCurve:
    return _curves(owner)[path]


def _digest(curve: bpy.types.FCurve) -> list[int]:
    """What tells a curve from one with other keys. Handles do not count: Blender moves them by itself."""
    points = _columns(curve)
    return [len(curve.keyframe_points), *(zlib.crc32(points[name].tobytes()) for name, _ in COLUMNS[:2])]


def _columns(curve: bpy.types.FCurve) -> dict[str, np.ndarray]:
    """The keys of a curve, by what they have."""
    keys, found = curve.keyframe_points, {}
    for name, width in (*COLUMNS, *((name, 1) for name in TYPES)):
        kind = np.float32 if width == 2 else np.int32
        found[name] = np.empty(len(keys) * width, kind)
        keys.foreach_get(name, found[name])
        found[name] = found[name].reshape(len(keys), width)
    return found


def _points(curve: bpy.types.FCurve, first: int) -> dict[str, list]:
    """The keys of a curve as JSON has them, counted from a frame."""
    columns = _columns(curve)
    for name in ("co", "handle_left", "handle_right"):
        columns[name][:, 0] -= first
    return {name: column.tolist() for name, column in columns.items()}


def _set_curve(
    owner: bpy.types.ID, path: str, points: dict[str, list] | None, first: int, anew: Sequence[tuple[int, int]]
) -> None:
    """Give a curve other keys, or take it away. The parameters are those of ``put_back``."""
    data_path, index = path.rsplit(" ", 1)
    channels = _channels(owner)
    if points is None:
        if channels is not None and (old := channels.fcurves.find(data_path, index=int(index))):
            channels.fcurves.remove(old)
        return
    columns = {name: np.array(column, np.float32) for name, column in points.items()}
    for name in ("co", "handle_left", "handle_right"):
        columns[name][:, 0] += first
    if channels is None:
        actions.new_action(owner, f"{owner.name} show", (), first)
        channels = _channels(owner)
        assert channels is not None
    old = channels.fcurves.find(data_path, index=int(index))
    if old is not None and anew:
        columns = _merged(columns, _columns(old), first, anew)
    if old is not None:
        channels.fcurves.remove(old)
    keying.add_keys(channels.fcurves.new(data_path, index=int(index)), columns)


def _merged(
    mine: dict[str, np.ndarray], built: dict[str, np.ndarray], first: int, anew: Sequence[tuple[int, int]]
) -> dict[str, np.ndarray]:
    """Keys of which those in some frames are as they were built."""

    def inside(columns: dict[str, np.ndarray]) -> np.ndarray:
        at = columns["co"][:, 0] - first
        return np.any([(at >= start) & (at < end) for start, end in anew], axis=0)

    kept, taken = ~inside(mine), inside(built)
    both = {name: np.concatenate((mine[name][kept], built[name][taken])) for name in mine}
    order = np.argsort(both["co"][:, 0], kind="stable")
    return {name: column[order] for name, column in both.items()}


def _packed(values: Any) -> bytes:
    return zlib.compress(json.dumps(values, separators=(",", ":")).encode())


def _unpacked(data: bytes) -> dict[str, Any]:
    """What was packed; nothing where it is damaged."""
    try:
        found = json.loads(zlib.decompress(data)) if data else {}
    except (ValueError, zlib.error, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
