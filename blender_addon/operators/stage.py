"""Add a stage for the dance: what it is filmed on, lit by and seen from."""

from __future__ import annotations

import contextlib

import bpy

from .. import names
from ..api import light
from ..scene import playing, reading
from ..scene.wording import listed
from ..shared import FootlightError
from ..stage import film, scenery, surroundings, watched
from .at_once import AtOnce
from .polling import SaysWhy
from .settings import check_editable, dancer_or_none, find_dancer


class FOOTLIGHT_OT_add_stage(SaysWhy, AtOnce, bpy.types.Operator):
    """Add a floor, lights and a camera that follows the dance, in place of an earlier stage. F12 renders it"""

    bl_idname = names.ADD_STAGE
    bl_label = "Add Stage"
    bl_options = frozenset({"UNDO"})

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        check_editable(context.scene)
        there = any(ob.type == "ARMATURE" for ob in context.scene.objects)
        return "" if there else "There is no dancer yet. Add one first"

    def act(self, context: bpy.types.Context) -> str:
        scene = context.scene
        armatures = on_stage(context) or [find_dancer(context)]
        frames = _frames(scene, armatures)
        light.keep_changes(scene)
        camera = scenery.set_stage(scene, armatures, frames, film.aspect(scene))
        changed = surroundings.set_on(scene, camera)
        scenery.set_shading(scene)
        changed.append("Workbench shows textures and shadows")
        said = f"Stage for the frames {frames[0]} to {frames[1]}: {', '.join(changed)}."
        context.view_layer.update()
        bodies = [ob for ob in scene.objects if ob.type == "ARMATURE" or names.STAGE in ob]
        if others := watched.in_the_picture(scene, context.view_layer, camera, bodies):
            said += f" In the picture too: {listed(others)}."
        if scene.frame_end < frames[1] or scene.frame_start > frames[0]:
            said += f" A film would have the scene's frames, {scene.frame_start} to {scene.frame_end}."
        return said


def on_stage(context: bpy.types.Context) -> list[bpy.types.Object]:
    """All that have a dance, and the one that is chosen; empty where there is no armature.

    Raises UserError when nobody has a dance and it is not clear who is chosen.
    """
    found = [ob for ob in context.scene.objects if playing.is_dance(ob) and ob.type == "ARMATURE"]
    try:
        chosen = dancer_or_none(context)
    except FootlightError:
        if not found:
            raise
        return found
    return found if chosen is None or chosen in found else [chosen, *found]


def _frames(scene: bpy.types.Scene, armatures: list[bpy.types.Object]) -> tuple[int, int]:
    """The frames on which they dance, or are animated; the current one where nobody is."""
    ranges = [playing.frames_of(ob) for ob in armatures if playing.is_dance(ob)]
    for armature in armatures if not ranges else ():
        with contextlib.suppress(FootlightError):
            ranges.append(reading.animated_range(armature))
    ranges = ranges or [(scene.frame_current, scene.frame_current)]
    return min(first for first, _ in ranges), max(last for _, last in ranges)
