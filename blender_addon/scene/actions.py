"""Write a dance into a new action: slotted, in bulk, one key a frame and nothing else touched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler, Quaternion

from ..errors import UserError
from ..names import PREFIX
from ..shared import retarget, skeleton
from . import rigs

LINEAR = 1  # bpy.types.Keyframe.interpolation as foreach_set takes it; between one key a frame nothing smoother shows

KEPT = ("seed", "model", "audio_sha256", "engine", "tempo", "style")
"""Texts in a dance's file that its action keeps."""


@dataclass(frozen=True)
class Curve:
    """One animated number: values (t,), one a frame."""

    path: str
    index: int
    values: np.ndarray
    group: str


def write_dance(
    result: str | Path,
    armature: bpy.types.Object,
    frame_start: int,
    *,
    name: str = "Dance",
    frames: int | None = None,
    properties: dict | None = None,
) -> bpy.types.Action:
    """Give ``armature`` a new action with the dance that the engine left in the file ``result``.

    frame_start: where its first frame goes.  frames: at most this many are written.  properties: further custom
    properties of the action.  The action that was there before stays in the file.
    Raises UserError when the file is not a dance or the armature cannot take it; then nothing is changed.
    """
    values = read_dance(result)
    rotations, root = _checked(values, result)
    rigs.check_writable(armature)
    keys = retarget.keys(rotations[:frames], root[:frames], rigs.at_rest(armature).bones)
    curves = list(curves_of(armature, keys))
    action = new_action(armature, name, curves, frame_start)
    kept = {key: str(values[key]) for key in KEPT if key in values}
    for key, value in {**kept, **(properties or {})}.items():
        action[PREFIX + key] = value
    return action


def read_dance(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a dance's file: see ``core.formats.dance``. Raises UserError when it is damaged or no such file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # of a damaged file zipfile and numpy say nearly anything
        raise UserError(f"The dance {path} cannot be read ({error}). Generate it again.") from None


def curves_of(armature: bpy.types.Object, keys: retarget.Keys) -> Iterable[Curve]:
    """The curves that hold ``keys``, in each bone's own rotation mode."""
    for name, rotations in keys.rotations.items():
        bone = f'pose.bones["{bpy.utils.escape_identifier(name)}"]'
        if name == keys.root:
            yield from (Curve(f"{bone}.location", i, keys.location[:, i], name) for i in range(3))
        mode = armature.pose.bones[name].rotation_mode
        if mode == "QUATERNION":
            path, values = "rotation_quaternion", rotations
        elif mode == "AXIS_ANGLE":
            path, values = "rotation_axis_angle", _axis_angles(rotations)
        else:
            path, values = "rotation_euler", _eulers(rotations, mode)
        yield from (Curve(f"{bone}.{path}", i, values[:, i], name) for i in range(values.shape[1]))


def new_action(target: bpy.types.ID, name: str, curves: Iterable[Curve], frame_start: int) -> bpy.types.Action:
    """A new action with a slot for ``target``, assigned to it and kept by a fake user."""
    action = bpy.data.actions.new(name)
    action.use_fake_user = True
    slot = action.slots.new(id_type=target.id_type, name=target.name)
    channels = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    groups: dict[str, bpy.types.ActionGroup] = {}
    for curve in curves:
        fcurve = channels.fcurves.new(curve.path, index=curve.index)
        if curve.group not in groups:
            groups[curve.group] = channels.groups.new(curve.group)
        fcurve.group = groups[curve.group]
        count = len(curve.values)
        points = np.empty((count, 2), dtype=np.float32)
        points[:, 0] = np.arange(frame_start, frame_start + count)
        points[:, 1] = curve.values
        fcurve.keyframe_points.add(count)
        fcurve.keyframe_points.foreach_set("co", points.ravel())
        fcurve.keyframe_points.foreach_set("interpolation", np.full(count, LINEAR, dtype=np.int32))
        fcurve.update()
    data = target.animation_data or target.animation_data_create()
    if data.action is not None:
        data.action.use_fake_user = True  # else the user's animation would be gone after the next save
    data.action = action
    data.action_slot = slot
    return action


def _checked(values: dict[str, np.ndarray], result: str | Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        rotations, root, joints = values["rotations"], values["root"], tuple(values["joints"].tolist())
    except KeyError:
        raise UserError(f"{result} holds no dance: joint rotations were expected. Generate the dance again.") from None
    if joints != skeleton.JOINTS or rotations.shape[1:] != (22, 4) or root.shape != (len(rotations), 3):
        raise UserError("The engine and the add-on are of different versions. Reinstall the add-on.")
    if not (np.isfinite(rotations).all() and np.isfinite(root).all()):
        raise UserError("The engine's dance has invalid numbers in it. Try another seed, or a smaller guidance.")
    return rotations, root


def _eulers(rotations: np.ndarray, order: str) -> np.ndarray:
    found, last = [], Euler((0.0, 0.0, 0.0), order)
    for rotation in rotations:
        last = Quaternion(rotation).to_euler(order, last)
        found.append(tuple(last))
    return np.array(found)


def _axis_angles(rotations: np.ndarray) -> np.ndarray:
    # Signs are continuous, so half the angle is taken over the full circle: no jump where the axis turns over.
    sine = np.linalg.norm(rotations[:, 1:], axis=1, keepdims=True)
    axis = np.where(sine > 1e-9, rotations[:, 1:] / np.maximum(sine, 1e-9), (0.0, 1.0, 0.0))
    return np.concatenate((2.0 * np.arctan2(sine, rotations[:, :1]), axis), axis=1)
