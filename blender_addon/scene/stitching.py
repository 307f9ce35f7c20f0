"""Put a range of one action into a copy of another. Outside of the range nothing changes, on any frame."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise

import bpy
import numpy as np

from ..shared import parts
from . import staging, standing

BLEND = 0.25  # seconds in which a difference at the ends of the range fades out
_BONE = 'pose.bones["'


@dataclass(frozen=True)
class Range:
    """What goes in.

    first, last: frames, both included.
    keys: frames among them whose poses stay.
    chosen: names of ``core.edits.parts.BODY_PARTS``.
    fps: frames per second.
    """

    first: int
    last: int
    keys: tuple[int, ...]
    chosen: tuple[str, ...]
    fps: float

    @property
    def anchors(self) -> list[int]:
        """Frames at which the old curves are met."""
        return [self.first - 1, *sorted(self.keys), self.last + 1]


def stitched(
    scene: bpy.types.Scene, armature: bpy.types.Object, base: bpy.types.Action, made: bpy.types.Action, part: Range
) -> bpy.types.Action:
    """A copy of ``base`` with the range of ``made``, of the bones that the parts of the body mean."""
    edited = base.copy()
    edited.use_fake_user = True
    old, new = _channels(edited), _channels(made)
    wanted = None if set(part.chosen) == set(parts.BODY_PARTS) else _bones(scene, armature, part.chosen)
    for path in dict.fromkeys(curve.data_path for curve in new.fcurves):
        if wanted is not None and not _is_of(path, wanted, part.chosen):
            continue
        pairs = [(old.fcurves.find(path, index=curve.array_index), curve) for curve in _of(new, path)]
        pairs = [(before, after) for before, after in pairs if before is not None and len(before.keyframe_points) > 1]
        if pairs:
            _replace(pairs, part, path)
    return edited


def _replace(pairs: list[tuple[bpy.types.FCurve, bpy.types.FCurve]], part: Range, path: str) -> None:
    """Put the new curves of one property into the old ones."""
    frames = np.arange(part.first, part.last + 1)
    anchors = np.array(part.anchors)
    before = np.array([[old.evaluate(frame) for frame in anchors] for old, _ in pairs])
    there = np.array([[new.evaluate(frame) for frame in anchors] for _, new in pairs])
    values = np.array([[new.evaluate(frame) for frame in frames] for _, new in pairs])
    if path.endswith("rotation_quaternion"):
        sign = math.copysign(1.0, float(np.sum(before[:, 0] * there[:, 0])))
        there, values = sign * there, sign * values
    elif path.endswith("rotation_euler"):
        turns = 2 * math.pi * np.round((before[:, :1] - there[:, :1]) / (2 * math.pi))
        there, values = there + turns, values + turns
    values = values + _fading(frames, anchors, before - there, BLEND * part.fps)
    for (old, _), row in zip(pairs, values, strict=True):
        _put(old, frames, row)


def _fading(frames: np.ndarray, anchors: np.ndarray, apart: np.ndarray, span: float) -> np.ndarray:
    """What is added (n, t) to meet the old curves: their differences (n, a) at the anchors, fading out beside them."""
    added = np.zeros((len(apart), len(frames)))
    for i, (start, end) in enumerate(pairwise(anchors)):
        inside = (frames >= start) & (frames < end)
        for anchor, column in ((start, apart[:, i]), (end, apart[:, i + 1])):
            away = np.abs(frames[inside] - anchor) / max(1.0, min(span, end - start))
            added[:, inside] += column[:, None] * (0.5 + 0.5 * np.cos(np.pi * away.clip(0, 1)))
    return added


def _put(curve: bpy.types.FCurve, frames: np.ndarray, values: np.ndarray) -> None:
    """Key a curve at frames, in place of the keys that are there. On every other frame it keeps its value.

    Where keys are farther apart than a frame, what lies between the range and the next key on either side is keyed at
    every frame, and those keys keep their handles.
    """
    points = curve.keyframe_points
    first, last = int(frames[0]), int(frames[-1])
    left = max((point.co.x for point in points if point.co.x < first), default=first - 2)
    right = min((point.co.x for point in points if point.co.x > last), default=last + 2)
    beside = [*range(math.floor(left) + 1, first), *range(last + 1, math.ceil(right))]
    keyed = [(frame, curve.evaluate(frame)) for frame in beside] + list(zip(frames.tolist(), values, strict=True))
    for point in points:
        if point.co.x in (left, right):
            point.handle_left_type = point.handle_right_type = "FREE"
    for point in reversed([point for point in points if first <= point.co.x <= last]):
        points.remove(point, fast=True)
    for frame, value in sorted(keyed):
        points.insert(frame, value, options={"FAST"}).interpolation = "LINEAR"
    curve.update()


def _bones(scene: bpy.types.Scene, armature: bpy.types.Object, chosen: Collection[str]) -> set[str]:
    """The bones that parts of the body mean: those of their joints, and those below that are of no other joint."""
    of_joint = {bone.name: bone.joint for bone in standing.rest_of(scene, armature).bones}
    joints = set(parts.joints_of(tuple(chosen)))

    def joint(bone: bpy.types.Bone | None) -> int:
        while bone is not None and not of_joint.get(bone.name, len(parts.JOINTS)) < len(parts.JOINTS):
            bone = bone.parent
        return of_joint[bone.name] if bone is not None else 0

    return {bone.name for bone in armature.data.bones if joint(bone) in joints}


def _is_of(path: str, bones: set[str], chosen: Collection[str]) -> bool:
    """Whether a curve is of one of the bones; the object's own are of the legs, which carry it about."""
    if not path.startswith(_BONE):
        return "legs" in chosen
    return bpy.utils.unescape_identifier(path.removeprefix(_BONE).rpartition('"]')[0]) in bones


def _channels(action: bpy.types.Action) -> bpy.types.ActionChannelbag:
    return action.layers[0].strips[0].channelbag(staging.slot_of(action), ensure=True)


def _of(channels: bpy.types.ActionChannelbag, path: str) -> Iterable[bpy.types.FCurve]:
    return (curve for curve in channels.fcurves if curve.data_path == path)
