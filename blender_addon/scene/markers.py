"""Beats as timeline markers. Only markers that Footlight made are ever removed."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..names import MARKER_MARK


def show_beats(
    scene: bpy.types.Scene, frames: Sequence[float], downbeats: Sequence[bool] | None = None
) -> list[bpy.types.TimelineMarker]:
    """Markers on ``frames`` in place of those shown before. downbeats: which of them begin a bar."""
    remove_beats(scene)
    made = []
    bar = 0
    for i, frame in enumerate(frames):
        first = bool(downbeats[i]) if downbeats is not None else False
        bar += first
        marker = scene.timeline_markers.new(f"bar {bar}" if first else "beat", frame=round(frame))
        marker[MARKER_MARK] = 2 if first else 1
        marker.select = False
        made.append(marker)
    return made


def remove_beats(scene: bpy.types.Scene) -> int:
    """Take away every marker that ``show_beats`` made; returns how many."""
    own = [marker for marker in scene.timeline_markers if MARKER_MARK in marker]
    for marker in own:
        scene.timeline_markers.remove(marker)
    return len(own)
