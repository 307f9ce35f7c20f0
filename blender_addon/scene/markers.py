"""Beats as timeline markers. Only markers that Footlight made are ever removed.

Blender gives markers nothing to be known by but their names (custom properties on them ended with 5.0), so Footlight's
have names that nobody types: a note sign, the number of the bar where one begins, and the count in the eight. Renamed,
a marker is the user's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import bpy

from ..shared import beat_grid, counts

SIGN = "\N{EIGHTH NOTE}"
POINT = "\N{MIDDLE DOT}"
OWN = re.compile(rf"{SIGN}( \d+)?( {POINT}\d+(, eight \d+)?)?")


def show_beats(
    scene: bpy.types.Scene,
    frames: Sequence[float],
    downbeats: Sequence[bool] | None = None,
    *,
    bars_only: bool = False,
) -> list[bpy.types.TimelineMarker]:
    """Markers on ``frames`` in place of those shown before.

    downbeats: which of them begin a bar.
    bars_only: whether the others are left out, where it is known which these are.
    """
    remove_beats(scene)
    made = []
    known = downbeats is not None and any(downbeats)
    for i, (frame, name) in enumerate(zip(frames, _names(frames, downbeats if known else None), strict=True)):
        if bars_only and known and not (downbeats and downbeats[i]):
            continue
        marker = scene.timeline_markers.new(name, frame=round(frame))
        marker.select = False
        made.append(marker)
    return made


def _names(frames: Sequence[float], downbeats: Sequence[bool] | None) -> list[str]:
    """What the markers of beats are called."""
    if downbeats is None or len(frames) < 2:
        return [SIGN] * len(frames)
    names = []
    for one, begins_bar in zip(counts.counts(beat_grid.Grid.of(frames, downbeats)), downbeats, strict=True):
        bar = f" {one.bar}" if begins_bar else ""
        eight = f", eight {one.eight}" if one.count == 1 and one.eight else ""
        names.append(f"{SIGN}{bar} {POINT}{one.count}{eight}")
    return names


def shown(scene: bpy.types.Scene) -> tuple[int, int]:
    """How many beats are marked, and how many of them begin a bar."""
    own = [found for marker in scene.timeline_markers if (found := OWN.fullmatch(marker.name))]
    return len(own), sum(found[1] is not None for found in own)


def users(scene: bpy.types.Scene) -> list[bpy.types.TimelineMarker]:
    """The markers that somebody else set, without those that a camera hangs on."""
    return [marker for marker in scene.timeline_markers if not (OWN.fullmatch(marker.name) or marker.camera)]


def remove_beats(scene: bpy.types.Scene) -> int:
    """Take away every marker that ``show_beats`` made; returns how many."""
    own = [marker for marker in scene.timeline_markers if OWN.fullmatch(marker.name)]
    for marker in own:
        scene.timeline_markers.remove(marker)
    return len(own)
