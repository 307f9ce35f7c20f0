"""Play what was made: heard and seen on the same beat, from its first frame on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import bpy

from .. import names
from ..scene import bringing, playing, versions
from ..shared import FootlightError
from .job_operator import redraw
from .polling import SaysWhy
from .settings import find_dancer, settings_of


class FOOTLIGHT_OT_play(SaysWhy, bpy.types.Operator):
    """Play the dance and its music from the first frame, or stop. Sets the preview range and mutes other music"""

    bl_idname = names.PLAY
    bl_label = "Play"
    bl_options = frozenset({"UNDO"})

    @classmethod
    def lack(cls, context: bpy.types.Context) -> str:
        if not is_playing(context):
            _plan(context)
        return ""

    def execute(self, context: bpy.types.Context) -> set[str]:
        if is_playing(context):
            bpy.ops.screen.animation_cancel(restore_frame=False)
            redraw(context)
            return {"CANCELLED"}  # nothing that undo could take back
        scene = context.scene
        wanted, said = _plan(context), []
        try:
            if wanted.strip is not None and wanted.source != scene:
                brought = bringing.copy(scene, wanted.source, wanted.strip)
                said.append(brought.said.rstrip("."))
                settings_of(scene).strip = brought.strip.name
                wanted = replace(wanted, strip=brought.strip)
        except FootlightError as error:
            self.report({"WARNING"}, str(error))
            wanted = replace(wanted, strip=None)
        said += playing.prepare(scene, wanted)
        _start(context)
        redraw(context)
        if said:
            self.report({"INFO"}, f"Set for playing: {'; '.join(said)}.")
        return {"FINISHED"}


def is_playing(context: bpy.types.Context) -> bool:
    """Whether Blender plays an animation in any window."""
    return any(window.screen.is_animation_playing for window in context.window_manager.windows)


def face(context: bpy.types.Context) -> dict[str, str]:
    """What the button is called, and its icon."""
    return {"text": "Stop", "icon": "PAUSE"} if is_playing(context) else {"text": "Play", "icon": "PLAY"}


def _plan(context: bpy.types.Context) -> playing.Plan:
    scene = context.scene
    armature = None
    with contextlib.suppress(FootlightError):
        armature = find_dancer(context)
    return playing.plan(scene, armature, everything=settings_of(scene).source == "MIX")


def _start(context: bpy.types.Context) -> None:
    """Start playing, where there is a window."""
    if context.window is None or bpy.app.background:
        return
    with _where_this_scene_plays(context):
        bpy.ops.screen.animation_play()


@contextlib.contextmanager
def _where_this_scene_plays(context: bpy.types.Context) -> Iterator[None]:
    """An area in which Blender plays the window's scene. Since 5.0 a sequencer plays the scene that it shows, which may
    be another one: then any other area, and where there is none the sequencer shows this scene from now on."""
    if (
        context.area is None
        or context.area.type != "SEQUENCE_EDITOR"
        or versions.sequencer_scene(context) == context.scene
    ):
        yield
        return
    others = [area for area in context.window.screen.areas if area.type != "SEQUENCE_EDITOR"]
    if not others:
        versions.show_in_sequencer(context.window, context.scene)
        yield
        return
    area = next((one for one in others if one.type == "VIEW_3D"), others[0])
    region = next(one for one in area.regions if one.type == "WINDOW")
    with context.temp_override(window=context.window, area=area, region=region):
        yield
