"""An armature on any frame, evaluated in a scene beside the user's that holds nothing but the armature.

What its constraints and drivers point at is evaluated with it. That is quick, for no skin is bent, and poses that have
no keys yet, caches and the timeline stay untouched. Only a rig that looks at the scene itself (a driver on its current
frame, say) has to be evaluated there; the scene goes back to its frame afterwards.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import bpy
import numpy as np

from . import songs
from .apart import copied

Stance = tuple[np.ndarray, np.ndarray]
"""The armature's place in the world (4, 4) and its bones' matrices (bones, 4, 4) in its own space."""


@contextlib.contextmanager
def evaluated(scene: bpy.types.Scene, armature: bpy.types.Object) -> Iterator[Callable[[int], bpy.types.Object]]:
    """A function that evaluates ``armature`` on a frame, also where it is disabled in viewports."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(_enabled(armature))
        stage = stack.enter_context(copied(scene, objects=False))
        stage.collection.objects.link(armature)
        layer = stage.view_layers[0]
        stage.frame_set(scene.frame_current)
        if any(item.original == scene for item in layer.depsgraph.ids):
            stage = stack.enter_context(_kept_frame(scene))
            layer = next((one for one in scene.view_layers if armature.name in one.objects), scene.view_layers[0])
        else:  # a driver's expression may ask the context for the scene
            stack.enter_context(bpy.context.temp_override(scene=stage, view_layer=layer))

        def on(frame: int) -> bpy.types.Object:
            stage.frame_set(frame)
            return armature.evaluated_get(layer.depsgraph)

        yield on


def nla_strips(armature: bpy.types.Object) -> list[bpy.types.NlaStrip]:
    """The NLA strips of ``armature`` that play: of a track that plays solo alone, and of none that is muted."""
    data = armature.animation_data
    if not (data and data.use_nla):
        return []
    tracks = [track for track in data.nla_tracks if track.is_solo] or data.nla_tracks
    return [strip for track in tracks for strip in track.strips if not (track.mute or strip.mute)]


def dance_of(armature: bpy.types.Object) -> bpy.types.Action | None:
    """The action that ``armature`` has, or else the dance of Footlight's that its NLA strips play."""
    data = armature.animation_data
    if data is None or data.action is not None:
        return data.action if data else None
    played = [strip.action for strip in nla_strips(armature) if strip.action and songs.MADE in strip.action]
    return played[-1] if played else None


def slot_of(action: bpy.types.Action) -> bpy.types.ActionSlot:
    """The slot of an action that an armature's object takes."""
    return next(slot for slot in action.slots if slot.target_id_type in ("OBJECT", "UNSPECIFIED"))


def animated_spans(armature: bpy.types.Object) -> list[tuple[float, float]]:
    """The first and the last frame that the action of ``armature`` speaks of, and of each NLA strip that plays."""
    data = armature.animation_data
    spans = [(strip.frame_start, strip.frame_end) for strip in nla_strips(armature)]
    if data and data.action and not data.use_tweak_mode:
        spans.append(_action_span(data.action, data.action_slot))
    return spans


def sampled(scene: bpy.types.Scene, armature: bpy.types.Object, count: int) -> list[int]:
    """At most ``count`` frames, spread over those that the action and the NLA strips of ``armature`` speak of; the
    current frame when it has none."""
    spans = animated_spans(armature)
    if not spans:
        return [scene.frame_current]
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    return np.unique(np.linspace(first, last, count).round().astype(int)).tolist()


def stance(armature: bpy.types.Object, names: Sequence[str]) -> Stance:
    """How an evaluated armature stands.

    names: its bones.
    """
    bones = armature.pose.bones
    columns = np.empty(len(bones) * 16, dtype=np.float32)
    bones.foreach_get("matrix", columns)
    chosen = columns.reshape(-1, 4, 4)[[bones.find(name) for name in names]]
    return np.array(armature.matrix_world), chosen.transpose(0, 2, 1).astype(float)


@contextlib.contextmanager
def _enabled(armature: bpy.types.Object) -> Iterator[None]:
    """Blender evaluates nothing that is disabled in viewports, unless something visible needs it."""
    if not armature.hide_viewport:
        yield
        return
    armature.hide_viewport = False
    try:
        yield
    finally:
        armature.hide_viewport = True


@contextlib.contextmanager
def _kept_frame(scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    frame, subframe = scene.frame_current, scene.frame_subframe
    try:
        yield scene
    finally:
        scene.frame_set(frame, subframe=subframe)


def _action_span(action: bpy.types.Action, slot: bpy.types.ActionSlot | None) -> tuple[float, float]:
    if action.use_frame_range:
        return action.frame_start, action.frame_end
    bags = [strip.channelbag(slot) for layer in action.layers for strip in layer.strips] if slot else []
    ranges = [curve.range() for bag in bags if bag for curve in bag.fcurves]
    if not ranges:
        return tuple(action.frame_range)
    return min(start for start, _ in ranges), max(end for _, end in ranges)
