"""Where Blender 4.5 and 5.x differ. Nothing else in the add-on asks which Blender this is."""

from __future__ import annotations

import bpy

NAME = bpy.app.version_string
"""Which Blender this is, for messages."""

NEW_STRIP_TIMES = bpy.app.version >= (5, 2, 0)
"""Strip timing goes by new names; the old ones are deprecated."""


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose sequencer the user sees: since 5.0 a workspace may show another scene's."""
    return getattr(context, "sequencer_scene", None) or context.scene


def show_in_sequencer(window: bpy.types.Window, scene: bpy.types.Scene) -> bool:
    """Let the sequencers of a window show ``scene``. Since 5.0 they show the scene that their workspace names, and none
    where it names none; before, always the window's. Returns whether one that is open showed another scene."""
    workspace = window.workspace
    if not hasattr(workspace, "sequencer_scene") or workspace.sequencer_scene == scene:
        return False
    workspace.sequencer_scene = scene
    return any(area.type == "SEQUENCE_EDITOR" for area in window.screen.areas)


def handles(strip: bpy.types.Strip) -> tuple[int, int]:
    """The first visible frame of a strip and the first one after it."""
    if NEW_STRIP_TIMES:
        return strip.left_handle, strip.right_handle
    return strip.frame_final_start, strip.frame_final_end


def offer_to_sequencer(window: bpy.types.Window, scene: bpy.types.Scene) -> None:
    """Let the sequencers of a window show ``scene`` where they show none: else they offer but New, which makes another
    scene, and shows that one everywhere."""
    if getattr(window.workspace, "sequencer_scene", scene) is None:
        window.workspace.sequencer_scene = scene


def content_start(strip: bpy.types.Strip) -> float:
    """The frame on which a strip's content begins, shown or not."""
    return strip.content_start if NEW_STRIP_TIMES else strip.frame_start


def set_handles(strip: bpy.types.Strip, first: int, end: int) -> None:
    """Show a strip from ``first`` to before ``end``; its content stays where it is."""
    if NEW_STRIP_TIMES:
        strip.left_handle, strip.right_handle = first, end
    else:
        strip.frame_final_start, strip.frame_final_end = first, end


def set_end(strip: bpy.types.Strip, end: int) -> None:
    """Make ``end`` the first frame after a strip."""
    if NEW_STRIP_TIMES:
        strip.right_handle = end
    else:
        strip.frame_final_end = end


def trims(strip: bpy.types.Strip) -> tuple[float, float]:
    """Frames cut off a strip's content at its start and its end; negative where it is shown beyond its content."""
    if NEW_STRIP_TIMES:
        return strip.left_handle_offset, strip.right_handle_offset
    return strip.frame_offset_start, strip.frame_offset_end


def move(strip: bpy.types.Strip, frames: int) -> None:
    """Move a strip in time with all that is cut off it."""
    if NEW_STRIP_TIMES:
        strip.content_start += frames
    else:
        strip.frame_start += frames
