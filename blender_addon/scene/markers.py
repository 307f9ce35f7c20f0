"""Beats as timeline markers. Only markers that Footlight made are ever removed.

Blender gives markers nothing to be known by but their names (custom properties on them ended with 5.0), so Footlight's
have names that nobody types: a note sign, and the number of the bar where one begins. Renamed, a marker is the user's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import bpy

SIGN = "\N{EIGHTH NOTE}"
OWN = re.compile(rf"{SIGN}( \d+)?")


def show_beats(
    scene: bpy.types.Scene,
    frames: Sequence[float],
    downbeats: Sequence[bool] | None = None,
    *,
    bars_only: bool = False,
) -> list[bpy.types.TimelineMarker]:
    """Markers on ``frames`` in place of those shown before. downbeats: which of them begin a bar.
    bars_only: whether the others are left out, where it is known which these are."""
    remove_beats(scene)
    made = []
    bar, known = 0, downbeats is not None and any(downbeats)
    for i, frame in enumerate(frames):
        begins_bar = downbeats is not None and bool(downbeats[i])
        bar += begins_bar
        if bars_only and known and not begins_bar:
            continue
        marker = scene.timeline_markers.new(f"{SIGN} {bar}" if begins_bar else SIGN, frame=round(frame))
        marker.select = False
        made.append(marker)
    return made


def shown(scene: bpy.types.Scene) -> tuple[int, int]:
    """How many beats are marked, and how many of them begin a bar."""
    own = [found for marker in scene.timeline_markers if (found := OWN.fullmatch(marker.name))]
    return len(own), sum(found[1] is not None for found in own)


def remove_beats(scene: bpy.types.Scene) -> int:
    """Take away every marker that ``show_beats`` made; returns how many."""
    own = [marker for marker in scene.timeline_markers if OWN.fullmatch(marker.name)]
    for marker in own:
        scene.timeline_markers.remove(marker)
    return len(own)
