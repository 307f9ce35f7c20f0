"""Curves of an action, in bulk: one key a frame, some keys, or single values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from ..shared import posing, splines

# What foreach_set takes for bpy.types.Keyframe.interpolation, and for the types of its handles.
LINEAR = 1  # between one key a frame nothing smoother shows
BEZIER = 2
FREE = 0
ALIGNED = 3


@dataclass(frozen=True)
class Curve:
    """One animated number.

    values: (t,) one a frame; a single one holds throughout.
    group: "" for none.
    track: what it is keyed together with; None where it is keyed by itself.
    keys: which frames are keyed; None for all.
    """

    path: str
    index: int
    values: np.ndarray
    group: str
    track: posing.Track | None = None
    keys: splines.Keyed | None = None


def add(channels: bpy.types.ActionChannelbag, curve: Curve, frame_start: int) -> None:
    """Add a curve, in place of one for the same number, in whose group it stays."""
    group = curve.group
    if old := channels.fcurves.find(curve.path, index=curve.index):
        group = old.group.name if old.group else group
        channels.fcurves.remove(old)
    fcurve = channels.fcurves.new(curve.path, index=curve.index)
    if group:
        fcurve.group = channels.groups.get(group) or channels.groups.new(group)
    at = np.arange(len(curve.values)) if curve.keys is None else curve.keys.at
    points = np.stack((frame_start + at, curve.values[at]), axis=1).astype(np.float32)
    smooth = curve.keys is not None and curve.keys.smooth
    fcurve.keyframe_points.add(len(at))
    fcurve.keyframe_points.foreach_set("co", points.ravel())
    fcurve.keyframe_points.foreach_set("interpolation", np.full(len(at), BEZIER if smooth else LINEAR, dtype=np.int32))
    if curve.keys is not None and smooth:
        _add_handles(fcurve.keyframe_points, points, curve.values, curve.keys)
    fcurve.update()


def add_keys(fcurve: bpy.types.FCurve, columns: Mapping[str, np.ndarray]) -> None:
    """Give a new curve its keys.

    columns: by what ``foreach_set`` takes: co, interpolation, the handles and their types.
    """
    keys = fcurve.keyframe_points
    keys.add(len(columns["co"]))
    for name in ("co", "interpolation", "handle_left_type", "handle_right_type", "handle_left", "handle_right"):
        column = columns[name].ravel()
        keys.foreach_set(name, column.astype(np.float32 if columns[name].shape[-1] == 2 else np.int32))
    fcurve.update()


def _add_handles(
    added: bpy.types.FCurveKeyframePoints, points: np.ndarray, values: np.ndarray, keys: splines.Keyed
) -> None:
    """Handles at a third of the way to the next key, by which Blender's curve is that of ``splines``."""
    gaps = np.diff(points[:, 0], prepend=points[0, 0] - 1, append=points[-1, 0] + 1)
    sides = ("left", -gaps[:-1] / 3), ("right", gaps[1:] / 3)
    for (side, away), slope in zip(sides, splines.slopes(values[:, None], keys), strict=True):
        handles = points + np.stack((away, away * slope[:, 0]), axis=1)
        added.foreach_set(f"handle_{side}", handles.astype(np.float32).ravel())
        added.foreach_set(f"handle_{side}_type", np.where(keys.corners, FREE, ALIGNED).astype(np.int32))


def set_value(target: bpy.types.ID, path: str, value: float, frame: int, group: str) -> None:
    """Key one number of ``target`` in its action, with the same value throughout."""
    data = target.animation_data
    channels = data.action.layers[0].strips[0].channelbag(data.action_slot, ensure=True)
    add(channels, Curve(path, 0, np.array([value]), group), frame)
