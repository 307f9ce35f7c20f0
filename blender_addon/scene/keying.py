"""Curves of an action: in bulk, one key a frame, or single values."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

LINEAR = 1  # bpy.types.Keyframe.interpolation as foreach_set takes it; between one key a frame nothing smoother shows


@dataclass(frozen=True)
class Curve:
    """One animated number: values (t,), one a frame; a single one holds throughout. group: "" for none."""

    path: str
    index: int
    values: np.ndarray
    group: str


def add(channels: bpy.types.ActionChannelbag, curve: Curve, frame_start: int) -> None:
    """Add a curve, in place of one for the same number."""
    if old := channels.fcurves.find(curve.path, index=curve.index):
        channels.fcurves.remove(old)
    fcurve = channels.fcurves.new(curve.path, index=curve.index)
    if curve.group:
        fcurve.group = channels.groups.get(curve.group) or channels.groups.new(curve.group)
    count = len(curve.values)
    points = np.empty((count, 2), dtype=np.float32)
    points[:, 0] = np.arange(frame_start, frame_start + count)
    points[:, 1] = curve.values
    fcurve.keyframe_points.add(count)
    fcurve.keyframe_points.foreach_set("co", points.ravel())
    fcurve.keyframe_points.foreach_set("interpolation", np.full(count, LINEAR, dtype=np.int32))
    fcurve.update()


def set_value(target: bpy.types.ID, path: str, value: float, frame: int, group: str) -> None:
    """Key one number of ``target`` in its action, with the same value throughout."""
    data = target.animation_data
    channels = data.action.layers[0].strips[0].channelbag(data.action_slot, ensure=True)
    add(channels, Curve(path, 0, np.array([value]), group), frame)
